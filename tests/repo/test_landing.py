"""A landing writes exactly its paths or nothing, and never over what somebody changed."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from repo_world import CLOCK, World, in_child, text

from benchdog.errors import Conflict, StoreError, UserError
from benchdog.repo import (
    Landing,
    Repository,
    abort_landing,
    apply_files,
    continue_landing,
    pending_journal,
    roll_back,
)
from benchdog.trees import Entry, Mode


class Stop(BaseException):
    """Stands for the end of the process: nothing catches it."""


def stop_at(repository: Repository, word: str, act: Callable[[], object] = lambda: None) -> None:
    """Ends the next landing when `word` is reached, after `act`."""

    def point(reached: str) -> None:
        if reached == word:
            repository.point = lambda _: None
            act()
            raise Stop(word)

    repository.point = point


def act_at(repository: Repository, word: str, act: Callable[[], object]) -> None:
    def point(reached: str) -> None:
        if reached == word:
            repository.point = lambda _: None
            act()

    repository.point = point


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write("a.txt", "one\n", 0o640)
    world.write("b.txt", "two\n")
    world.write("dir/c.txt", "three\n")
    world.write("own.txt", "theirs\n")
    world.commit()
    return world


GOAL = {
    "a.txt": text("ONE\n"),
    "b.txt": None,
    "dir/c.txt": text("three\n", Mode.EXECUTABLE),
    "new/d.txt": text("four\n"),
    "link": (Mode.SYMLINK, b"a.txt"),
}
PATHS = ("a.txt", "b.txt", "dir/c.txt", "link", "new/d.txt")


def trees(repository: Repository) -> tuple[str, str]:
    base = repository.snapshot().tree
    return base, repository.put(base, GOAL)


def test_exactly_the_changed_paths_are_written(world: World) -> None:
    before, own = world.picture(), world.own_git()
    with world.repository() as repository:
        base, goal = trees(repository)
        assert apply_files(repository, base, goal, "one", CLOCK) == Landing(paths=PATHS)
        assert pending_journal(repository) is None
        umask = os.umask(0)
        os.umask(umask)
        after = world.picture()
        assert after == {
            **{path: seen for path, seen in before.items() if path != "b.txt"},
            "a.txt": (stat.S_IFREG | 0o640, b"ONE\n"),
            "dir/c.txt": (before["dir/c.txt"][0] | 0o111, b"three\n"),
            "new": (stat.S_IFDIR | 0o777 & ~umask, b""),
            "new/d.txt": (stat.S_IFREG | 0o666 & ~umask, b"four\n"),
            "link": (stat.S_IFLNK | 0o777, b"a.txt"),
        }
        assert world.own_git() == own
        assert repository.snapshot().tree == goal
        roll_back(repository, "one", CLOCK)
        with pytest.raises(UserError, match="was taken back already"):
            roll_back(repository, "one", CLOCK)
        with pytest.raises(UserError, match="there is no landing 'two'"):
            roll_back(repository, "two", CLOCK)
        with pytest.raises(UserError, match="there is a landing 'one' already"):
            apply_files(repository, base, goal, "one", CLOCK)
        with pytest.raises(UserError, match="nothing to land"):
            apply_files(repository, base, base, "three", CLOCK)
    assert world.picture() == before
    assert world.own_git() == own


def change_content(root: Path) -> None:
    (root / "a.txt").write_text("mine\n")


def change_mode(root: Path) -> None:
    (root / "a.txt").chmod(0o755)


def change_to_symlink(root: Path) -> None:
    (root / "a.txt").rename(root / "moved")
    (root / "a.txt").symlink_to("moved")


def change_to_pipe(root: Path) -> None:
    (root / "a.txt").unlink()
    os.mkfifo(root / "a.txt")


def remove_it(root: Path) -> None:
    (root / "a.txt").unlink()


def make_it_a_directory(root: Path) -> None:
    (root / "a.txt").unlink()
    (root / "a.txt").mkdir()


@pytest.mark.parametrize(
    "change", [change_content, change_mode, change_to_symlink, change_to_pipe, remove_it, make_it_a_directory]
)
def test_what_changed_since_the_base_is_not_overwritten(world: World, change: Callable[[Path], None]) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
        change(world.root)
        before = world.picture()
        with pytest.raises(Conflict) as caught:
            apply_files(repository, base, goal, "one", CLOCK)
        assert caught.value.paths == ("a.txt",)
        assert world.picture() == before
        assert pending_journal(repository) is None


@pytest.mark.parametrize(
    ("path", "blocked"), [("link", "link"), ("new/d.txt", "new/d.txt"), ("new", "new/d.txt"), ("link/x", "link")]
)
def test_an_ignored_or_new_file_in_the_way_is_not_overwritten(world: World, path: str, blocked: str) -> None:
    world.write(".gitignore", "/link\n/new\n")
    with world.repository() as repository:
        base, goal = trees(repository)
        world.write(path, "precious\n")
        before = world.picture()
        with pytest.raises(Conflict) as caught:
            apply_files(repository, base, goal, "one", CLOCK)
        assert caught.value.paths == (blocked,)
        assert world.picture() == before


def test_nothing_is_written_through_a_symlinked_directory(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "c.txt").write_text("three\n")
    with world.repository() as repository:
        base, goal = trees(repository)
        (world.root / "dir/c.txt").unlink()
        (world.root / "dir").rmdir()
        (world.root / "dir").symlink_to(outside)
        (world.root / "new").symlink_to(outside)
        with pytest.raises(Conflict) as caught:
            apply_files(repository, base, goal, "one", CLOCK)
        assert caught.value.paths == ("dir/c.txt", "new/d.txt")
    assert [path.name for path in outside.iterdir()] == ["c.txt"]


def test_a_directory_that_holds_more_is_not_replaced_by_a_file(world: World) -> None:
    world.write(".gitignore", "*.log\n")
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"dir/c.txt": None, "dir": text("a file now\n")})
        world.write("dir/own.log", "precious\n")
        before = world.picture()
        with pytest.raises(Conflict, match="not empty") as caught:
            apply_files(repository, base, goal, "one", CLOCK)
        assert caught.value.paths == ("dir",)
        assert world.picture() == before


def test_a_file_changed_in_the_very_last_moment_is_kept_and_all_is_taken_back(world: World) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
        before = world.picture()
        act_at(repository, "refs", lambda: world.write("dir/c.txt", "mine\n"))
        with pytest.raises(Conflict, match="nothing was written") as caught:
            apply_files(repository, base, goal, "one", CLOCK)
        assert caught.value.paths == ("dir/c.txt",)
        assert world.picture() == before | {"dir/c.txt": (before["dir/c.txt"][0], b"mine\n")}
        assert pending_journal(repository) is None


def test_a_file_made_in_the_very_last_moment_is_kept(world: World) -> None:
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"new.txt": text("candidate\n")})
        before = world.picture()
        act_at(repository, "written", lambda: world.write("new.txt", "mine\n"))
        with pytest.raises(Conflict):
            apply_files(repository, base, goal, "one", CLOCK)
        assert world.picture() == before | {"new.txt": ((world.root / "new.txt").stat().st_mode, b"mine\n")}


def test_an_abort_keeps_what_was_edited_in_between_and_restores_the_rest(world: World) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
        before = world.picture()
        stop_at(repository, "synced")
        with pytest.raises(Stop):
            apply_files(repository, base, goal, "one", CLOCK)
        world.write("new/d.txt", "mine\n")
        world.write("a.txt", "mine too\n")
        journal = pending_journal(repository)
        assert journal is not None
        assert (journal.id, journal.rolling_back, journal.paths) == ("one", False, PATHS)
        with pytest.raises(UserError, match="was broken off"):
            apply_files(repository, base, goal, "two", CLOCK)
        with pytest.raises(UserError, match="was broken off"):
            roll_back(repository, "one", CLOCK)
        with pytest.raises(Conflict, match="left as they are") as caught:
            abort_landing(repository, journal)
        assert caught.value.paths == ("a.txt", "new/d.txt")
        assert pending_journal(repository) is None
        seen = world.picture()
        assert {path: seen[path][1] for path in ("a.txt", "new/d.txt")} == {
            "a.txt": b"mine too\n",
            "new/d.txt": b"mine\n",
        }
        assert {path: s for path, s in seen.items() if path not in ("a.txt", "new", "new/d.txt")} == {
            path: s for path, s in before.items() if path != "a.txt"
        }
        with pytest.raises(UserError, match="is not open any more"):
            abort_landing(repository, journal)


def test_a_continuation_keeps_what_was_edited_in_between_and_stays_open(world: World) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
        stop_at(repository, "begun")
        with pytest.raises(Stop):
            apply_files(repository, base, goal, "one", CLOCK)
        world.write("b.txt", "mine\n")
        journal = pending_journal(repository)
        assert journal is not None
        with pytest.raises(Conflict) as caught:
            continue_landing(repository, journal)
        assert caught.value.paths == ("b.txt",)
        assert (world.root / "a.txt").read_text() == "ONE\n"
        assert (world.root / "b.txt").read_text() == "mine\n"
        world.write("b.txt", "two\n")
        assert continue_landing(repository, journal) == Landing(paths=PATHS)
        assert repository.snapshot().tree == goal
        assert pending_journal(repository) is None


def test_a_roll_back_does_not_overwrite_later_work(world: World) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
        apply_files(repository, base, goal, "one", CLOCK)
        world.write("own.txt", "unrelated work goes on\n")
        world.write("a.txt", "ONE and more\n")
        landed = world.picture()
        with pytest.raises(Conflict) as caught:
            roll_back(repository, "one", CLOCK)
        assert caught.value.paths == ("a.txt",)
        assert world.picture() == landed
        world.write("a.txt", "ONE\n")
        roll_back(repository, "one", CLOCK)
        assert repository.snapshot().tree == repository.put(base, {"own.txt": text("unrelated work goes on\n")})


def test_a_roll_back_met_in_the_last_moment_leaves_it_landed(world: World) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
        apply_files(repository, base, goal, "one", CLOCK)
        landed = world.picture()
        act_at(repository, "refs", lambda: world.write("dir/c.txt", "mine\n"))
        with pytest.raises(Conflict):
            roll_back(repository, "one", CLOCK)
        assert world.picture() == landed | {"dir/c.txt": (landed["dir/c.txt"][0], b"mine\n")}
        assert pending_journal(repository) is None


def test_full_permission_bits_and_extended_attributes_stay(world: World) -> None:
    world.write("tool", "#!/bin/sh\n", 0o4750)
    try:
        os.setxattr(world.root / "tool", "user.note", b"mine")
        attributes = True
    except OSError:
        attributes = False  # the file system has none
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"tool": text("#!/bin/bash\n", Mode.EXECUTABLE)})
        apply_files(repository, base, goal, "one", CLOCK)
        assert stat.S_IMODE((world.root / "tool").stat().st_mode) == 0o4750
        assert (world.root / "tool").read_text() == "#!/bin/bash\n"
        assert not attributes or os.getxattr(world.root / "tool", "user.note") == b"mine"


def test_a_read_only_directory_is_told_before_anything_is_written(world: World) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
    (world.root / "dir").chmod(0o555)
    before = world.picture()

    def land() -> str:
        with world.repository() as repository:
            apply_files(repository, base, goal, "one", CLOCK)
        return "landed"

    status, said = in_child(land) if os.geteuid() else as_somebody(world, land)
    (world.root / "dir").chmod(0o755)
    assert status != 0
    assert said.startswith("UserError: cannot write in 'dir'"), said
    assert "nothing was written" in said
    assert world.picture() == before | {"dir": (stat.S_IFDIR | 0o755, b"")}


def as_somebody(world: World, act: Callable[[], str]) -> tuple[int, str]:
    """Root may write everywhere: the same in a process of somebody who may not, whom all of the world belongs to."""
    for place in (world.folder, *world.folder.rglob("*")):
        os.chown(place, 65534, 65534, follow_symlinks=False)

    def become_and_act() -> str:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        return act()

    closed = {above: above.stat().st_mode for above in world.folder.parents if not above.stat().st_mode & 0o001}
    try:
        for above, mode in closed.items():
            above.chmod(mode | 0o001)
        return in_child(become_and_act)
    finally:
        for above, mode in closed.items():
            above.chmod(mode)


def test_a_disk_that_fills_half_way_takes_all_back(world: World) -> None:
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.put(base, {"a.txt": text("ONE\n"), "z.bin": (Mode.FILE, b"x" * 200_000)})
    before = world.picture()

    def land_on_a_full_disk() -> str:
        with world.repository() as repository:
            limits = (100_000, resource.RLIM_INFINITY)
            act_at(repository, "begun", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
            apply_files(repository, base, goal, "one", CLOCK)
        return "landed"

    status, said = in_child(land_on_a_full_disk)
    assert status != 0
    assert said.startswith("HostError: cannot write"), said
    assert "nothing was changed" in said
    assert world.picture() == before
    with world.repository() as repository:
        assert pending_journal(repository) is None


def test_a_store_on_a_full_disk_is_a_clear_error_and_works_again(world: World) -> None:
    world.write("big.bin", os.urandom(300_000))

    def snapshot_on_a_full_disk() -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        with world.repository() as repository:
            repository.snapshot()
        return "taken"

    status, said = in_child(snapshot_on_a_full_disk)
    assert status != 0
    assert said.startswith("StoreError: benchdog's object store cannot take in files"), said
    with world.repository() as repository:
        assert not list((repository.place / "store.git/objects/pack").glob("tmp_*"))
        assert repository.snapshot().files == 5


def test_a_state_directory_that_cannot_be_made_is_a_clear_error(world: World) -> None:
    world.state.write_text("a file")
    with world.repository() as repository, pytest.raises(StoreError, match="cannot make") as caught:
        repository.snapshot()
    assert caught.value.hint == "set XDG_STATE_HOME to a directory that can be written"


def test_two_landings_at_once_are_refused(world: World) -> None:
    with world.repository() as repository, world.repository() as other:
        base, goal = trees(repository)
        refused: list[str] = []

        def try_too() -> None:
            with pytest.raises(UserError, match="another benchdog is landing") as caught:
                apply_files(other, base, goal, "two", CLOCK)
            refused.append(caught.value.message)

        act_at(repository, "journal", try_too)
        apply_files(repository, base, goal, "one", CLOCK)
        assert len(refused) == 1
        assert repository.snapshot().tree == goal


def test_a_damaged_journal_is_an_error_and_nothing_moves(world: World) -> None:
    with world.repository() as repository:
        base, goal = trees(repository)
        apply_files(repository, base, goal, "one", CLOCK)
        landed = world.picture()
        place = repository.place / "journals/one/journal.json"
        place.write_bytes(place.read_bytes()[:-5])
        with pytest.raises(StoreError, match="does not read"):
            roll_back(repository, "one", CLOCK)
        assert world.picture() == landed


def test_submodules_do_not_land(world: World) -> None:
    with world.repository() as repository:
        base = repository.snapshot().tree
        goal = repository.store.edited(base, {"sub": Entry(Mode.SUBMODULE, "1" * 40)})
        with pytest.raises(UserError, match="does not change submodules"):
            apply_files(repository, base, goal, "one", CLOCK)
