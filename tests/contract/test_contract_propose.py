"""Goals looked at, scopes proposed, commands recognised, checks detected: without a model, on real outputs."""

from __future__ import annotations

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.contract import Check, PathClass, Scope
from benchdog.contract.classes import classes_of
from benchdog.contract.detect import Detected, Found, detect, environments_own
from benchdog.contract.goal import lint_goal
from benchdog.contract.languages import places, resolve
from benchdog.contract.propose import Proposal, Reason, propose_scope
from benchdog.contract.read import read_contract, read_settings
from benchdog.contract.red import failures, from_red_command, from_red_output, recognise_command
from benchdog.contract.scope import refusal
from benchdog.contract.templates import TEMPLATES, render_settings, render_template
from benchdog.errors import UserError

TREE = (
    "README.md",
    "package.json",
    "src/calc/__init__.py",
    "src/calc/ops.py",
    "src/calc/text.py",
    "src/web/api.ts",
    "src/web/parser.ts",
    "tests/test_ops.py",
    "tests/test_text.py",
)


def find(symbol: str) -> tuple[str, ...]:
    return {"slugify": ("src/calc/text.py", "tests/test_text.py"), "add": ("src/calc/ops.py",)}.get(symbol, ())


@pytest.mark.parametrize(
    ("goal", "allow"),
    [
        ("ops.add must add, not subtract.", ("src/calc/ops.py",)),
        ("Log every public method of src/calc/text.py.", ("src/calc/text.py",)),
        ("src/calc/ops.py and src/web/api.ts disagree", ("src/calc/ops.py", "src/web/api.ts")),
        ("Fix calc/ops.py", ("src/calc/ops.py",)),
        ("`slugify` drops umlauts", ("src/calc/text.py",)),
        ("slugify() drops umlauts", ("src/calc/text.py",)),
        ("The parser forgets comments", ("src/web/parser.ts",)),
        ("Tidy src/calc/", ("src/calc/**",)),
        ("Say how to install in README.md", ("/README.md",)),
        ("Write src/calc/units.py with metres", ("src/calc/units.py",)),
        ("Write CHANGES.md", ("/CHANGES.md",)),
        ("Start a client in clients/python/", ("clients/python/**",)),
        ("Make it better", ()),
        ("Raise the version in package.json", ()),
        ("Write tests/test_more.py", ()),
        ("Add .github/workflows/x.yml", ()),
        ("Read /etc/passwd and ../../x.py", ()),
    ],
)
def test_what_a_goal_is_about(goal: str, allow: tuple[str, ...]) -> None:
    assert propose_scope(goal, TREE, find=find).allow == allow


PYTEST = """\
============================= test session starts ==============================
_________________________________ test_add _____________________________________
    def test_add():
>       assert add(2, 3) == 5
E       assert -1 == 5
tests/test_ops.py:4: AssertionError
=========================== short test summary info ============================
\x1b[31mFAILED\x1b[0m tests/test_ops.py::test_add - assert -1 == 5
========================= 1 failed, 3 passed in 0.12s ==========================
"""
TRACEBACK = """\
Traceback (most recent call last):
  File "/home/ada/repo/tests/test_text.py", line 9, in test_slug
    slugify("x")
  File "/usr/lib/python3.11/json/__init__.py", line 3, in loads
  File "/home/ada/repo/src/calc/text.py", line 31, in slugify
    raise ValueError(text)
ValueError: x
"""


def test_frames_of_a_failure_are_meant() -> None:
    assert propose_scope("", TREE, (TRACEBACK,)) == Proposal(
        allow=("src/calc/text.py",),
        reasons=(Reason(pattern="src/calc/text.py", why="in the failure at line 31"),),
        wider=(("src/calc/**",), ("src/**",), ("**",)),
    )


def test_a_test_s_name_points_at_what_it_tests() -> None:
    assert propose_scope("", TREE, (PYTEST,)).reasons == (
        Reason(pattern="src/calc/ops.py", why="tests/test_ops.py fails"),
    )
    other = tuple(path for path in TREE if path != "tests/test_ops.py")
    assert propose_scope("", other, (PYTEST,), find=find).reasons == (
        Reason(pattern="src/calc/ops.py", why="has add, which the failure calls"),
    )


def test_wider_steps_grow_to_the_whole_tree() -> None:
    proposal = propose_scope("ops.add", TREE, (TRACEBACK,))
    assert (proposal.allow, proposal.wider) == (
        ("src/calc/ops.py",),
        (("src/calc/ops.py", "src/calc/text.py"), ("src/calc/**",), ("src/**",), ("**",)),
    )


GOALS = st.lists(
    st.one_of(st.sampled_from([*TREE, ".git/config", ".env", "new/", "a.py", "slugify", "`x`"]), st.text(max_size=6)),
    max_size=5,
).map(" ".join)


