"""Between the last look at a path and its replacement somebody may save: what they save is not lost, killed or not."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from repo_world import CLOCK, Picture, World, picture, text

from benchdog.errors import Conflict
from benchdog.repo import (
    Repository,
    abort_landing,
    apply_files,
    continue_landing,
    journal_state,
    pending_journal,
    roll_back,
)
from benchdog.repo import exchange as module
from benchdog.repo.disk import Disk, Names, Side
from benchdog.repo.exchange import exchange, take_free_name
from benchdog.repo.importing import blob_id
from benchdog.trees import Mode

GOAL = {"a.txt": text("ONE\n"), "b.txt": None, "c.txt": text("new\n")}


class Stop(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write("a.txt", "one\n")
    world.write("b.txt", "two\n")
    world.commit()
    return world


def save(path: Path) -> None:
    """As most editors save."""
    path.with_name("saved").write_text("an hour of work\n")
    path.with_name("saved").replace(path)


def write_into(path: Path) -> None:
    path.write_text("an hour of work\n")


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inner").write_text("an hour of work\n")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def remove(path: Path) -> None:
    path.unlink()


ACTS = (save, write_into, link, directory, pipe, remove)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("moment", ["looked", "held"])
def test_what_is_done_between_look_and_exchange_is_kept(world: World, act: Callable[[Path], None], moment: str) -> None:
    seen: list[Picture] = []
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"a.txt": text("ONE\n")})

        def point(reached: str) -> None:
            if reached == moment and not seen:
                act(world.root / "a.txt")
                seen.append({p: s for p, s in world.picture().items() if not p.startswith(".benchdog-")})

        repository.point = point
        with pytest.raises(Conflict, match="nothing was written") as caught:
            apply_files(repository, base, goal, "one", CLOCK)
        assert caught.value.paths == ("a.txt",)
        assert journal_state(repository, "one") == "aborted"
    assert world.picture() == seen[0]


def test_what_is_saved_before_a_removal_is_kept(world: World) -> None:
    """The look is at the file that was moved away already: nothing can come in between."""
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"b.txt": None})
        before = world.picture()
        disk = Disk(world.root)
        try:
            old = disk.side("b.txt")
            assert old is not None
            save(world.root / "b.txt")  # after the look of the caller
            names = Names(temporary=".t", held=".h")
            assert not disk.remove("b.txt", old, names, lambda _: None)
            assert world.picture() == before | {"b.txt": (before["b.txt"][0], b"an hour of work\n")}
            world.write("b.txt", "two\n")
            assert disk.remove("b.txt", old, names, lambda _: None)
            assert disk.remove("b.txt", old, names, lambda _: None), "somebody else did it"
        finally:
            disk.close()
        assert repository.snapshot().tree == goal


class Desk:
    """One person's folder for many landings, each with files as they were."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, git=False)
        self.number = 0

    def land(self, point: Callable[[str, int], None]) -> int:
        """`point` sees each point with its number; how many there were."""
        self.number += 1
        for left in self.world.root.iterdir():
            left.unlink()
        self.world.write("a.txt", "one\n")
        self.world.write("b.txt", "two\n")
        seen = 0

        def reached(word: str) -> None:
            nonlocal seen
            seen += 1
            point(word, seen)

        with self.world.repository() as repository:
            base = repository.snapshot().tree
            goal = repository.put(base, GOAL)
            repository.point = reached
            with suppress(Conflict, Stop):
                apply_files(repository, base, goal, f"try-{self.number}", CLOCK)
        return seen


@pytest.mark.parametrize("name", ["a.txt", "b.txt", "c.txt"])
def test_killed_at_any_point_after_somebody_saved_nothing_of_theirs_is_lost(tmp_path: Path, name: str) -> None:
    desk = Desk(tmp_path)
    path = desk.world.root / name
    last = desk.land(lambda *_: None)
    assert last > 15
    beyond = 8 if settings().max_examples > 500 else 3
    for saved_at in range(1, last + 1):
        for killed_at in range(saved_at, min(saved_at + beyond, last + 4)):

            def point(_: str, number: int, saved_at: int = saved_at, killed_at: int = killed_at) -> None:
                if number == saved_at:
                    save(path)
                if number == killed_at:
                    raise Stop

            desk.land(point)
            with desk.world.repository() as repository:
                recover(repository, forward=killed_at % 2 == 0)
            assert path.read_text() == "an hour of work\n", (saved_at, killed_at)
            names = {each.name for each in desk.world.root.iterdir()}
            assert names <= {"a.txt", "b.txt", "c.txt"}, (saved_at, killed_at)


