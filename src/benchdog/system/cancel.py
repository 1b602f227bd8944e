"""Cancellation as a value that is passed down: whoever waits registers what ends its wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchdog.errors import Cancelled


class Cancel:
    """Set once, from any thread or from a signal handler; never unset."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.RLock()  # re-entrant: a signal handler may come while it is held
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Ends every wait that registered. Safe to call again, also from a callback."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def check(self) -> None:
        """Raises Cancelled once it is set."""
        if self.is_set:
            raise Cancelled()

    @contextmanager
    def ends(self, callback: Callable[[], None]) -> Iterator[None]:
        """While the block runs, setting this calls `callback` (at once, if it is set already)."""
        with self._lock:
            self._callbacks.append(callback)
            already = self.is_set
        if already:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)