@given(
    GOALS,
    st.lists(st.one_of(st.sampled_from([PYTEST, TRACEBACK, ".git/config:3: x", ".env:1: y"]), st.text(max_size=30))),
)
def test_never_tests_and_never_closed_classes(goal: str, outputs: list[str]) -> None:
    tree = (*TREE, ".git/config", ".env")
    proposal = propose_scope(goal, tree, outputs, find=find)
    for path in tree:
        for allow in (proposal.allow,):
            if refusal(path, Scope(allow=allow)) is None and not any(pattern.endswith("**") for pattern in allow):
                assert PathClass.TESTS not in classes_of(path)
                assert refusal(path, Scope(allow=("**",))) is None
    assert [reason.pattern for reason in proposal.reasons] == list(proposal.allow)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('  File "/r/src/a.py", line 3, in f', ("/r/src/a.py", 3)),
        ("src/b.py:12: AssertionError", ("src/b.py", 12)),
        ("    at foo (/r/src/c.js:1:2)", ("/r/src/c.js", 1)),
        ("    at file:///r/d.mjs:4:5", ("///r/d.mjs", 4)),
        ("  --> src/main.rs:3:5", ("src/main.rs", 3)),
        ("thread 'x' panicked at src/lib.rs:9:5:", ("src/lib.rs", 9)),
        ("./m.go:4:2: undefined: x", ("m.go", 4)),
        ("    m_test.go:10: got 1", ("m_test.go", 10)),
        ("src/e.ts(3,5): error TS2322: x", ("src/e.ts", 3)),
        ("FAILED tests/test_a.py::test_x - assert", ("tests/test_a.py", None)),
        (" FAIL  src/f.test.ts > x", ("src/f.test.ts", None)),
    ],
)
def test_places_in_what_tools_print(line: str, expected: tuple[str, int | None]) -> None:
    assert places(f"noise\n{line}\nnoise") == (expected,)


def test_a_place_is_a_path_of_the_tree_or_none() -> None:
    tree = frozenset({"src/a.py", "ast.py"})
    assert resolve("/home/x/src/a.py", tree) == "src/a.py"
    assert resolve("../src/a.py", tree) == "src/a.py"
    assert resolve("src\\a.py", tree) == "src/a.py"
    assert resolve("/usr/lib/python3.11/ast.py", tree) is None
    assert resolve("/v/site-packages/src/a.py", tree) is None
    assert resolve("b.py", tree) is None


@pytest.mark.parametrize(
    ("output", "command"),
    [
        (PYTEST, "pytest -q"),
        ("F..\n1 failed, 2 passed in 0.01s\n", "pytest -q"),
        ("Ran 3 tests in 0.001s\n\nFAILED (failures=1)\n", "python3 -m unittest"),
        ("Test Suites: 1 failed, 1 total\n", "npx jest"),
        (" Test Files  1 failed | 2 passed (3)\n", "npx vitest run"),
        ("# tests 3\n# fail 1\n", "node --test"),
        ("test result: FAILED. 1 passed; 1 failed\n", "cargo test"),
        ("error[E0308]: mismatched types\n --> src/a.rs:1:2\n", "cargo check"),
        ("--- FAIL: TestX (0.00s)\nFAIL\n", "go test ./..."),
        ("# example.com/x\n./m.go:4:2: undefined: y\n", "go build ./..."),
        ("src/a.ts(1,2): error TS2322: Type\n", "npx tsc --noEmit"),
        ("Found 2 errors in 1 file (checked 3 source files)\n", "mypy ."),
        ("make: *** [Makefile:3: check] Error 1\n", "make check"),
        ("Hello.\n", None),
        ("", None),
    ],
)
def test_commands_are_known_by_what_they_print(output: str, command: str | None) -> None:
    assert recognise_command(output) == command
    red = from_red_output(output, TREE)
    assert (red.check.run if red else None) == command


def test_a_red_command_makes_a_whole_contract() -> None:
    goal, proposal, check = from_red_command("python -m pytest -q", PYTEST, TREE)
    assert goal == (
        "Make `python -m pytest -q` pass; what it checks stays as it is. "
        "Failing: tests/test_ops.py::test_add - assert -1 == 5."
    )
    assert proposal.allow == ("src/calc/ops.py",)
    assert check == Check(name="tests", run="python -m pytest -q", witness=True)
    assert lint_goal(goal, TREE) == ()


def test_failures_are_on_one_line_without_terminal_sequences() -> None:
    output = "\n".join(f"FAILED a.py::t{n} - \x1b[31m\x07x{'y' * 500}" for n in range(5))
    found = failures(output)
    assert len(found) == 5
    assert all(len(text) == 160 and text.isprintable() for text in found)
    assert "; and 2 more." in from_red_command("pytest", output, ()).goal


