"""Folders for a while, each gone at the end of its block, or, where its owner was killed, when the next one begins."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchdog.errors import StoreError
from benchdog.system.files import remove_tree
from benchdog.system.randomness import new_id

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def own_folder(holder: Path, before_cleaning: Callable[[Path], object] = lambda _: None) -> Iterator[Path]:
    """A fresh folder in the directory `holder`, gone at the end of the block.

    It holds a lock for as long as this process lives: who comes after a killed process removes its folder first,
    `before_cleaning` having seen it. Raises StoreError.
    """
    with _held(holder):
        _clean(holder, before_cleaning)
        folder = holder / new_id(12)
        try:
            folder.mkdir(mode=0o700)
            lock = os.open(folder, _DIRECTORY)
        except OSError as error:
            raise StoreError(f"cannot make {folder}: {error.strerror or error}") from error
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield folder
    finally:
        try:
            remove_tree(folder)
        finally:
            os.close(lock)
        with suppress(OSError):
            holder.rmdir()  # fails while another has its folder here


@contextmanager
def _held(holder: Path) -> Iterator[None]:
    """The lock on the holder of all folders: nobody cleans while somebody begins. The holder may vanish in between."""
    for _ in range(100):
        try:
            holder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(holder, _DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(f"cannot make {holder}: {error.strerror or error}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink == 0:
                continue  # removed by its last user while we waited
            yield
            return
        finally:
            os.close(lock)
    raise StoreError(f"cannot hold {holder}: it vanishes again and again")


def _clean(holder: Path, before_cleaning: Callable[[Path], object]) -> None:
    """Removes the folders of owners that are gone: their lock can be had."""
    for folder in holder.iterdir():
        try:
            lock = os.open(folder, _DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
        before_cleaning(folder)
        with suppress(StoreError):
            remove_tree(folder)
