"""Killed at any instant of a landing or a roll-back, the person's tree is wholly before, wholly after, or is brought to
either from the journal, byte for byte. The killing is real: SIGKILL in a process of its own."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from repo_world import CLOCK, Picture, World, in_child, text

from benchdog.errors import Conflict
from benchdog.repo import (
    Repository,
    abort_landing,
    apply_commit,
    apply_files,
    continue_landing,
    pending_journal,
    roll_back,
)
from benchdog.trees import Mode

GOAL = {
    "a.txt": text("ONE\n"),
    "gone/only.txt": None,
    "tool": text("#!/bin/sh\n", Mode.EXECUTABLE),
    "to-directory": None,
    "to-directory/inner": text("inner\n"),
    "to-file/inner": None,
    "to-file": text("a file now\n"),
    "new/er/x": text("new\n"),
    "link": (Mode.SYMLINK, b"new/er/x"),
}
Seen = tuple[Picture, str, str, str]


class Scene:
    """A tree, the tree that is to land, and what the person sees before and after."""

    def __init__(self, folder: Path, how: str) -> None:
        self.world = World(folder)
        self.how = how
        self.number = 0
        for path, mode in (("a.txt", 0o640), ("tool", 0o700), ("to-directory", 0o600), ("unrelated", 0o644)):
            self.world.write(path, f"{path}\n", mode & ~0o100)
        self.world.write("gone/only.txt", "x\n")
        (self.world.root / "gone").chmod(0o750)
        self.world.write("to-file/inner", "inner\n")
        self.world.commit()
        with self.world.repository() as repository:
            self.base = repository.snapshot().tree
            self.goal = repository.put(self.base, GOAL)
        self.before = self.see()
        self.after = self.before

    def see(self) -> Seen:
        world = self.world
        return (
            world.picture(),
            world.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"),
            world.git("ls-files", "--stage"),
            world.git("stash", "list"),
        )

    def land(self, repository: Repository) -> None:
        if self.how == "files":
            apply_files(repository, self.base, self.goal, self.id, CLOCK)
        else:
            apply_commit(repository, self.base, self.goal, self.id, how=self.how, name="fix", message="x", clock=CLOCK)

    def back(self, repository: Repository) -> None:
        roll_back(repository, self.id, CLOCK)

    @property
    def id(self) -> str:
        return f"{self.how}-{self.number}"

    def killed(self, act: Callable[[Repository], None], prepare: Callable[[Repository], None]) -> bool:
        """Runs `act` in a process that `prepare` has made ready to be killed."""

        def child() -> str:
            with self.world.repository() as repository:
                prepare(repository)
                act(repository)
                signal.setitimer(signal.ITIMER_REAL, 0)
            return ""

        status, said = in_child(child)
        assert os.WIFSIGNALED(status) or status == 0, said
        return os.WIFSIGNALED(status)

    def calls_of(self, act: Callable[[Repository], None]) -> int:
        """How many calls to the system `act` makes."""
        last = [0]

        def child() -> str:
            with self.world.repository() as repository:
                on_calls(lambda number: last.__setitem__(0, number))(repository)
                act(repository)
                return str(last[0])

        return int(in_child(child)[1])

    def recover(self, *, forward: bool) -> None:
        """Brings everything to one side, whichever the killed process left."""
        with self.world.repository() as repository:
            pending = pending_journal(repository)
            if pending is not None and forward is pending.rolling_back:
                abort_landing(repository, pending)
            elif pending is not None:
                continue_landing(repository, pending)
            assert pending_journal(repository) is None
            now = self.see()
            if (pending is None and now != self.before) or (pending is not None and forward):
                self.after_is(now)
            else:
                assert now == self.before

    def after_is(self, now: Seen) -> None:
        """A commit's id differs from try to try by its date: refs and entries are compared by what they hold."""
        assert now[0] == self.after[0]
        assert now[2:] == self.after[2:]
        assert now[1] != self.before[1] or self.how == "files"

    def go_before(self) -> None:
        """From wherever it is, to the state before, by the ordinary commands."""
        with self.world.repository() as repository:
            assert pending_journal(repository) is None
            if self.see() != self.before:
                self.back(repository)
        assert self.see() == self.before

    def go_after(self) -> None:
        if self.see() == self.before:
            self.number += 1
            with self.world.repository() as repository:
                self.land(repository)