@pytest.mark.parametrize(
    "goal",
    [
        "ops.add must add, not subtract.",
        "Log every method of app/service.py",
        "Fix the tests",
        "`x` is slow",
        "The parser forgets",
        "p.percentage must round half up",
        "more_itertools.take returns one too many",
    ],
)
def test_goals_that_can_be_met(goal: str) -> None:
    assert lint_goal(goal, TREE) == ()


@pytest.mark.parametrize(
    ("goal", "hints"),
    [
        ("make it better", ["names no file"]),
        ("Add logging to app.py and then rename foo_bar; remove x", ["about 3 things"]),
        ("Do:\n- fix ops.py\n- fix text.py", ["about 2 things"]),
        ("design and ship the whole product", ["names no file", "'design and ship the whole' is too much"]),
        ("Build everything in src/app.py", ["is too much"]),
    ],
)
def test_goals_that_get_a_hint(goal: str, hints: list[str]) -> None:
    found = lint_goal(goal, TREE)
    assert len(found) == len(hints)
    assert all(hint in text for hint, text in zip(hints, found, strict=True))


def test_a_given_scope_says_where() -> None:
    assert lint_goal("make it better", TREE, allow=("src/x.py",)) == ()
    assert len(lint_goal("make it better. Then fix more", TREE, allow=())) == 2


PACKAGES = (
    "README.md",
    "parse/__init__.py",
    "more_itertools/__init__.py",
    "more_itertools/more.py",
    "more_itertools/recipes.py",
    "web/slugs/index.js",
    "web/other.js",
    "rust/src/mod.rs",
    "rust/src/scan/mod.rs",
    "tests/test_parse.py",
    "tests/test_recipes.py",
)
WORDS = {
    "take": ("README.md", *PACKAGES[2:8], "tests/test_recipes.py"),
    "def take": ("more_itertools/recipes.py", "tests/test_recipes.py"),
    "fn percentage": ("rust/src/mod.rs",),
    "percentage": ("README.md", "web/other.js", "rust/src/mod.rs"),
    "function slug": ("web/slugs/index.js",),
}


@pytest.mark.parametrize(
    ("goal", "output", "allow"),
    [
        ("", "FAILED tests/test_parse.py::test_x - assert 1 == 2", ("parse/__init__.py",)),
        ("The parse is too slow", "", ("parse/__init__.py",)),
        ("slugs forgets its state", "", ("web/slugs/index.js",)),
        ("scan loses a line", "", ("rust/src/scan/mod.rs",)),
        ("`take` returns one too many", "", ("more_itertools/recipes.py",)),
        ("more_itertools.take must return n", "", ("more_itertools/recipes.py",)),
        ("more_itertools.drop must return n", "", ("more_itertools/__init__.py",)),
        ("take returns one too many", "", ("more_itertools/recipes.py",)),
        ("the percentage function rounds wrongly", "", ("rust/src/mod.rs",)),
        ("class slug loses umlauts", "", ("web/slugs/index.js",)),
        ("it is bad", "", ()),
    ],
)
def test_packages_and_definitions_are_found(goal: str, output: str, allow: tuple[str, ...]) -> None:
    found = propose_scope(goal, PACKAGES, (output,), find=lambda text: WORDS.get(text, ()))
    assert found.allow == allow


def test_the_only_source_file_is_meant() -> None:
    output = "not ok 1 should be equal\n    at: Test.<anonymous> (/w/test/num.js:7:13)\n"
    tree = ("README.md", "index.js", "package.json", "test/num.js")
    assert propose_scope("", tree, (output,)).reasons == (Reason(pattern="/index.js", why="the only source file"),)
    assert propose_scope("Make it better", tree).allow == ()
    assert propose_scope("", (*tree, "lib/a.js"), (output,)).allow == ()


