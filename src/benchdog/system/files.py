"""Durable writes and locks: written under a temporary name, fsynced, renamed; cleaned up whatever happens."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from benchdog.errors import StoreError
from benchdog.system.randomness import new_id

_LOOK_AGAIN = 0.02  # seconds between two looks at a lock


def write_durably(path: Path, data: bytes, mode: int = 0o600) -> None:
    """`path` holds `data` after this returns, a crash at any instant included; before, its old content.

    Raises StoreError (no space, no permission).
    """
    temporary = path.with_name(f".{path.name[:100]}.{new_id()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}", hint=_hint(error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_all(descriptor: int, data: bytes) -> None:
    """All of `data`, however many writes that takes. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_directory(directory: Path) -> None:
    """Makes the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_regular(path: Path) -> BinaryIO | None:
    """A regular file for reading; None where it is anything else or cannot be opened. Never follows, never blocks."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def remove_tree(root: Path) -> None:
    """Removes a directory and everything below it, whatever its depth and modes; links are never followed.

    Nothing may be writing in it any more. Raises StoreError where something stays.
    """
    # Every directory found is first moved up beside the others: constant descriptors and no long paths at any depth.
    try:
        if not stat.S_ISDIR(root.lstat().st_mode):
            root.unlink()
            return
        root.chmod(0o700)
        top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            while _flatten(top):
                pass
        finally:
            os.close(top)
        root.rmdir()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot remove {root}: {error.strerror or error}") from error


def _flatten(top: int) -> bool:
    """Removes the files of each directory in `top` and moves its directories into `top`; False when all are gone."""
    names = os.listdir(top)
    for name in names:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
            os.unlink(name, dir_fd=top)
            continue
        os.chmod(name, 0o700, dir_fd=top)
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
        try:
            for below in os.listdir(inner):
                _unlink_or_lift(below, inner, top)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)
    return bool(names)


def _unlink_or_lift(name: str, directory: int, top: int) -> None:
    if not stat.S_ISDIR(os.lstat(name, dir_fd=directory).st_mode):
        os.unlink(name, dir_fd=directory)
        return
    os.chmod(name, 0o700, dir_fd=directory)  # without it, a directory that may not be written cannot be moved
    try:
        os.rmdir(name, dir_fd=directory)
    except OSError:
        os.rename(name, f".removing-{new_id(16)}", src_dir_fd=directory, dst_dir_fd=top)


@contextmanager
def locked(path: Path, *, wait: bool = True, patience: float = 0.0) -> Iterator[bool]:
    """Holds an exclusive lock on a file for the block; yields False where it is held elsewhere and `wait` is False.

    The lock is the kernel's (flock): it ends with the process, however that ends. A child of a killed process that is
    just being started holds it for an instant longer: `patience` is how many seconds that may take.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror or error}", hint=_hint(error)) from error
    try:
        yield _flock(descriptor, wait=wait, patience=patience)
    finally:
        os.close(descriptor)


def _flock(descriptor: int, *, wait: bool, patience: float) -> bool:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_LOOK_AGAIN)
        else:
            return True


def _hint(error: OSError) -> str | None:
    if error.errno == 28:  # ENOSPC
        return "free some space and run `benchdog resume`; nothing that was recorded is lost"
    if error.errno in (1, 13, 30):  # EPERM, EACCES, EROFS
        return "set XDG_STATE_HOME to a directory that can be written"
    return None
