"""Names, tree objects, differences and merges as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.trees import (
    Both,
    Change,
    Entry,
    Mode,
    changed_paths,
    is_git_name,
    merge_modes,
    merge_paths,
    parse_changes,
    parse_tree,
    unsafe_because,
)
from benchdog.trees.paths import parents_of, quoted


@pytest.mark.parametrize(
    "name",
    [".git", ".GIT", ".Git", ".git ", ".git.", ".git. .", "git~1", "GIT~1", ".g\u200cit", "\ufeff.git", ".git::$DATA"],
)
def test_names_that_are_git_somewhere(name: str) -> None:
    assert is_git_name(name)
    assert unsafe_because(f"a/{name}/b") == "goes through a git directory"


@pytest.mark.parametrize("name", [".gitignore", ".github", "git", "agit", ".gitx", "git~2", "x.git", "", ".", "g"])
def test_names_that_are_not(name: str) -> None:
    assert not is_git_name(name)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "is empty"),
        ("a\0b", "holds a NUL"),
        ("/a", "is absolute"),
        ("a//b", "has the part ''"),
        ("a/", "has the part ''"),
        ("./a", "has the part '.'"),
        ("a/../b", "has the part '..'"),
        ("a/b", None),
        ("...", None),
        ("a b\n\udcff", None),
    ],
)
def test_what_makes_a_path_unsafe(path: str, reason: str | None) -> None:
    assert unsafe_because(path) == reason


def test_spelling_for_fast_import() -> None:
    assert quoted('a "b"\\\n\udcff') == b'"a \\"b\\"\\\\\\n\xff"'
    assert parents_of("a/b/c") == ["a/b", "a"]
    assert parents_of("a") == []


def test_tree_objects() -> None:
    content = b"100644 a\0" + b"\1" * 20 + b"40000 d\xff\0" + b"\2" * 20
    assert list(parse_tree(content)) == [("100644", "a", "01" * 20), ("40000", "d\udcff", "02" * 20)]
    assert list(parse_tree(b"")) == []
    with pytest.raises(ValueError, match="subsection not found"):
        list(parse_tree(b"100644 a"))


def test_differences_as_git_prints_them() -> None:
    one, two, none = "1" * 40, "2" * 40, "0" * 40
    output = (
        f":100644 100755 {one} {two} M\0mode\n\0:100644 000000 {one} {none} D\0gone\0"
        f":000000 160000 {none} {two} A\0sub\0:000000 100644 {none} {one} A\0bin\0"
        "3\t1\tmode\n\0000\t7\tgone\0001\t0\tsub\0-\t-\tbin\0"
    )
    assert parse_changes(output.encode()) == (
        Change(path="bin", before=None, after=Entry(Mode.FILE, one), binary=True),
        Change(path="gone", before=Entry(Mode.FILE, one), after=None, added=0, removed=7),
        Change(path="mode\n", before=Entry(Mode.FILE, one), after=Entry(Mode.EXECUTABLE, two), added=3, removed=1),
        Change(path="sub", before=None, after=Entry(Mode.SUBMODULE, two)),
    )
    assert parse_changes(b"") == ()


ENTRIES = st.builds(Entry, st.sampled_from([Mode.FILE, Mode.EXECUTABLE, Mode.SYMLINK]), st.sampled_from("123"))
TREES = st.dictionaries(st.sampled_from("abcdef"), ENTRIES)


@given(TREES, TREES)
def test_changed_paths_lead_from_one_tree_to_the_other(before: dict[str, Entry], after: dict[str, Entry]) -> None:
    reached = dict(before)
    for path, (old, new) in changed_paths(before, after).items():
        assert old == before.get(path)
        assert old != new
        if new is None:
            del reached[path]
        else:
            reached[path] = new
    assert reached == after


@given(TREES, TREES, TREES)
def test_a_merge_takes_each_side_s_own_changes(
    base: dict[str, Entry], ours: dict[str, Entry], theirs: dict[str, Entry]
) -> None:
    plan = merge_paths(base, ours, theirs)
    merged = {path: entry for path, entry in {**ours, **plan.take}.items() if entry is not None}
    for path in "abcdef":
        sides = (base.get(path), ours.get(path), theirs.get(path))
        if path in plan.both:
            assert plan.both[path] == Both(base=sides[0], ours=sides[1], theirs=sides[2])
            assert len({sides[0], sides[1]}) == len({sides[0], sides[2]}) == len({sides[1], sides[2]}) == 2
        else:
            assert merged.get(path) == (sides[2] if sides[1] == sides[0] else sides[1])


@given(TREES, TREES)
def test_a_merge_with_an_unchanged_side_is_the_other_side(base: dict[str, Entry], other: dict[str, Entry]) -> None:
    assert merge_paths(base, other, base).take == {}
    plan = merge_paths(base, base, other)
    assert {path: entry for path, entry in {**base, **plan.take}.items() if entry is not None} == other
    assert plan.both == {}


def test_a_file_in_the_place_of_a_directory_is_blocked() -> None:
    entry = Entry(Mode.FILE, "1")
    plan = merge_paths({}, {"a": entry}, {"a/b": entry})
    assert plan.blocked == ("a/b",)


def test_whose_mode_a_merged_file_gets() -> None:
    file, executable = Entry(Mode.FILE, "1"), Entry(Mode.EXECUTABLE, "2")
    both = Both(base=file, ours=file, theirs=executable)
    assert both.mergeable
    assert merge_modes(both) is Mode.EXECUTABLE
    assert merge_modes(Both(base=file, ours=executable, theirs=file)) is Mode.EXECUTABLE
    assert merge_modes(Both(base=executable, ours=file, theirs=executable)) is Mode.FILE
    assert not Both(base=None, ours=file, theirs=file).mergeable
    assert not Both(base=file, ours=Entry(Mode.SYMLINK, "3"), theirs=file).mergeable