@pytest.mark.parametrize(
    "piece", ["a", "a_", "design ", ". ", "a.", "aB", "/", "`", "a/", "\n- ", '  File "', "FAILED ", "at ("]
)
def test_long_nonsense_takes_no_time(piece: str) -> None:
    started = time.monotonic()
    text = piece * (200_000 // len(piece))
    lint_goal(text, TREE)
    propose_scope(text[:20_000], TREE, (text,), find=find)
    failures(text)
    recognise_command(text)
    assert time.monotonic() - started < 5


def detected(files: dict[str, str]) -> tuple[tuple[str, str], ...]:
    found = detect(files, lambda path: files[path].encode())
    return tuple((each.check.name, each.check.run) for each in found.checks)


@pytest.mark.parametrize(
    ("files", "checks"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]", "a.py": ""}, [("tests", "python3 -m pytest -q")]),
        ({"setup.cfg": "[metadata]\n[tool:pytest]\n", "a.py": ""}, [("tests", "python3 -m pytest -q")]),
        ({"tests/test_a.py": "import pytest"}, [("tests", "python3 -m pytest -q")]),
        ({"tests/test_a.py": "def test_a(): pass"}, [("tests", "python3 -m pytest -q")]),
        ({"tests/__init__.py": "", "tests/test_a.py": "import unittest"}, [("tests", "python3 -m unittest discover")]),
        ({"tests/test_a.py": "import unittest"}, [("tests", "python3 -m unittest discover -s tests")]),
        (
            {
                "pyproject.toml": "[tool.mypy]\nfiles=['src']\n[tool.ruff]\n[dependency-groups]\ndev=['pytest']",
                "a.py": "",
            },
            [("tests", "python3 -m pytest -q"), ("types", "mypy"), ("lint", "ruff check .")],
        ),
        ({"a.py": "", "pkg/b.py": ""}, [("build", "python3 -m compileall -q a.py pkg")]),
        ({"package.json": '{"scripts": {"test": "vitest run"}}'}, [("tests", "npm test")]),
        (
            {"package.json": '{"scripts": {"test": "jest", "lint": "eslint ."}}', "pnpm-lock.yaml": ""},
            [("tests", "pnpm test"), ("lint", "pnpm run lint")],
        ),
        ({"package.json": '{"scripts": {"test": "x"}}', "bun.lock": ""}, [("tests", "bun run test")]),
        (
            {
                "package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}',
                "tsconfig.json": "{}",
                "a.ts": "",
            },
            [("types", "npx --no-install tsc --noEmit")],
        ),
        ({"Cargo.toml": "", "src/lib.rs": "#[test]\nfn x() {}"}, [("tests", "cargo test --offline")]),
        ({"Cargo.toml": "", "src/lib.rs": ""}, [("build", "cargo check --offline")]),
        ({"go.mod": "", "a.go": "", "a_test.go": ""}, [("tests", "go test ./...")]),
        ({"go.mod": "", "a.go": ""}, [("lint", "go build ./... && go vet ./...")]),
        ({"Makefile": ".PHONY: test\nCC := gcc\ntest: all\n\t./run\n", "a.c": ""}, [("tests", "make test")]),
        ({"Makefile": "test:\n\t@uv run pytest -x\n"}, [("tests", "pytest -x")]),
        ({"Makefile": "test:\n\t@uv run pytest -x\n\techo done\n"}, [("tests", "make test")]),
        ({"Makefile": "tests := a b\n"}, []),
        ({"README": ""}, []),
    ],
)
def test_a_repository_s_own_checks(files: dict[str, str], checks: list[tuple[str, str]]) -> None:
    assert list(detected(files)) == checks


def test_files_that_do_not_read_are_left_out_and_told() -> None:
    files = {"package.json": "[" * 100_000, "pyproject.toml": "=", "a.py": "", "big.py": ""}
    found = detect(files, lambda path: None if path == "big.py" else files[path].encode())
    assert [each.check.run for each in found.checks] == ["python3 -m compileall -q a.py big.py"]
    assert found.notes == (
        "package.json does not read: what it says of checks was left out",
        "pyproject.toml does not read: what it says of checks was left out",
        "no tests were found: built-in checks show only that the code compiles",
    )


@pytest.mark.parametrize(
    ("run", "own"),
    [
        ("uv run pytest -q", "pytest -q"),
        ("uv run --extra dev --frozen pytest", "pytest"),
        ("poetry run python -m pytest", "python -m pytest"),
        (".venv/bin/pytest", "pytest"),
        ("uv run", "uv run"),
        ("pytest", "pytest"),
        ("uv sync", "uv sync"),
    ],
)
def test_the_environment_s_own_programs(run: str, own: str) -> None:
    assert environments_own(run) == own


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=30).filter(str.strip), st.text(max_size=30)), max_size=3),
    st.text(max_size=20),
)
def test_settings_that_init_writes_read_back(found: list[tuple[str, str]], note: str) -> None:
    checks = [
        Found(check=Check(name=f"c{index}", run=run.replace("\0", "") or "x"), why=why)
        for index, (run, why) in enumerate(found)
        if run.replace("\0", "").strip()
    ]
    text = render_settings(Detected(checks=tuple(checks), languages=(), notes=(note,)))
    read = read_settings(text.encode("utf-8", "surrogatepass"), "benchdog.toml")
    assert read.settings.checks == tuple(each.check for each in checks)


def test_templates_are_contracts() -> None:
    for name in TEMPLATES:
        contract = read_contract(render_template(name, "log.toml", "pytest -q").encode(), "log.toml")
        assert contract.checks == (Check(name="tests", run="pytest -q"),)
        assert lint_goal(contract.goal, ()) == ()
        assert tomllib.loads(render_template(name, "x\ny.toml"))
    with pytest.raises(UserError, match="no template 'x'"):
        render_template("x", "f")
