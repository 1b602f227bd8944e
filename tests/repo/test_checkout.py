"""A checkout is exactly its tree, whatever was left in its directory; a harvest trusts nothing that lies there."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from repo_world import World, files_of, picture, text

from benchdog.errors import StoreError, UserError
from benchdog.repo import Checkout, Repository
from benchdog.trees import Mode

FILES = {
    "a.txt": text("one\n"),
    "run.sh": text("#!/bin/sh\n", Mode.EXECUTABLE),
    "dir/b.txt": text("two\n"),
    "dir/deep/c.txt": text("three\n"),
    "link": (Mode.SYMLINK, b"a.txt"),
}
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def checked_out(checkout: Checkout) -> dict[str, tuple[int, bytes]]:
    return picture(checkout.path)


EXPECTED = {
    "a.txt": (stat.S_IFREG | 0o644, b"one\n"),
    "run.sh": (stat.S_IFREG | 0o755, b"#!/bin/sh\n"),
    "dir": (stat.S_IFDIR | 0o755, b""),
    "dir/b.txt": (stat.S_IFREG | 0o644, b"two\n"),
    "dir/deep": (stat.S_IFDIR | 0o755, b""),
    "dir/deep/c.txt": (stat.S_IFREG | 0o644, b"three\n"),
    "link": (stat.S_IFLNK | 0o777, b"a.txt"),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def base_of(repository: Repository) -> str:
    return repository.put(EMPTY, FILES)


def test_a_checkout_is_exactly_its_tree_whatever_the_umask(world: World) -> None:
    before = os.umask(0o077)
    try:
        with world.repository() as repository, repository.checkout(base_of(repository)) as checkout:
            assert checked_out(checkout) == EXPECTED
            assert checkout.tree == base_of(repository)
            assert checkout.paths() == sorted(FILES)
            assert checkout.harvest().tree == checkout.tree
    finally:
        os.umask(before)


def test_what_was_written_is_harvested_both_ways(world: World) -> None:
    with world.repository() as repository, repository.checkout(base_of(repository)) as checkout:
        checkout.write("a.txt", b"ONE\n")
        checkout.write("run.sh", b"#!/bin/bash\n")
        checkout.write("new/er/file.txt", b"new\n")
        checkout.remove("dir/deep/c.txt")
        assert checkout.read("a.txt") == b"ONE\n"
        assert checkout.paths() == ["a.txt", "dir/b.txt", "link", "new/er/file.txt", "run.sh"]
        fast = checkout.harvest_written()
        expected = {
            "a.txt": text("ONE\n"),
            "run.sh": text("#!/bin/bash\n", Mode.EXECUTABLE),
            "dir/b.txt": text("two\n"),
            "new/er/file.txt": text("new\n"),
            "link": (Mode.SYMLINK, b"a.txt"),
        }
        assert files_of(repository, fast.tree) == expected
        assert checkout.harvest() == fast
        assert checkout.harvest_written() == fast
        assert not (checkout.path / "dir/deep").exists()
        checkout.write("a.txt", b"one\n")
        assert files_of(repository, checkout.harvest_written().tree) == expected | {"a.txt": text("one\n")}


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "..", "/etc/passwd", "a/../../x", "a//b", "a/", "./a", "nul\0"),
        *(".git/config", "dir/.GIT/hooks/x", "git~1/x", ".git ./x", ".g\u200cit/config", ".git::$INDEX_ALLOCATION/x"),
        *("link/x", "out/passwd", "a.txt/x"),
    ],
)
def test_a_path_that_leaves_the_tree_is_refused(world: World, path: str) -> None:
    files = {**FILES, "out": (Mode.SYMLINK, b"/etc")}
    with world.repository() as repository, repository.checkout(repository.put(EMPTY, files)) as checkout:
        for act in (checkout.read, checkout.remove, lambda path: checkout.write(path, b"x")):
            with pytest.raises(UserError):
                act(path)
        assert checkout.harvest_written().tree == checkout.harvest().tree == repository.put(EMPTY, files)


def test_a_symlink_is_neither_read_nor_written_through(world: World, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("secret")
    files = {"out": (Mode.SYMLINK, os.fsencode(target)), "dir/x": text("x")}
    with world.repository() as repository, repository.checkout(repository.put(EMPTY, files)) as checkout:
        assert checkout.read("out") is None
        with pytest.raises(UserError, match="not a regular file"):
            checkout.write("out", b"gone")
        with pytest.raises(UserError, match="not a regular file"):
            checkout.write("dir", b"gone")
        assert checkout.read("dir") is None
        assert checkout.read("nowhere/at/all") is None
        checkout.remove("out")
        checkout.write("out", b"a file now")
        assert files_of(repository, checkout.harvest().tree) == {"out": text("a file now"), "dir/x": text("x")}
    assert target.read_text() == "secret"


def test_a_harvest_refuses_what_is_no_file_and_never_waits_for_it(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with world.repository() as repository, repository.checkout(base_of(repository)) as checkout:
        root = checkout.path
        os.mkfifo(root / "fifo")
        with socket.socket(socket.AF_UNIX) as server:
            here = Path.cwd()
            os.chdir(root)  # an address of a socket is short
            server.bind("socket")
            os.chdir(here)
        (root / ".git").mkdir()
        (root / ".git/config").write_text("[core]\n\tfsmonitor = touch /tmp/owned\n")
        (root / "dir/.GIT").write_text("gitdir: /elsewhere\n")
        (root / "dir/.gitignore").write_text("*\n")
        (root / "a.txt").unlink()
        os.mkfifo(root / "a.txt")
        (root / "dir/deep").rename(root / "moved")
        (root / "dir/deep").symlink_to(tmp_path)
        (root / "stolen").symlink_to(secret)
        harvest = checkout.harvest()
        assert harvest.reasons == {
            ".git": "a git directory",
            "a.txt": "is neither a file nor a symlink",
            "dir/.GIT": "a git directory",
            "fifo": "is neither a file nor a symlink",
            "socket": "is neither a file nor a symlink",
        }
        assert harvest.refused == tuple(harvest.reasons)
        assert files_of(repository, harvest.tree) == {
            "run.sh": FILES["run.sh"],
            "dir/b.txt": text("two\n"),
            "dir/.gitignore": text("*\n"),
            "dir/deep": (Mode.SYMLINK, os.fsencode(tmp_path)),
            "moved/c.txt": text("three\n"),
            "link": (Mode.SYMLINK, b"a.txt"),
            "stolen": (Mode.SYMLINK, os.fsencode(secret)),
        }
        checkout.reset(base_of(repository))
        assert checked_out(checkout) == EXPECTED
    assert secret.read_text() == "secret"


def test_a_forged_time_does_not_hide_a_change(world: World) -> None:
    with world.repository() as repository, repository.checkout(base_of(repository)) as checkout:
        place = checkout.path / "a.txt"
        status = place.stat()
        with place.open("r+b") as file:  # the same inode, size and mtime
            file.write(b"two\n")
        os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
        harvest = checkout.harvest()
        assert files_of(repository, harvest.tree) == FILES | {"a.txt": text("two\n")}
        with place.open("r+b") as file:
            file.write(b"six\n")
        os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
        checkout.reset(base_of(repository))
        assert checked_out(checkout) == EXPECTED


def leave_extra_files(root: Path, outside: Path) -> None:
    (root / "extra").write_text("x")
    (root / "dir/deep/extra").write_text("x")
    (root / "more/and/more").mkdir(parents=True)
    (root / "more/and/more/x").write_text("x")


def leave_locked_directories(root: Path, outside: Path) -> None:
    (root / "locked/inner").mkdir(parents=True)
    (root / "locked/inner/x").write_text("x")
    (root / "locked/inner").chmod(0)
    (root / "locked").chmod(0)
    (root / "dir/deep").chmod(0)
    (root / "dir").chmod(0o2000)
    (root / "a.txt").chmod(0)


def leave_swapped_kinds(root: Path, outside: Path) -> None:
    (root / "a.txt").unlink()
    (root / "a.txt").mkdir()
    (root / "a.txt/x").write_text("x")
    (root / "dir/b.txt").unlink()
    os.mkfifo(root / "dir/b.txt")
    (root / "dir/deep/c.txt").unlink()
    (root / "dir/deep").rmdir()
    (root / "dir/deep").symlink_to(outside)
    (root / "link").unlink()
    (root / "link").write_text("a.txt")
    (root / "run.sh").chmod(0o4777)


def leave_hard_links(root: Path, outside: Path) -> None:
    (root / "run.sh").unlink()
    os.link(root / "a.txt", root / "run.sh")
    os.link(root / "a.txt", root / "dir/other")


def leave_git(root: Path, outside: Path) -> None:
    for place in (root / ".git", root / "dir/.git", root / "new/.Git"):
        (place / "hooks").mkdir(parents=True)
        (place / "config").write_text("[core]\n\tfsmonitor = false\n")
    (root / "dir/deep/.git").write_text("gitdir: /elsewhere\n")


def leave_depth(root: Path, outside: Path) -> None:
    here = Path.cwd()
    os.chdir(root)
    try:
        for _ in range(400):
            Path("a-rather-long-name-for-a-directory").mkdir()
            os.chdir("a-rather-long-name-for-a-directory")
        Path("x").write_text("x")
    finally:
        os.chdir(here)


def leave_no_tree(root: Path, outside: Path) -> None:
    root.rename(root.with_name("away"))
    root.symlink_to(outside)


def leave_nothing_readable(root: Path, outside: Path) -> None:
    root.chmod(0)


@pytest.mark.parametrize(
    "leave",
    [
        leave_extra_files,
        leave_locked_directories,
        leave_swapped_kinds,
        leave_hard_links,
        leave_git,
        leave_depth,
        leave_no_tree,
        leave_nothing_readable,
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_hostile_leftovers_are_undone(world: World, tmp_path: Path, leave: object, at_once: bool) -> None:
    assert callable(leave)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "c.txt").write_text("theirs")
    with world.repository() as repository:
        base = base_of(repository)
        with repository.checkout(base) as checkout:
            leave(checkout.path, outside)
            if at_once:
                checkout.reset(base)
                assert checked_out(checkout) == EXPECTED
        with repository.checkout(base) as checkout:
            assert checked_out(checkout) == EXPECTED
            assert checkout.harvest().tree == base
    assert picture(outside) == {"c.txt": (stat.S_IFREG | 0o644, b"theirs")}


def test_a_pooled_directory_is_kept_where_it_is_right(world: World) -> None:
    with world.repository() as repository:
        base = base_of(repository)
        with repository.checkout(base) as checkout:
            place = checkout.path
            before = {path: (place / path).lstat().st_ino for path in FILES}
        with repository.checkout(base) as checkout:
            assert checkout.path == place
            assert {path: (place / path).lstat().st_ino for path in FILES if path != "link"} == {
                path: inode for path, inode in before.items() if path != "link"
            }


def test_a_damaged_index_of_the_pool_is_no_index(world: World) -> None:
    with world.repository() as repository:
        base = base_of(repository)
        with repository.checkout(base) as checkout:
            index = checkout.path.parent / "index"
        index.write_bytes(index.read_bytes()[:-3])
        with repository.checkout(base) as checkout:
            assert checked_out(checkout) == EXPECTED


def test_two_checkouts_at_once_are_two_directories(world: World) -> None:
    with world.repository() as repository, world.repository() as other:
        base = base_of(repository)
        changed = repository.put(base, {"a.txt": text("changed\n")})
        with repository.checkout(base) as first, other.checkout(changed) as second:
            assert first.path != second.path
            assert first.read("a.txt") == b"one\n"
            assert second.read("a.txt") == b"changed\n"


def test_directories_and_files_change_places(world: World) -> None:
    with world.repository() as repository:
        base = repository.put(EMPTY, {"x": text("file\n"), "y/z": text("inner\n")})
        swapped = repository.put(base, {"x": None, "y/z": None, "x/z": text("inner\n"), "y": text("file\n")})
        assert set(files_of(repository, swapped)) == {"x/z", "y"}
        with repository.checkout(base) as checkout:
            for tree in (swapped, base, EMPTY, swapped, EMPTY):
                checkout.reset(tree)
                assert checkout.harvest().tree == tree
            assert list(checkout.path.iterdir()) == []


def test_a_file_of_100_mb_survives(world: World) -> None:
    size = 100 * 1024**2
    with (world.root / "model.bin").open("wb") as file:
        file.truncate(size)
        file.seek(size - 4)
        file.write(b"tail")
    world.git("config", "core.compression", "0")
    world.commit()
    with world.repository() as repository:
        base = repository.snapshot()
        with repository.checkout(base.tree) as checkout:
            copy = checkout.path / "model.bin"
            assert copy.stat().st_size == size
            with copy.open("rb") as file:
                file.seek(size - 8)
                assert file.read() == b"\0\0\0\0tail"
            os.utime(copy)
            assert checkout.harvest().tree == base.tree
        blob = repository.view(base.tree).entries["model.bin"].blob
    assert blob == world.git("rev-parse", "HEAD:model.bin")


def test_a_file_larger_than_is_taken_in_is_refused(world: World) -> None:
    with world.repository() as repository, repository.checkout(base_of(repository)) as checkout:
        with (checkout.path / "sparse").open("wb") as file:
            file.truncate(1024**4)
        harvest = checkout.harvest()
        assert harvest.reasons == {"sparse": "is larger than benchdog takes in"}
        assert harvest.tree == base_of(repository)


def test_a_tree_that_does_not_exist_is_an_error(world: World) -> None:
    with world.repository() as repository:
        with pytest.raises(StoreError, match="is not in the object store"):
            repository.view("1" * 40)
        with pytest.raises(StoreError), repository.checkout("1" * 40):
            pass
        with pytest.raises(StoreError):
            repository.changes(EMPTY, "1" * 40)
        with pytest.raises(StoreError):
            repository.put("1" * 40, {"a": text("x")})
        assert files_of(repository, base_of(repository)) == FILES


@pytest.mark.parametrize("path", ["../x", "/x", "a/.git/config", ""])
def test_a_tree_holds_no_unsafe_path(world: World, path: str) -> None:
    with world.repository() as repository, pytest.raises(UserError, match="the path"):
        repository.put(EMPTY, {path: text("x")})
