"""The run's log: append-only, hash-chained, one fsync an event.

One JSON object a line, ASCII, keys sorted, no spaces, then the hash:

    {"at":"2026-01-02T03:04:05.000000+00:00","event":{…},"prev":"…","seq":1,"hash":"…"}

`hash` is the SHA-256 of the canonical JSON of the line without `hash`, which is the line's own bytes up to there and a
closing brace. `prev` is the hash of the line before; for the first line the SHA-256 of the run's id. `seq` counts
from 1, as lines do. Only an unterminated last line is torn (a crash in the middle of a write); a terminated line that
does not hold is corruption.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from benchdog.errors import CorruptLog, StoreError, UserError
from benchdog.events import Event, decode, encode
from benchdog.system.clock import Clock
from benchdog.system.files import locked, sync_directory, write_all

LOG_NAME = "log.jsonl"
LOCK_NAME = "lock"

_HASH_START = b',"hash":"'
_TAIL_BYTES = len(_HASH_START) + 64 + len(b'"}')
_KEYS = frozenset({"at", "event", "prev", "seq"})
_NO_SPACE = "free some space and run `benchdog resume`; nothing that was recorded is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One line of the log: the event, when it was recorded (UTC) and the hash that binds it to all before it."""

    seq: int
    at: datetime
    event: Event
    hash: str


Subscriber = Callable[[Recorded], None]


def first_prev(run: str) -> str:
    """What the first line of a run's log follows."""
    return hashlib.sha256(run.encode("utf-8", "surrogateescape")).hexdigest()


def read_log(place: Path, run: str) -> tuple[Recorded, ...]:
    """What is recorded, without taking the lock; an unterminated last line is not part of it.

    Raises StoreError where there is no log that can be read, CorruptLog where a terminated line does not hold.
    """
    path = place / LOG_NAME
    return parse_log(_read(path), run, str(path))[0]


def read_first(place: Path, run: str) -> Recorded | None:
    """The first thing recorded, without reading more; None where nothing is: the run never began.

    Raises StoreError where there is no log that can be read, CorruptLog where the line does not hold.
    """
    path = place / LOG_NAME
    try:
        with path.open("rb") as file:
            line = file.readline()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    recorded, _ = parse_log(line, run, str(path))
    return recorded[0] if recorded else None


def parse_log(data: bytes, run: str, path: str) -> tuple[tuple[Recorded, ...], int]:
    """The lines of a log, and how many bytes of `data` they are: the rest is a torn last line.

    Raises CorruptLog, which names `path`.
    """
    end = data.rfind(b"\n") + 1
    recorded: list[Recorded] = []
    prev = first_prev(run)
    for number, line in enumerate(data[:end].split(b"\n")[:-1], start=1):
        try:
            recorded.append(_parse_line(line, number, prev))
        except (ValueError, RecursionError) as error:
            raise CorruptLog(path, number, str(error)) from error
        prev = recorded[-1].hash
    return tuple(recorded), end


