"""Durable writes and locks: written under a temporary name, fsynced, renamed; cleaned up whatever happens."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchdog.errors import StoreError
from benchdog.system.randomness import new_id


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


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Holds an exclusive lock on a file for the block; yields False where it is held elsewhere and `wait` is False.

    The lock is the kernel's (flock): it ends with the process, however that ends.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"cannot lock {path}: {error.strerror or error}", hint=_hint(error)) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield True
        except BlockingIOError:
            yield False
    finally:
        os.close(descriptor)


def _hint(error: OSError) -> str | None:
    if error.errno == 28:  # ENOSPC
        return "free some space and run `benchdog resume`; nothing that was recorded is lost"
    if error.errno in (1, 13, 30):  # EPERM, EACCES, EROFS
        return "set XDG_STATE_HOME to a directory that can be written"
    return None