def recover(repository: Repository, *, forward: bool) -> None:
    pending = pending_journal(repository)
    if pending is not None:
        with suppress(Conflict):
            (continue_landing if forward else abort_landing)(repository, pending)
        if pending.state is not None and pending.state.pending:
            with suppress(Conflict):
                abort_landing(repository, pending)


class Busy:
    """Somebody who saves another content at every point from the first on."""

    def __init__(self, path: Path, first: int) -> None:
        self.path = path
        self.first = first
        self.saved: list[bytes] = []
        self.replaced: list[bytes] = []

    def __call__(self, _: str, number: int) -> None:
        if number < self.first:
            return
        if self.path.exists():
            self.replaced.append(self.path.read_bytes())
        self.saved.append(b"work %d\n" % number)
        self.path.with_name("saved").write_bytes(self.saved[-1])
        self.path.with_name("saved").replace(self.path)


@pytest.mark.parametrize("name", ["a.txt", "b.txt", "c.txt"])
def test_what_somebody_saves_again_and_again_is_there_unless_they_replaced_it(tmp_path: Path, name: str) -> None:
    desk = Desk(tmp_path)
    last = desk.land(lambda *_: None)
    for first in range(1, last + 1):
        busy = Busy(desk.world.root / name, first)
        desk.land(busy)
        there = {each.read_bytes() for each in desk.world.root.iterdir()}
        assert busy.path.read_bytes() in busy.saved
        assert {data for data in busy.saved if data not in busy.replaced} <= there


def test_a_chmod_since_the_landing_stays(world: World) -> None:
    with world.repository() as repository:
        base = repository.snapshot().tree
        (world.root / "b.txt").chmod(0o644)
        goal = repository.put(base, {"a.txt": text("ONE\n"), "b.txt": (Mode.EXECUTABLE, b"TWO\n")})
        apply_files(repository, base, goal, "one", CLOCK)
        (world.root / "a.txt").chmod(0o600)
        (world.root / "b.txt").chmod(0o700)
        roll_back(repository, "one", CLOCK)
        seen = world.picture()
        assert seen["a.txt"] == (stat.S_IFREG | 0o600, b"one\n")
        assert seen["b.txt"] == (stat.S_IFREG | 0o600, b"two\n")


def test_without_the_call_the_last_look_must_do(world: World) -> None:
    old = Side(mode=Mode.FILE, blob=blob_id(b"one\n"))
    new = Side(mode=Mode.FILE, blob=blob_id(b"ONE\n"))
    names = Names(temporary=".t", held=".h")
    disk = Disk(world.root, swap=lambda *_: False)
    try:
        assert disk.put("a.txt", new, b"ONE\n", old, names, lambda _: None)
        assert (world.root / "a.txt").read_bytes() == b"ONE\n"
        assert not disk.put("a.txt", old, b"one\n", old, names, lambda _: None)
        (world.root / ".h").write_text("left\n")
        assert not disk.settle("a.txt", (old,), names, lambda _: None)
        assert ((world.root / ".h").read_text(), (world.root / "a.txt").read_text()) == ("left\n", "ONE\n")
        assert not disk.put("a.txt", old, b"one\n", new, names, lambda _: None), "what is held is not overwritten"
        assert not disk.remove("a.txt", new, names, lambda _: None)
        assert ((world.root / ".h").read_text(), (world.root / "a.txt").read_text()) == ("left\n", "ONE\n")
    finally:
        disk.close()
    assert sorted(path.name for path in world.root.iterdir()) == [".git", ".h", "a.txt", "b.txt"]


def test_two_names_are_swapped_and_a_taken_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("1")
    (tmp_path / "folder").mkdir()
    before = picture(tmp_path)
    parent = os.open(tmp_path, os.O_RDONLY)
    try:
        assert exchange(parent, "file", "folder")
        assert picture(tmp_path) == {"file": before["folder"], "folder": before["file"]}
        with pytest.raises(FileNotFoundError):
            exchange(parent, "file", "missing")
        with pytest.raises(FileExistsError):
            take_free_name(parent, "folder", "file")
        assert take_free_name(parent, "folder", "free")
    finally:
        os.close(parent)
    assert sorted(picture(tmp_path)) == ["file", "free"]


def test_the_number_of_the_call_serves_an_old_library(tmp_path: Path) -> None:
    system = module._by_number(ctypes.CDLL(None, use_errno=True))
    assert system is not None, "this machine's number is in the table"
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    parent = os.open(tmp_path, os.O_RDONLY)
    try:
        assert system.rename(parent, b"one", parent, b"two", system.swap) == 0
        assert (tmp_path / "one").read_text() == "2"
        assert system.rename(parent, b"one", parent, b"two", system.free) == -1
        assert ctypes.get_errno() == errno.EEXIST
    finally:
        os.close(parent)