class RunLog:
    """A run's log, open for appending and locked against any other process. Made by `create` or `open`.

    Appending is safe from several threads; subscribers are called in the order of the log, by the appending thread.
    """

    def __init__(
        self, place: Path, run: str, clock: Clock, descriptor: int, recorded: tuple[Recorded, ...], held: ExitStack
    ) -> None:
        self.run = run
        self.path = place / LOG_NAME
        self._clock = clock
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._recorded = list(recorded)
        self._held = held
        self._subscribers: list[Subscriber] = []
        self._mutex = threading.RLock()  # re-entrant: a subscriber may append
        self._broken = False

    @classmethod
    def create(cls, place: Path, run: str, clock: Clock) -> RunLog:
        """A new, empty log in the run's folder `place`; its name is durable when this returns.

        Raises UserError where the run has a log already, StoreError where it cannot be written.
        """
        with ExitStack() as held:
            _lock(held, place, run)
            path = place / LOG_NAME
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
                held.callback(os.close, descriptor)
                sync_directory(place)
                sync_directory(place.parent)
            except FileExistsError as error:
                raise UserError(f"run {run} exists already: {path}") from error
            except OSError as error:
                _fail("create", path, error)
            return cls(place, run, clock, descriptor, (), held.pop_all())

    @classmethod
    def open(cls, place: Path, run: str, clock: Clock) -> RunLog:
        """The log of an earlier process, to be continued. A torn last line is cut off; nothing else is repaired.

        Raises UserError where another process holds it, StoreError where there is none, CorruptLog.
        """
        path = place / LOG_NAME
        if not path.exists():
            raise StoreError(f"there is no log at {path}")
        with ExitStack() as held:
            _lock(held, place, run)
            data = _read(path)
            recorded, good = parse_log(data, run, str(path))
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
                held.callback(os.close, descriptor)
                if good < len(data):
                    os.ftruncate(descriptor, good)
                    os.fsync(descriptor)
            except OSError as error:
                _fail("open", path, error)
            return cls(place, run, clock, descriptor, recorded, held.pop_all())

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        return tuple(self._recorded)

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(line.event for line in self._recorded)

    @property
    def head(self) -> str:
        """The hash of the last line: it binds everything that was recorded."""
        return self._recorded[-1].hash if self._recorded else first_prev(self.run)

    def subscribe(self, subscriber: Subscriber) -> None:
        """`subscriber` is called with each line once it is durable."""
        self._subscribers.append(subscriber)

    def append(self, event: Event) -> Recorded:
        """Records an event: durable when this returns, at the cost of one write and one fsync.

        Raises StoreError where that fails; the log then is what it was before.
        """
        with self._mutex:
            line, recorded = make_line(event, len(self._recorded) + 1, self._clock.now(), self.head)
            self._write(line)
            self._recorded.append(recorded)
            for subscriber in self._subscribers:
                subscriber(recorded)
            return recorded

    def close(self) -> None:
        """Gives up the lock. Safe to call twice."""
        self._broken = True
        self._held.close()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        if self._broken:
            raise StoreError(f"{self.path} is closed, or an earlier write to it could not be taken back")
        written = False
        try:
            write_all(self._descriptor, line)
            os.fsync(self._descriptor)
            written = True
            self._size += len(line)
        except OSError as error:
            _fail("append to", self.path, error)
        finally:
            if not written:  # an interrupt at this place too
                self._take_back()

    def _take_back(self) -> None:
        """Cuts off what a failed append left, so that the next one does not stand behind half a line."""
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._broken = True  # the next `open` repairs it: the line is unterminated


def make_line(event: Event, seq: int, at: datetime, prev: str) -> tuple[bytes, Recorded]:
    """The bytes of one line, its newline included, and what it records."""
    at = at.astimezone(UTC)
    plain = {
        "at": at.isoformat(timespec="microseconds"),
        "event": encode(event),
        "prev": prev,
        "seq": seq,
    }
    body = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    digest = hashlib.sha256(body).hexdigest()
    line = body[:-1] + _HASH_START + digest.encode("ascii") + b'"}\n'
    return line, Recorded(seq=seq, at=at, event=event, hash=digest)


def _parse_line(line: bytes, seq: int, prev: str) -> Recorded:
    """One line without its newline. Raises ValueError (and RecursionError, for absurd nesting)."""
    body, tail = line[:-_TAIL_BYTES] + b"}", line[-_TAIL_BYTES:]
    digest = hashlib.sha256(body).hexdigest()
    if tail != _HASH_START + digest.encode("ascii") + b'"}':
        raise ValueError("the hash is not that of the line")
    plain: Any = json.loads(body.decode("ascii"), parse_constant=_no_constant)
    if not isinstance(plain, dict) or plain.keys() != _KEYS:
        raise ValueError("the line has other fields than at, event, prev, seq and hash")
    if plain["prev"] != prev:
        raise ValueError("the line does not follow the one before it")
    if plain["seq"] is True or plain["seq"] != seq:
        raise ValueError(f"the line is number {plain['seq']!r:.40} and should be {seq}")
    return Recorded(seq=seq, at=_time(plain["at"]), event=decode(plain["event"]), hash=digest)


def _time(text: Any) -> datetime:
    at = datetime.fromisoformat(text) if isinstance(text, str) else None
    if at is None or at.tzinfo is None:
        raise ValueError(f"{text!r:.40} is not a time in UTC")
    return at


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _lock(held: ExitStack, place: Path, run: str) -> None:
    if not held.enter_context(locked(place / LOCK_NAME, wait=False, patience=1.0)):
        raise UserError(
            f"run {run} is being carried out by another process",
            hint=f"wait for it, or watch it with `benchdog show {run}`",
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error


def _fail(action: str, path: Path, error: OSError) -> NoReturn:
    hint = _NO_SPACE if error.errno in (28, 122) else None  # ENOSPC, EDQUOT
    raise StoreError(f"cannot {action} {path}: {error.strerror or error}", hint=hint) from error
