"""Whoever was killed between a journal's end and its own record learns from the journal what really happened."""

from __future__ import annotations

from pathlib import Path

import pytest
from repo_world import CLOCK, World, text

from benchdog.errors import Conflict
from benchdog.repo import (
    Landing,
    Undone,
    apply_commit,
    apply_files,
    continue_landing,
    journal_state,
    landing_of,
    pending_journal,
    roll_back,
    undone_of,
)


class Stop(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write("a.txt", "one\n")
    world.commit()
    return world


def test_each_state_is_told(world: World) -> None:
    def stop(reached: str) -> None:
        if reached == "refs":
            raise Stop

    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"a.txt": text("ONE\n")})
        seen = [(journal_state(repository, "one"), landing_of(repository, "one"), undone_of(repository, "one"))]

        def look() -> None:
            seen.append((journal_state(repository, "one"), landing_of(repository, "one"), undone_of(repository, "one")))

        repository.point = stop
        with pytest.raises(Stop):
            apply_files(repository, base, goal, "one", CLOCK)
        look()
        repository.point = lambda _: None
        pending = pending_journal(repository)
        assert pending is not None
        continue_landing(repository, pending)
        look()
        repository.point = stop
        with pytest.raises(Stop):
            roll_back(repository, "one", CLOCK)
        look()
        repository.point = lambda _: None
        roll_back(repository, "one", CLOCK)
        look()
    landed = Landing(paths=("a.txt",))
    assert seen == [
        (None, None, None),
        ("landing", None, None),
        ("landed", landed, None),
        ("rolling back", None, None),
        ("rolled back", landed, Undone(paths=("a.txt",))),
    ]


def test_an_aborted_landing_did_not_land(world: World) -> None:
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"a.txt": text("ONE\n")})

        def change(reached: str) -> None:
            if reached == "begun":
                world.write("a.txt", "mine\n")

        repository.point = change
        with pytest.raises(Conflict):
            apply_files(repository, base, goal, "one", CLOCK)
        assert (journal_state(repository, "one"), landing_of(repository, "one")) == ("aborted", None)


def test_a_commit_and_the_one_that_reverts_it_are_told(world: World) -> None:
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"a.txt": text("ONE\n")})
        landing = apply_commit(repository, base, goal, "one", how="commit", message="x", clock=CLOCK)
        assert landing_of(repository, "one") == landing
        assert landing.commit == world.git("rev-parse", "HEAD")
        world.write("b.txt", "more\n")
        world.commit()

        def stop(reached: str) -> None:
            if reached == "refs":
                raise Stop

        repository.point = stop
        with pytest.raises(Stop):
            roll_back(repository, "one", CLOCK)
        repository.point = lambda _: None
        pending = pending_journal(repository)
        assert pending is not None
        continue_landing(repository, pending)
        undone = undone_of(repository, "one")
        assert undone is not None
        assert (undone.paths, undone.commit) == (("a.txt",), world.git("rev-parse", "HEAD"))
        assert undone.commit != landing.commit
        assert pending_journal(repository) is None
