"""Every gate that looks at trees alone."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cases import Content, MemoryTree, case
from hypothesis import given
from hypothesis import strategies as st

from benchdog.contract import Deliverable, PathClass, Scope
from benchdog.gates import GATES, classes, deliverables, empty, judge_all, leftovers, lent, modes, scope, size
from benchdog.gates.deliverables import MATCH_BYTES
from benchdog.trees import Mode
from benchdog.verdict import Finding, Severity

TREE = {"src/a.py": "a = 1\n", "src/b.py": "b = 1\n", "package.json": "{}\n"}


def allow(*patterns: str, **more: Any) -> dict[str, Any]:
    return {"scope": Scope(allow=patterns, **more)}


def said(findings: tuple[Finding, ...]) -> list[tuple[str, str | None]]:
    return [(finding.severity.value, finding.path) for finding in findings]


def test_the_table_names_each_gate_once_and_those_without_checks_are_asked_before() -> None:
    names = [gate.name for gate in GATES]
    assert " ".join(names) == "empty scope classes modes lent filters size deliverables leftovers checks"
    given_case = case(TREE, TREE)
    assert [name for name, _ in judge_all(given_case, with_checks=True)] == names
    assert [name for name, _ in judge_all(given_case, with_checks=False)] == names[:-1]


def test_a_candidate_equal_to_the_base_never_passes() -> None:
    (finding,) = empty.judge(case(TREE, TREE))
    assert finding.severity is Severity.BLOCK
    assert empty.judge(case(TREE, TREE | {"src/a.py": "a = 2\n"})) == ()


def test_package_json_was_edited_though_only_two_files_were_allowed() -> None:
    after = TREE | {"src/a.py": "a = 2\n", "package.json": '{"test": "true"}\n', "extra.txt": "x"}
    judged = case(TREE, after, task=allow("src/a.py", "src/b.py"))
    findings = scope.judge(judged)
    assert said(findings) == [("block", "extra.txt"), ("block", "package.json")]
    assert all("src/a.py, src/b.py" in finding.message for finding in findings)
    assert classes.judge(judged) == ()


def test_a_removal_out_of_the_scope_is_a_change() -> None:
    findings = scope.judge(case(TREE, {"src/a.py": "a = 2\n"}, task=allow("src/a.py")))
    assert said(findings) == [("block", "package.json"), ("block", "src/b.py")]
    assert "removed" in findings[0].message


def test_a_contract_that_allows_nothing_lets_nothing_through() -> None:
    assert said(scope.judge(case(TREE, TREE | {"src/a.py": ""}, task=allow()))) == [("block", "src/a.py")]


def test_closed_classes_stay_closed_in_a_glob_and_open_by_name_or_on_purpose() -> None:
    after = TREE | {"package.json": '{"a": 1}\n'}
    assert said(classes.judge(case(TREE, after, task=allow("*")))) == [("block", "package.json")]
    assert scope.judge(case(TREE, after, task=allow("*"))) == ()
    assert classes.judge(case(TREE, after, task=allow("package.json"))) == ()
    assert classes.judge(case(TREE, after, task=allow("*", open=(PathClass.DEPENDENCIES,)))) == ()


def test_settings_add_to_classes() -> None:
    extra = {PathClass.GENERATED: ("src/b.py",)}
    found = classes.judge(case(TREE, TREE | {"src/b.py": ""}, task=allow("src/"), classes=extra))
    assert said(found) == [("block", "src/b.py")]


@pytest.mark.parametrize(
    ("path", "content", "severity"),
    [
        ("link", (Mode.SYMLINK, "/etc/passwd"), "block"),
        ("link", (Mode.SYMLINK, "../up"), "block"),
        ("src/link", (Mode.SYMLINK, "../../up"), "block"),
        ("src/link", (Mode.SYMLINK, "x/../../../up"), "block"),
        ("link", (Mode.SYMLINK, ".git/config"), "block"),
        ("link", (Mode.SYMLINK, ""), "block"),
        ("src/link", (Mode.SYMLINK, "../package.json"), "warn"),
        ("src/a.py", (Mode.SYMLINK, "b.py"), "block"),
        ("src/a.py", (Mode.EXECUTABLE, "a = 1\n"), "warn"),
        ("lib", (Mode.SUBMODULE, "0" * 40), "block"),
        (".git", "gitdir: elsewhere\n", "block"),
        ("src/.GIT/config", "[core]\n", "block"),
        ("src/.git /hooks/x", "x", "block"),
        ("git~1/config", "x", "block"),
        ("src/.g\u200cit/config", "x", "block"),
    ],
)
def test_what_an_entry_is_does_not_change_behind_the_scope(path: str, content: Content, severity: str) -> None:
    assert said(modes.judge(case(TREE, TREE | {path: content}))) == [(severity, path)]


def test_removing_a_submodule_or_replacing_a_symlink_blocks() -> None:
    base: dict[str, Content] = {"lib": (Mode.SUBMODULE, "0" * 40), "link": (Mode.SYMLINK, "a"), "a": "x"}
    without: dict[str, Content] = {"a": "x", "link": (Mode.SYMLINK, "a")}
    assert said(modes.judge(case(base, without))) == [("block", "lib")]
    replaced: dict[str, Content] = {**base, "link": "x"}
    assert said(modes.judge(case(base, replaced))) == [("block", "link")]


def test_ordinary_names_are_not_gits() -> None:
    after = TREE | {".gitignore": "x", ".github/x.yml": "y", "src/.gitkeep": "", "digit": "z"}
    assert modes.judge(case(TREE, after)) == ()


def test_size_limits() -> None:
    after: dict[str, Content] = {**TREE, "src/a.py": "1\n2\n3\n", "src/b.py": "b = 2\n", "image.png": b"\0\1"}
    assert said(size.judge(case(TREE, after))) == [("warn", "image.png")]
    findings = size.judge(case(TREE, after, task=allow("*", max_files=2, max_lines=5)))
    assert said(findings) == [("block", None), ("block", None), ("block", "image.png")]
    assert "at most 2 may (max_files)" in findings[0].message
    assert "the largest is src/a.py with +3 -1" in findings[1].message
    assert size.judge(case(TREE, TREE | {"src/a.py": "2\n"}, task=allow("*", max_files=1, max_lines=2))) == ()


def test_a_nul_byte_does_not_hide_lines_from_max_lines() -> None:
    after = TREE | {"src/a.py": "x\n" * 1000 + "\0"}
    (finding,) = size.judge(case(TREE, after, task=allow("*", max_lines=3)))
    assert "cannot be counted, and max_lines is set" in finding.message
    assert said(size.judge(case(TREE, after))) == [("warn", "src/a.py")]
    base: dict[str, Content] = {"image.png": b"\0", "old.png": b"\0"}
    task = allow("*", max_lines=3)
    assert size.judge(case(base, {"image.png": (Mode.EXECUTABLE, "\0")}, task=task)) == ()


def test_what_checks_see_lent_may_not_change() -> None:
    after = TREE | {"dist/app.js": "x", "distant": "y", "local.cfg": "z"}
    assert said(lent.judge(case(TREE, after, lent=("dist/", "local.cfg")))) == [
        ("block", "dist/app.js"),
        ("block", "local.cfg"),
    ]
    (finding,) = lent.judge(case(TREE, after, lent=("dist",)))
    assert finding.message == (
        "checks see the lent copy of 'dist', not this file 'dist/app.js': undo it, or a person adds it to .gitignore's "
        'exceptions or sets `[sandbox] fresh = ["dist"]`'
    )
    assert lent.judge(case(TREE, after)) == ()


def test_leftovers_are_named_and_do_not_block() -> None:
    assert said(leftovers.judge(case(TREE, TREE, leftovers=("core.1", "pipe")))) == [
        ("warn", "core.1"),
        ("warn", "pipe"),
    ]


def deliver(candidate: dict[str, Content], **terms: Any) -> tuple[Finding, ...]:
    return deliverables.judge(case(TREE, TREE | candidate, task={"deliver": (Deliverable(**terms),)}))


@pytest.mark.parametrize("name", ["minstrel.md", "Minstral.md", "MINSTRAL.MD", "docs/MINSTRAL.md", "MINISTRAL.md"])
def test_a_deliverable_is_not_satisfied_by_a_near_miss(name: str) -> None:
    (finding,) = deliver({name: "text\n"}, path="MINSTRAL.md")
    assert finding.severity is Severity.BLOCK
    assert f"{name!r} is there instead" in finding.message


def test_a_deliverable_that_nothing_resembles() -> None:
    (finding,) = deliver({"src/other.py": "x"}, path="MINSTRAL.md")
    assert finding.message == "'MINSTRAL.md' does not exist: create it under exactly this name"
    assert deliver({"MINSTRAL.md": ""}, path="MINSTRAL.md") == ()


@pytest.mark.parametrize(
    "terms",
    [
        {"contains": "def add"},
        {"matches": r"^def add\(a, b\):$"},
        {"sha256": hashlib.sha256(b"# ops\ndef add(a, b):\n").hexdigest().upper()},
    ],
)
def test_required_content(terms: dict[str, str]) -> None:
    assert deliver({"ops.py": "# ops\ndef add(a, b):\n"}, path="ops.py", **terms) == ()
    (finding,) = deliver({"ops.py": "# ops\nDEF ADD(a, b):\n"}, path="ops.py", **terms)
    assert finding.severity is Severity.BLOCK


def test_a_deliverable_must_be_a_regular_file() -> None:
    (finding,) = deliver({"ops.py": (Mode.SYMLINK, "src/a.py")}, path="ops.py")
    assert "not a regular file" in finding.message


def test_a_regex_is_not_let_loose_on_a_huge_file_nor_trusted_to_be_one() -> None:
    (large,) = deliver({"ops.py": "a" * (MATCH_BYTES + 1)}, path="ops.py", matches="a")
    assert str(MATCH_BYTES) in large.message
    (broken,) = deliver({"ops.py": "a"}, path="ops.py", matches="(")
    assert "no regular expression" in broken.message


NAMES = st.text(alphabet="ab./ \u200c~git", min_size=1, max_size=12)


@given(st.dictionaries(NAMES, st.one_of(st.binary(max_size=20), st.tuples(st.sampled_from(Mode), NAMES)), max_size=5))
def test_gates_judge_any_tree_and_the_base_is_never_let_through(files: dict[str, Content]) -> None:
    judged = case({}, files, task=allow("*") | {"deliver": (Deliverable(path="ab", contains="x"),)})
    for _, findings in judge_all(judged, with_checks=True):
        for finding in findings:
            assert finding.message.strip()
    assert empty.judge(case(files, files))
    assert MemoryTree(files).id == MemoryTree(dict(reversed(files.items()))).id


@given(
    st.dictionaries(NAMES, st.binary(max_size=9), max_size=5), st.dictionaries(NAMES, st.binary(max_size=9), max_size=5)
)
def test_every_change_outside_of_the_allowed_paths_is_found(
    before: dict[str, Content], after: dict[str, Content]
) -> None:
    judged = case(before, after, task=allow("/only/this"))
    assert {finding.path for finding in (*scope.judge(judged), *classes.judge(judged))} == {
        change.path for change in judged.changes
    }
