"""Ctrl-C: the first asks for a clean end, the second ends at once.

Nothing is lost by that: the log is durable after each event. At a prompt there is nothing to end cleanly, so there
the first raises KeyboardInterrupt.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchdog.system.cancel import Cancel

INTERRUPTED = 130


class Interrupts:
    """What a signal from outside does. `cancel` is what the work under way watches."""

    def __init__(self) -> None:
        self.cancel = Cancel()
        self.restore: Callable[[], None] | None = None
        """Puts the terminal back in order before an end at once."""

    def install(self) -> None:
        """From here on signals end the work, not the process. Only from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._received)

    def renew(self) -> Cancel:
        """A fresh cancel for the next piece of work of the same process."""
        self.cancel = Cancel()
        return self.cancel

    def _received(self, *_: object) -> None:
        if self.cancel.is_set:
            if self.restore:
                self.restore()
            os._exit(INTERRUPTED)
        self.cancel.set()

    @contextmanager
    def at_prompt(self) -> Iterator[None]:
        """While a person is asked, Ctrl-C raises KeyboardInterrupt."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
