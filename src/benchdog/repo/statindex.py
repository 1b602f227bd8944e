"""What a file's status said when its content was last known, so that it need not be read again.

A file whose inode, size, mtime, ctime and mode are those recorded holds the recorded blob, provided that its ctime
was older than the file system's clock when it was read: a later write then leaves another ctime, which nobody without
the machine's clock can forge. An entry of which that is not sure (git calls it racy) is kept smudged: it matches no
status any more, but still says what the content probably is.

File: magic, SHA-1 of the rest, tree id, then fixed-size records, then the paths joined by NUL. It is a cache: one that
does not read is no index.
"""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchdog.errors import StoreError
from benchdog.system.files import write_all
from benchdog.system.randomness import new_id

Known = tuple[int, int, int, int, int, str]
"""Inode, size, mtime in ns, ctime in ns, st_mode, blob id."""

_MAGIC = b"benchdog stat index 1\n"
_RECORD = struct.Struct("<QqqqI20s")
_SMUDGED = -(2**62)


def known(status: os.stat_result, blob: str, stamp: int) -> Known:
    """The record for content that was read under `status`, after the file system's clock had shown `stamp` (ns)."""
    ctime = status.st_ctime_ns if status.st_ctime_ns < stamp else _SMUDGED
    return (status.st_ino, status.st_size, status.st_mtime_ns, ctime, status.st_mode, blob)


def matches(record: Known, status: os.stat_result) -> bool:
    """Whether a file with this status holds the recorded blob for sure."""
    return (
        record[3] == status.st_ctime_ns
        and record[2] == status.st_mtime_ns
        and record[0] == status.st_ino
        and record[1] == status.st_size
        and record[4] == status.st_mode
    )


@dataclass(slots=True)
class StatIndex:
    """Records by path. `tree` is the tree that they were part of ("" for none)."""

    tree: str = ""
    records: dict[str, Known] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Replaces the file at `path` at once. Raises StoreError."""
        packed = b"".join(
            _RECORD.pack(ino, size, mtime, ctime, mode, bytes.fromhex(blob))
            for ino, size, mtime, ctime, mode, blob in self.records.values()
        )
        body = b"".join(
            (self.tree.ljust(40).encode("ascii"), struct.pack("<Q", len(self.records)), packed, _names(self.records))
        )
        temporary = path.with_name(f".{path.name}.{new_id()}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                write_all(descriptor, _MAGIC + hashlib.sha1(body, usedforsecurity=False).digest() + body)
            finally:
                os.close(descriptor)
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise StoreError(f"cannot write {path}: {error.strerror}") from error


def load_index(path: Path) -> StatIndex:
    """The index at `path`; an empty one where there is none that reads."""
    try:
        content = path.read_bytes()
    except OSError:
        return StatIndex()
    head = len(_MAGIC) + 20
    body = content[head:]
    if (
        content[: len(_MAGIC)] != _MAGIC
        or content[len(_MAGIC) : head] != hashlib.sha1(body, usedforsecurity=False).digest()
    ):
        return StatIndex()
    tree = body[:40].decode("ascii").strip()
    (count,) = struct.unpack_from("<Q", body, 40)
    end = 48 + count * _RECORD.size
    names = os.fsdecode(body[end:]).split("\0") if count else []
    records = _RECORD.iter_unpack(body[48:end])
    return StatIndex(tree=tree, records={name: (*r[:5], r[5].hex()) for name, r in zip(names, records, strict=True)})


def _names(records: dict[str, Known]) -> bytes:
    return os.fsencode("\0".join(records))


def file_system_clock(stamp: Path) -> int:
    """What the clock of the file system at `stamp` shows now, in nanoseconds, as coarse as it stamps its files.

    Raises StoreError.
    """
    try:
        descriptor = os.open(stamp, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.utime(descriptor)
            return os.fstat(descriptor).st_ctime_ns
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(f"cannot write {stamp}: {error.strerror}") from error
