"""Scope rules, patterns and path classes: examples that a person would expect, and laws over hostile input."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.contract import PathClass, Scope
from benchdog.contract.classes import classes_of
from benchdog.contract.globs import exact_path, exact_pattern, matches, pattern_problem
from benchdog.contract.scope import Refusal, may_change_paths, path_problem, readable, refusal

PARTS = st.one_of(
    st.sampled_from(
        ["src", "a.py", ".git", ".GIT", ".g\u200cit", "tests", "package.json", ".env", "docs", "x\n", "#", "!a"]
    ),
    st.text(st.characters(exclude_characters="/\0", codec=None), min_size=1, max_size=6),
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.one_of(
    PATHS,
    st.text(st.sampled_from("ab./*?[]!-^\\# \n"), max_size=12),
    st.sampled_from(["**", "**/*", "*", "src/**", "/a.py"]),
)
SCOPES = st.builds(
    Scope,
    allow=st.lists(PATTERNS, max_size=4).map(tuple),
    open=st.lists(st.sampled_from(PathClass), max_size=4).map(tuple),
)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("src/calc/ops.py", None),
        ("src/calc/deep/down/ops.py", None),
        ("src/tests/test_ops.py", None),
        ("src/README.md", None),
        ("pyproject.toml", None),  # written exactly
        ("lib/ops.py", "scope"),
        ("package.json", "scope"),
        ("src/package.json", "class"),
        ("src/pyproject.toml", "class"),  # another file of that name
        ("src/.github/workflows/ci.yml", "class"),
        ("src/setup.cfg", "class"),
        ("src/AGENTS.md", "class"),
        ("src/.vscode/tasks.json", "class"),
        ("src/app/migrations/0001_initial.py", "class"),
        ("src/api_pb2.py", "class"),
        ("src/.env", "class"),
        (".git/config", "class"),
        ("src/.git", "class"),
        ("src/.GIT/hooks/pre-commit", "class"),
        ("src/.g\u200cit/config", "class"),
        ("src/git~1/config", "class"),
        ("../src/ops.py", "scope"),
        ("/src/ops.py", "scope"),
        ("src//ops.py", "scope"),
        ("src/./ops.py", "scope"),
        ("", "scope"),
        ("src/a\0b", "scope"),
    ],
)
def test_what_may_change(path: str, rule: str | None) -> None:
    scope = Scope(allow=("src/**", "pyproject.toml", ".git/config"))
    found = refusal(path, scope)
    assert (found.rule if found else None) == rule


def test_messages_name_what_is_allowed_and_how_to_open() -> None:
    scope = Scope(allow=("src/*.py", "docs/"))
    assert refusal("package.json", scope) == Refusal(
        path="package.json", rule="scope", reason="outside of the scope (allow: src/*.py, docs/)"
    )
    assert refusal("docs/tox.ini", scope) == Refusal(
        path="docs/tox.ini",
        rule="class",
        reason='class config is closed inside a pattern: `open = ["config"]` opens it, or name the path exactly',
    )
    assert refusal("x", Scope()) == Refusal(path="x", rule="scope", reason="outside of the scope (allow: nothing)")


def test_opening_a_class_opens_only_that() -> None:
    scope = Scope(allow=("**",), open=(PathClass.CI, PathClass.VCS))
    assert refusal(".github/workflows/ci.yml", scope) is None
    assert refusal("package.json", scope) is not None
    assert refusal(".git/hooks/x", scope) is not None


def test_settings_add_to_classes_and_exact_paths_open_them() -> None:
    classes = {PathClass.GENERATED: ("src/schema/**",)}
    assert refusal("src/schema/a.py", Scope(allow=("src/**",)), classes=classes) is not None
    assert refusal("src/schema/a.py", Scope(allow=("src/schema/a.py",)), classes=classes) is None


def test_the_last_pattern_wins() -> None:
    scope = Scope(allow=("src/**", "!src/secret/**", "src/secret/open.py"))
    assert may_change_paths(("src/a.py", "src/secret/b.py", "src/secret/open.py"), scope) == (
        "src/a.py",
        "src/secret/open.py",
    )


def test_patterns_are_git_s_own_and_not_wider() -> None:
    assert not matches("a/c", ("a[!b]c",))
    assert not matches("a/c", ("a[.-0]c",))
    assert not matches("ops.py\n", ("ops.py",))
    assert matches("a\nb/x.py", ("*.py",))
    assert matches("deep/down/x.py", ("x.py",))
    assert not matches("deep/x.py", ("/x.py",))
    assert matches("a\udc80b", ("a?b",))


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        " ",
        "/",
        "!",
        "#x",
        "[",
        "a[",
        "\\",
        "[z-a]",
        "a[[:alpha:]]",
        "../a",
        "a/../b",
        "./a",
        "a//b",
        "a\x00",
        "*a*a*a*a",
        "**/a/**/b/**/c/**/d",
        "x" * 2000,
    ],
)
def test_patterns_that_are_none_are_told(pattern: str) -> None:
    assert pattern_problem(pattern)


@pytest.mark.parametrize("pattern", ["a", "/a", "a/", "**", "*.py", "!x", "a b", "\\#x", "[a-z]?", "src/**/x.py", "ü"])
def test_patterns_that_are_some_are_not(pattern: str) -> None:
    assert pattern_problem(pattern) is None


def test_hostile_patterns_and_paths_take_no_time() -> None:
    started = time.monotonic()
    assert not matches("a/" * 120 + "b", ("**/a/**/a/**/a/c", "*a*a*ab"))
    assert not matches("a" * 250 + "b", ("*a*a*ac", "*?a*?a*?ac"))
    assert not matches("a" * 4000 + "b", ("*",))
    assert not matches("x/" * 5000 + "y", ("**",))
    classes_of("." * 100_000 + "/" + "a" * 100_000)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Cargo.lock", PathClass.DEPENDENCIES),
        ("sub/go.mod", PathClass.DEPENDENCIES),
        ("requirements-dev.txt", PathClass.DEPENDENCIES),
        ("tsconfig.build.json", PathClass.CONFIG),
        (".editorconfig", PathClass.CONFIG),
        ("benchdog.toml", PathClass.CONFIG),
        (".gitlab-ci.yml", PathClass.CI),
        ("web/dist.min.js", PathClass.GENERATED),
        ("dist/a.js", PathClass.GENERATED),
        ("app/migrations/0001.py", PathClass.MIGRATIONS),
        ("pkg/x_test.go", PathClass.TESTS),
        ("src/a.spec.ts", PathClass.TESTS),
        ("docs/a/b.png", PathClass.DOCS),
        ("README", PathClass.DOCS),
        ("deploy/id_rsa", PathClass.SECRETS),
        (".ENV.production", PathClass.SECRETS),
        ("sub/.hg/store", PathClass.VCS),
        (".husky/pre-commit", PathClass.AUTORUN),
        ("CLAUDE.md", PathClass.AUTORUN),
        ("a/.Envrc", PathClass.AUTORUN),
        ("x.pth", PathClass.AUTORUN),
    ],
)
def test_classes(path: str, expected: PathClass) -> None:
    assert expected in classes_of(path)


@pytest.mark.parametrize(
    "path", ["src/ops.py", "src/secrets.py", "src/credentials.ts", "env.py", "src/build/x.py", "gitlab.py"]
)
def test_plain_source_is_in_no_class(path: str) -> None:
    assert classes_of(path) == frozenset()


def test_what_may_be_seen() -> None:
    whole = Scope(allow=("src/a.py",))
    assert readable("anything/b.py", whole)
    assert not readable(".env", whole)
    assert readable(".env.example", whole)
    assert not readable(".git/config", whole)
    assert readable(".env", Scope(allow=(".env",)))
    narrow = Scope(allow=("src/a.py",), read=("lib/**",))
    assert [readable(path, narrow) for path in ("src/a.py", "lib/x.py", "other.py", "../lib/x.py")] == [
        True,
        True,
        False,
        False,
    ]


@given(PATHS, SCOPES)
def test_nothing_may_change_that_no_pattern_allows(path: str, scope: Scope) -> None:
    if refusal(path, scope) is None:
        assert matches(path, scope.allow)
        assert path_problem(path) is None
        closed = classes_of(path) - {PathClass.DOCS, PathClass.TESTS} - set(scope.open)
        assert not closed or path in {exact_path(pattern) for pattern in scope.allow}


@given(SCOPES, st.lists(PARTS, max_size=3), st.lists(PARTS, max_size=3))
def test_version_control_is_never_open(scope: Scope, above: list[str], below: list[str]) -> None:
    path = "/".join([*above, ".git", *below])
    wide = Scope(allow=(*scope.allow, "**", ".git/**", exact_pattern(path)), open=tuple(PathClass))
    assert refusal(path, wide) is not None
    assert not readable(path, wide)


@given(PATHS, PATHS)
def test_an_exact_pattern_means_its_path(path: str, other: str) -> None:
    if path_problem(path) or path_problem(other):
        return
    pattern = exact_pattern(path)
    assert exact_path(pattern) == path
    assert matches(path, (pattern,))
    assert pattern_problem(pattern) is None
    if other != path and not other.startswith(path + "/"):
        assert not matches(other, (pattern,))


@given(st.lists(PATTERNS, max_size=4).map(tuple), PATHS)
def test_no_pattern_raises(patterns: tuple[str, ...], path: str) -> None:
    for pattern in patterns:
        pattern_problem(pattern)
        exact_path(pattern)
    matches(path, patterns)