CALLS = frozenset(
    ["open", "os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "subprocess.Popen"]
)


def on_calls(act: Callable[[int], object]) -> Callable[[Repository], None]:
    """Calls `act` with a running number before each call to the system that opens, names, moves or starts something,
    from where the journal is complete; and at each point, for the calls that Python does not tell of."""

    def prepare(repository: Repository) -> None:
        numbers = count(1)
        armed: list[str] = []

        def hook(event: str, _: object) -> None:
            if event in CALLS:
                act(next(numbers))

        def point(reached: str) -> None:
            if not armed:
                armed.append(reached)
                sys.addaudithook(hook)
            act(next(numbers))

        repository.point = point

    return prepare


def kill_at(number: int) -> Callable[[Repository], None]:
    return on_calls(lambda now: os.kill(os.getpid(), signal.SIGKILL) if now == number else None)


def some_of(calls: int, seed: str) -> list[int]:
    """All calls in a thorough run, else one in each twenty, another one each."""
    stride = 1 if settings().max_examples > 500 else 20
    chance = random.Random(seed)
    return [min(calls, number + chance.randrange(stride)) for number in range(1, calls + 1, stride)]


def kill_after(seconds: float) -> Callable[[Repository], None]:
    """The timer's signal is not caught: it ends the process wherever it is."""

    def prepare(_: Repository) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    return prepare


@pytest.fixture(params=["files", "commit", "branch"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    scene = Scene(tmp_path, request.param)
    scene.go_after()
    scene.after = scene.see()
    scene.go_before()
    return scene


def test_a_landing_killed_at_any_call(scene: Scene) -> None:
    scene.number += 1
    calls = scene.calls_of(scene.land)
    scene.go_before()
    assert calls > {"files": 60, "commit": 60, "branch": 5}[scene.how]
    for number in some_of(calls, f"land {scene.how}"):
        scene.number += 1
        assert scene.killed(scene.land, kill_at(number))
        each_path_is_before_or_after(scene)
        scene.recover(forward=number % 2 == 0)
        scene.go_before()


def test_a_roll_back_killed_at_any_call(scene: Scene) -> None:
    scene.go_after()
    calls = scene.calls_of(scene.back)
    assert calls > {"files": 60, "commit": 60, "branch": 5}[scene.how]
    for number in some_of(calls, f"back {scene.how}"):
        scene.go_after()
        assert scene.killed(scene.back, kill_at(number))
        each_path_is_before_or_after(scene)
        scene.recover(forward=number % 2 == 0)


def test_killed_at_random_instants(scene: Scene) -> None:
    chance = random.Random(scene.how)
    for _ in range(200 if settings().max_examples > 500 else 8):
        scene.number += 1
        scene.killed(scene.land, kill_after(chance.uniform(0.001, 0.06)))
        each_path_is_before_or_after(scene)
        scene.recover(forward=chance.random() < 0.5)
        if scene.see() != scene.before:
            scene.killed(scene.back, kill_after(chance.uniform(0.001, 0.04)))
            each_path_is_before_or_after(scene)
            scene.recover(forward=chance.random() < 0.5)
        scene.go_before()


def each_path_is_before_or_after(scene: Scene) -> None:
    """No path is ever half-written, or neither; only benchdog's own temporary names may be left beside."""
    now = scene.world.picture()
    for path in {*now, *scene.before[0], *scene.after[0]}:
        if Path(path).name.startswith(".benchdog-"):
            continue
        seen = now.get(path)
        assert seen in (scene.before[0].get(path), scene.after[0].get(path), None) or path == "gone", path
    assert now["unrelated"] == scene.before[0]["unrelated"]


def test_what_the_person_does_after_the_kill_is_never_overwritten(scene: Scene) -> None:
    world = scene.world
    for number in range(30, 60, 10) if scene.how != "branch" else ():  # a branch writes no files
        scene.number += 1
        assert scene.killed(scene.land, kill_at(number))
        world.write("a.txt", "precious\n")
        world.write("new/own.txt", "precious too\n")
        with world.repository() as repository:
            pending = pending_journal(repository)
            assert pending is not None
            with pytest.raises(Conflict) as caught:
                abort_landing(repository, pending)
            assert caught.value.paths == ("a.txt",)
        now = world.picture()
        assert (now["a.txt"][1], now["new/own.txt"][1]) == (b"precious\n", b"precious too\n")
        (world.root / "new/own.txt").unlink()
        (world.root / "new").rmdir()
        world.write("a.txt", "a.txt\n", 0o640)
        assert scene.see() == scene.before
