"""Reads git objects by id, through one long-lived `git cat-file --batch`.

Protocol (git-cat-file(1), BATCH OUTPUT): a line with the id; the answer is `<id> SP <type> SP <size> LF <content> LF`,
or `<id> SP missing LF`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress

from benchdog.errors import StoreError
from benchdog.repo.git import Git
from benchdog.system.process import Process, kill_group

_AHEAD = 256  # requests sent before their answers are read: 10 KB, which a pipe always takes
_PIECE = 1024 * 1024


class Objects:
    """Objects of one git directory. Safe to use from several threads; started at the first read, ended by `close`."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._finalizer: weakref.finalize[[Process], Objects] | None = None

    def close(self) -> None:
        with self._lock:
            self._end()

    def kind(self, oid: str) -> str | None:
        """`blob`, `tree`, `commit`, or None where the object is missing."""
        with self._lock, self._whole():
            self._ask([oid])
            kind, size = self._header(oid)
            if kind is not None:
                for _ in self._content(size):
                    pass
            return kind

    def read(self, oid: str, kind: str) -> bytes:
        """An object's content. Raises StoreError where it is missing or of another kind."""
        with self._lock, self._whole():
            self._ask([oid])
            return b"".join(self._expect(oid, kind))

    def stream(self, oids: Sequence[str]) -> Generator[tuple[str, Iterator[bytes]], None, None]:
        """Each blob's id and its content in pieces, in this order. Each content must be read before the next one,
        and the generator closed."""
        with self._lock, self._whole():
            for at in range(0, len(oids), _AHEAD):
                batch = oids[at : at + _AHEAD]
                self._ask(batch)
                for oid in batch:
                    yield oid, self._expect(oid, "blob")

    def _ask(self, oids: Sequence[str]) -> None:
        process = self._running()
        assert process.stdin is not None, "started with pipes"
        process.stdin.write("".join(f"{oid}\n" for oid in oids).encode("ascii"))
        process.stdin.flush()

    def _header(self, oid: str) -> tuple[str | None, int]:
        process = self._running()
        assert process.stdout is not None, "started with pipes"
        words = process.stdout.readline().split()
        if len(words) == 2 and words[1] == b"missing":
            return None, 0
        if len(words) != 3:
            raise StoreError(f"the object store does not answer for {oid}: {words!r}")
        return words[1].decode("ascii"), int(words[2])

    def _expect(self, oid: str, kind: str) -> Iterator[bytes]:
        found, size = self._header(oid)
        if found is None:
            raise StoreError(f"the {kind} {oid} is not in the object store", hint="run the contract again")
        content = self._content(size)
        if found != kind:
            for _ in content:
                pass
            raise StoreError(f"the object {oid} is a {found}, not a {kind}")
        return content

    def _content(self, size: int) -> Iterator[bytes]:
        process = self._running()
        assert process.stdout is not None, "started with pipes"
        while size > 0:
            piece = process.stdout.read(min(size, _PIECE))
            if not piece:
                raise StoreError("the object store ended in the middle of an object")
            size -= len(piece)
            yield piece
        process.stdout.read(1)

    def _running(self) -> Process:
        if self._process is None:
            self._process = self._git.start("cat-file", "--batch")
            self._finalizer = weakref.finalize(self, _stop, self._process)
        return self._process

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """A conversation that does not come to its end ends the process: the next one starts afresh."""
        try:
            yield
        except OSError as error:
            self._end()
            raise StoreError(f"the object store does not answer: {error}") from error
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._finalizer = self._process = None


def _stop(process: Process) -> None:
    """Its input closed, cat-file ends by itself; whoever waits for it has no reason to wait long."""
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    kill_group(process)
    process.wait()
