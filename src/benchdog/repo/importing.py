"""Takes blobs and trees into an object store, through one `git fast-import`.

Grammar: git-fast-import(1). Blobs are named by the SHA-1 that is computed here while their bytes pass; git computes it
again, with its check for forged collisions, and refuses a tree that names a blob which it did not find. Trees are made
as commits on a scratch ref, which is gone at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from benchdog.errors import StoreError
from benchdog.repo.git import Git
from benchdog.system.process import Process, kill_group
from benchdog.trees import Entry
from benchdog.trees.paths import quoted

_REF = b"refs/benchdog/import"
_ZEROS = bytes(64 * 1024)
_FULL = "free some space; nothing of yours was changed"


def blob_id(data: bytes) -> str:
    """The id that git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def hash_pieces(size: int, pieces: Iterable[bytes]) -> str:
    """The id that git gives to `size` bytes, given piece by piece."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


class Import:
    """One import. `finish` makes all of it readable; `abandon` ends it without."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: Process | None = None
        self._trees = 0
        self.finished = False

    def blob(self, data: bytes) -> str:
        """Takes in a blob and returns its id."""
        self._write(b"blob\ndata %d\n" % len(data))
        self._write(data)
        self._write(b"\n")
        return blob_id(data)

    def stream(self, size: int, pieces: Iterable[bytes]) -> str | None:
        """Takes in a blob of `size` bytes, piece by piece; None where the pieces came to another size.

        What was announced is filled up then, and stays in the store as a blob that nothing names.
        """
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        self._write(b"blob\ndata %d\n" % size)
        total = sent = 0
        for piece in pieces:
            total += len(piece)
            if total > size:
                break
            self._write(piece)
            digest.update(piece)
            sent = total
        for at in range(sent, size, len(_ZEROS)):
            self._write(_ZEROS[: size - at])
        self._write(b"\n")
        return digest.hexdigest() if total == size else None

    def tree(self, base: str, edits: Mapping[str, Entry | None]) -> str:
        """The tree that is `base` with some entries set or (None) removed. Raises StoreError."""
        self._trees += 1
        mark = b":%d" % self._trees
        head = b"reset %s\n\ncommit %s\nmark %s\ncommitter benchdog <benchdog@localhost> 0 +0000\ndata 0\n"
        self._write(head % (_REF, _REF, mark))
        self._write(b'M 040000 %s ""\n' % base.encode("ascii"))
        for path, entry in edits.items():
            if entry is None:
                self._write(b"D %s\n" % quoted(path))
        for path, entry in edits.items():
            if entry is not None:
                self._write(b"M %s %s %s\n" % (entry.mode.encode(), entry.blob.encode(), quoted(path)))
        self._write(b'\nls %s ""\n' % mark)
        process = self._running()
        assert process.stdin is not None, "started with pipes"
        assert process.stdout is not None, "started with pipes"
        try:
            process.stdin.flush()
            words = process.stdout.readline().split()
        except OSError as error:
            raise self._failed() from error
        if len(words) != 3 or words[1] != b"tree":
            raise self._failed()
        return words[2].decode("ascii")

    def finish(self) -> None:
        """Raises StoreError where git could not keep what it was given."""
        if self._process is not None:
            self._write(b"reset %s\nfrom %s\n\ndone\n" % (_REF, b"0" * 40))
            process = self._process
            _, said = process.communicate()
            if process.returncode != 0:
                raise _error(said)
        self.finished = True

    def abandon(self) -> None:
        """Ends the process; what it had taken in is lost."""
        if self._process is not None and self._process.returncode is None:
            kill_group(self._process)
            self._process.communicate()

    def _running(self) -> Process:
        if self._process is None:
            self._process = self._git.start("fast-import", "--quiet", "--done", "--depth=0", "--force")
        return self._process

    def _write(self, data: bytes) -> None:
        stdin = self._running().stdin
        assert stdin is not None, "started with pipes"
        try:
            stdin.write(data)
        except OSError as error:
            raise self._failed() from error

    def _failed(self) -> StoreError:
        process = self._running()
        kill_group(process)
        _, said = process.communicate()
        return _error(said)


def _error(said: bytes) -> StoreError:
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if "crash report" not in line]
    text = " ".join(lines) or "git fast-import ended early"
    return StoreError(f"benchdog's object store cannot take in files: {text}", hint=_FULL)
