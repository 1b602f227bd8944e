"""The candidate is brought to a repository that moved on; what both sides changed merges by lines, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from repo_world import World, files_of, text

from benchdog.repo import MergeConflict, Merged, merge
from benchdog.trees import Mode

LINES = "".join(f"line {number}\n" for number in range(1, 10))
BASE = {"a": text(LINES), "b": text("b\n"), "run": text("run\n"), "bin": (Mode.FILE, b"\0one"), "gone": text("x\n")}
Edits = Mapping[str, tuple[Mode, bytes] | None]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"b": text("ours\n")}, {"new": text("n\n")}, {"b": text("ours\n"), "new": text("n\n")}),
        (
            {"a": text(LINES.replace("line 1\n", "ours\n"))},
            {"a": text(LINES.replace("line 9\n", "theirs\n"))},
            {"a": text(LINES.replace("line 1\n", "ours\n").replace("line 9\n", "theirs\n"))},
        ),
        (
            {"a": text(LINES.replace("line 1\n", "ours\n"))},
            {"a": text(LINES.replace("line 9\n", "theirs\n"), Mode.EXECUTABLE)},
            {"a": text(LINES.replace("line 1\n", "ours\n").replace("line 9\n", "theirs\n"), Mode.EXECUTABLE)},
        ),
        ({"b": text("same\n")}, {"b": text("same\n")}, {"b": text("same\n")}),
        ({"gone": None}, {"gone": None}, {"gone": None}),
        (
            {"gone": None},
            {"run": text("run\n", Mode.EXECUTABLE)},
            {"gone": None, "run": text("run\n", Mode.EXECUTABLE)},
        ),
        ({}, {"b": None, "b/c": text("c\n")}, {"b": None, "b/c": text("c\n")}),
        ({"b": text("ours\n")}, {"b": text("theirs\n")}, ("b",)),
        ({"bin": (Mode.FILE, b"\0ours")}, {"bin": (Mode.FILE, b"\0theirs")}, ("bin",)),
        ({"gone": None}, {"gone": text("edited\n")}, ("gone",)),
        ({"gone": text("edited\n")}, {"gone": None}, ("gone",)),
        ({"new": text("ours\n")}, {"new": text("theirs\n")}, ("new",)),
        ({"b": (Mode.SYMLINK, b"a")}, {"b": text("theirs\n")}, ("b",)),
        ({"new": text("file\n")}, {"new/x": text("x\n")}, ("new/x",)),
    ],
)
def test_merges(tmp_path: Path, ours: Edits, theirs: Edits, expected: Edits | tuple[str, ...]) -> None:
    world = World(tmp_path)
    with world.repository() as repository:
        base = repository.put(repository.snapshot().tree, BASE)
        current, candidate = repository.put(base, ours), repository.put(base, theirs)
        merged = merge(repository, base, current, candidate)
        if isinstance(expected, tuple):
            assert merged == MergeConflict(paths=expected)
        else:
            assert isinstance(merged, Merged)
            wanted = {path: file for path, file in {**BASE, **expected}.items() if file is not None}
            assert files_of(repository, merged.tree) == wanted
        assert not list(repository.place.glob("merge-*"))
        assert merge(repository, base, base, candidate) == Merged(tree=candidate)
        assert merge(repository, base, current, base) == Merged(tree=current)
