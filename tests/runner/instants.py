"""What happens at one instant of a run: somebody interrupts it, or its process is killed there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from benchdog.events import Event
from benchdog.ledger.log import Recorded, read_log
from benchdog.runner import Bench, Nobody
from benchdog.system.places import run_place

_Kind = TypeVar("_Kind")


class Killed(BaseException):
    """Stands for SIGKILL: nothing between it and the test handles it."""


class Instant(Nobody):
    """Calls `act` once: at the `nth` event of this kind, when it has just been logged."""

    def __init__(self, kind: type[Event], act: Callable[[], object], nth: int = 1) -> None:
        self._kind, self._act, self._left = kind, act, nth

    def event(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, self._kind):
            self._left -= 1
            if self._left == 0:
                self._act()


def interrupt_at(bench: Bench, kind: type[Event]) -> None:
    bench.watcher = Instant(kind, bench.cancel.set)


def kill_at(bench: Bench, kind: type[Event], nth: int = 1) -> None:
    def die() -> None:
        raise Killed

    bench.watcher = Instant(kind, die, nth)


def events_of(bench: Bench, run: str, kind: type[_Kind]) -> list[_Kind]:
    """The run's logged events of one kind."""
    lines = read_log(run_place(bench.environment.state, run), run)
    return [line.event for line in lines if isinstance(line.event, kind)]
