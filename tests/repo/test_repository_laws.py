"""Laws: snapshot, checkout and harvest are the identity, and so are a landing and its roll-back; changes agree."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from repo_world import CLOCK, Files, World, files_of
from tree_strategies import TREES

from benchdog.repo import apply_files, roll_back
from benchdog.trees import Mode, parse_changes

_JOURNALS = count()
_BITS = st.lists(
    st.sampled_from([0o600, 0o640, 0o644, 0o664, 0o755, 0o700, 0o4755, 0o444, 0o500]), min_size=8, max_size=8
)


@contextmanager
def fresh(git: bool = True) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        yield World(Path(folder), git=git)


def lay_out(world: World, files: Files) -> None:
    for path, (mode, data) in files.items():
        place = world.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if mode is Mode.SYMLINK:
            place.symlink_to(os.fsdecode(data))
        else:
            place.write_bytes(data)
            place.chmod(0o755 if mode is Mode.EXECUTABLE else 0o644)


@given(TREES, st.booleans())
@settings(max_examples=20)
def test_snapshot_checkout_harvest_is_the_identity(files: Files, git: bool) -> None:
    hidden = {path for path in files if path.split("/")[-1] == ".gitignore"}
    files = {path: file for path, file in files.items() if path not in hidden}
    with fresh(git) as world:
        lay_out(world, files)
        with world.repository() as repository:
            base = repository.snapshot()
            assert files_of(repository, base.tree) == files
            assert base.files == len(files)
            with repository.checkout(base.tree) as checkout:
                assert checkout.harvest().tree == base.tree
                assert checkout.paths() == sorted(files)
                for path, (mode, data) in files.items():
                    assert checkout.read(path) == (None if mode is Mode.SYMLINK else data)


@given(TREES, TREES)
@settings(max_examples=20)
def test_put_changes_and_checkouts_agree(before: Files, after: Files) -> None:
    with fresh() as world, world.repository() as repository:
        empty = repository.snapshot().tree
        one, two = repository.put(empty, before), repository.put(empty, after)
        edits = {path: None for path in before if path not in after} | dict(after)
        assert repository.put(one, edits) == two
        changes = repository.changes(one, two)
        assert {change.path for change in changes} == {
            path for path in {*before, *after} if before.get(path) != after.get(path)
        }
        assert {change.path: repository.view(one).read(change.path) for change in changes if change.before} == {
            path: data for path, (_, data) in before.items() if after.get(path) != before[path]
        }
        with repository.checkout(one) as checkout:
            checkout.reset(two)
            assert checkout.harvest().tree == two
        assert (repository.diff(one, two) == b"") == (one == two)
        assert parse_changes(b"") == repository.changes(two, two)


@given(TREES, TREES, _BITS)
@settings(max_examples=25)
def test_a_landing_and_its_roll_back_are_the_identity(before: Files, after: Files, bits: list[int]) -> None:
    with fresh() as world, world.repository() as repository:
        lay_out(world, before)
        for (path, (mode, _)), permissions in zip(before.items(), bits, strict=False):
            if mode is not Mode.SYMLINK:
                executable = 0o100 if mode is Mode.EXECUTABLE else 0
                (world.root / path).chmod(permissions & ~0o100 | executable)
        world.commit()
        world.write("unrelated", "theirs")
        base = repository.put(repository.snapshot().tree, {})
        goal = repository.put(base, {path: None for path in before if path not in after} | dict(after))
        if goal == base:
            return
        picture, own = world.picture(), world.own_git()
        journal = f"law-{next(_JOURNALS)}"
        landing = apply_files(repository, base, goal, journal, CLOCK)
        assert repository.snapshot().tree == goal
        assert landing.paths == tuple(change.path for change in repository.changes(base, goal))
        assert roll_back(repository, journal, CLOCK).paths == landing.paths
        assert world.picture() == picture
        assert world.own_git() == own
