from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from benchdog.errors import StoreError
from benchdog.system.files import locked, remove_tree, write_durably


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_writing_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    for data in (b"first", b"", b"x" * 3_000_000):
        write_durably(path, data)
        assert path.read_bytes() == data
    assert names(path.parent) == ["file"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_durably(path, b"data", mode=0o644)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"data", 0o644)


def test_what_cannot_be_written_stays_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(StoreError) as caught:
        write_durably(tmp_path / "place", b"data")
    assert caught.value.message.startswith(f"cannot write {tmp_path / 'place'}: ")
    assert names(tmp_path) == ["place"]
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(StoreError):
        write_durably(tmp_path / "file" / "below", b"data")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_lock_excludes_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "lock"
    with locked(path) as first, locked(path, wait=False) as second:
        assert (first, second) == (True, False)
    with locked(path, wait=False) as third:
        assert third


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", list[str]()

    def second() -> None:
        with locked(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(path):
        thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_an_error_inside_a_lock_passes(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), locked(tmp_path / "lock"):
        raise BlockingIOError


def test_a_hostile_tree_is_removed(tmp_path: Path) -> None:
    """Depths beyond any path length, directories without rights, links out, pipes, names of any bytes."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "dangling").symlink_to("/no/such/place")
    os.mkfifo(root / "pipe")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\n")).write_text("odd")
    closed = root / "closed" / "inner"
    closed.mkdir(parents=True)
    (closed / "file").write_text("x")
    closed.chmod(0)
    closed.parent.chmod(0)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(1500):
        os.mkdir("d" * 200, dir_fd=descriptor)
        below = os.open("d" * 200, os.O_RDONLY | os.O_DIRECTORY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    remove_tree(root)
    assert names(tmp_path) == ["outside"]
    assert (outside / "kept").read_text() == "kept"


def test_removing_what_is_no_directory_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to("target")
    remove_tree(tmp_path / "link")
    remove_tree(tmp_path / "nothing")
    assert names(tmp_path) == ["target"]


def test_what_cannot_be_removed_is_named() -> None:
    with pytest.raises(StoreError) as caught:
        remove_tree(Path("/proc/self/fd"))
    assert caught.value.message.startswith("cannot remove /proc/self/fd: ")
