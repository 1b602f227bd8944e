"""What a killed commit or merge leaves in benchdog's place goes when the next one begins, and no sooner."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from repo_world import CLOCK, World, in_child, text

from benchdog.repo import Merged, Repository, apply_commit, merge
from benchdog.system.folders import own_folder


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write("a.txt", "one\ntwo\nthree\nfour\nfive\n")
    world.commit()
    return world


def commit(repository: Repository) -> None:
    base = repository.snapshot().tree
    goal = repository.put(base, {"a.txt": text("ONE\n")})
    apply_commit(repository, base, goal, "one", how="branch", name="fix", message="x", clock=CLOCK)


def merged(repository: Repository) -> None:
    base = repository.snapshot().tree
    one = repository.put(base, {"a.txt": text("ONE\ntwo\nthree\nfour\nfive\n")})
    other = repository.put(base, {"a.txt": text("one\ntwo\nthree\nfour\nFIVE\n")})
    assert isinstance(merge(repository, base, one, other), Merged)


def killed(world: World, act: Callable[[Repository], None], command: str) -> None:
    """Runs `act` in a process that is killed when it is about to start this git command."""

    def child() -> str:
        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if event == "subprocess.Popen" and command in str(arguments[1]):
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        with world.repository() as repository:
            act(repository)
        return ""

    assert os.WIFSIGNALED(in_child(child)[0])


@pytest.mark.parametrize(("act", "command"), [(commit, "update-index"), (merged, "merge-file")])
def test_what_a_killed_process_leaves_goes_with_the_next(
    world: World, act: Callable[[Repository], None], command: str
) -> None:
    killed(world, act, command)
    with world.repository() as repository:
        (left,) = repository.workbenches.iterdir()
        with own_folder(repository.workbenches) as mine:
            assert not left.exists()
            act(repository)
            assert mine.is_dir(), "its owner lives"
        assert not repository.workbenches.exists()
        named = {path.name for path in repository.place.iterdir()}
        assert named <= {"root", "store.git", "store.lock", "landing.lock", "journals", "snapshot.index", "stamp"}, (
            named
        )
