"""Progress for a person at a terminal: the plain lines, and below them one line that moves while something is awaited.

rich draws that last line. It is imported in a thread of its own, after the first request to the model has left or
when nothing has happened for a while: start-up does not wait for it.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import Any

from benchdog.cli.describe import advance, describe
from benchdog.cli.lines import coloured
from benchdog.cli.terminal import Terminal
from benchdog.cli.view import View, duration
from benchdog.events import kinds
from benchdog.events.kinds import Stage
from benchdog.ledger.log import Recorded
from benchdog.models.values import Delta, DeltaKind
from benchdog.system.terminal import one_line

_PATIENCE = 0.4  # seconds without a first request after which the moving line comes all the same
_TAIL = 400  # characters of a stream that are kept to show its last line
_WHY = {Stage.BASE: "base", Stage.LANDING: "merged"}


class Doing:
    """What is going on right now, in a few words. Updated from the run's thread, read by the one that draws."""

    def __init__(self) -> None:
        self._what = "looking at the tree"
        self._tail = ""
        self._pieces = 0
        self._since = time.monotonic()
        self._first: float | None = None

    def event(self, event: kinds.Event) -> None:
        what = _phase(event)
        if what is not None:
            self._what, self._tail, self._pieces = what, "", 0
            self._since, self._first = time.monotonic(), None

    def delta(self, delta: Delta) -> None:
        if self._first is None:
            self._first = time.monotonic()
        self._pieces += 1
        self._what = "thinking" if delta.kind is DeltaKind.REASONING else "writing"
        self._tail = (self._tail + delta.text)[-_TAIL:]

    def output(self, data: bytes) -> None:
        self._tail = (self._tail + data.decode("utf-8", "replace"))[-_TAIL:]

    def words(self) -> str:
        """`writing · 4.2 s · 31 tokens/s · the last line`, safe to show."""
        now = time.monotonic()
        parts = [self._what, duration(now - self._since)]
        if self._first is not None and self._pieces > 1 and now - self._first > 0.2:
            parts.append(f"about {self._pieces / (now - self._first):.0f} tokens/s")  # servers send one a piece
        last = next((line for line in reversed(self._tail.splitlines()) if line.strip()), "")
        return " · ".join([*parts, *([one_line(last)] if last else [])])


def _phase(event: kinds.Event) -> str | None:
    match event:
        case kinds.BaseTaken():
            return "trying the sandbox"
        case kinds.SandboxReady():
            return "running the checks on the base, looking for the model"
        case kinds.EndpointPinned():
            return "running the checks on the base"
        case kinds.RequestSent(number=number):
            return f"request {number}: the model reads"
        case kinds.CheckStarted(name=name, stage=stage):
            return f"{_WHY.get(stage, 'verify')}: {one_line(name, 40)}"
        case kinds.ReplyReceived() | kinds.CandidateTaken() | kinds.CheckFinished():
            return "verifying"
    return None


class Live:
    """A watcher for a terminal. `close` takes the moving line away; what was said stays."""

    def __init__(self, terminal: Terminal, view: View) -> None:
        self._terminal = terminal
        self.view = view
        self._doing = Doing()
        self._lock = threading.Lock()
        self._go = threading.Event()
        self._closed = False
        self._live: Any = None
        self._thread: threading.Thread | None = None
        terminal.interrupts.restore = self._show_cursor

    def event(self, recorded: Recorded) -> None:
        lines = describe(recorded, self.view)
        self.view = advance(self.view, recorded)
        self._doing.event(recorded.event)
        width = shutil.get_terminal_size().columns
        self._say("\n".join(coloured(line, width) for line in lines))
        if self._thread is None:
            self._thread = threading.Thread(target=self._draw, name="live", daemon=True)
            self._thread.start()
        if isinstance(recorded.event, kinds.RequestSent):
            self._go.set()

    def delta(self, delta: Delta) -> None:
        self._doing.delta(delta)

    def output(self, name: str, data: bytes) -> None:  # noqa: ARG002 - a watcher's interface
        self._doing.output(data)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            live, self._live = self._live, None
        self._go.set()
        if live is not None:
            live.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._terminal.interrupts.restore = None

    def _say(self, text: str) -> None:
        if not text:
            return
        with self._lock:
            if self._live is None:
                self._terminal.say(text)
            else:
                self._live.console.print(_rich_text(text), soft_wrap=True)

    def _draw(self) -> None:
        """Brings up the moving line; rich's own thread redraws it from then on."""
        self._go.wait(_PATIENCE)
        if self._closed:
            return
        live = _rich_live(self._doing, colours=self._terminal.colours)
        with self._lock:
            if not self._closed:
                live.start()
                self._live = live

    def _show_cursor(self) -> None:
        sys.stderr.write("\x1b[?25h\n")
        sys.stderr.flush()


def _rich_text(text: str) -> Any:
    from rich.text import Text  # noqa: PLC0415 - only after `_draw` imported it

    return Text.from_ansi(text)


def _rich_live(doing: Doing, *, colours: bool) -> Any:
    """A one-line display that asks `doing` ten times a second."""
    # rich costs as much as the rest of the start: it is imported where it draws
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live as RichLive  # noqa: PLC0415
    from rich.spinner import Spinner  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    spinner = Spinner("dots")

    def draw() -> Table:
        row = Table.grid(padding=(0, 1))
        row.add_column(width=8, justify="right")
        row.add_column(no_wrap=True, overflow="ellipsis")
        row.add_row(spinner, Text(doing.words(), style="dim"))
        return row

    console = Console(stderr=True, no_color=not colours, highlight=False)
    return RichLive(get_renderable=draw, console=console, refresh_per_second=10, transient=True, redirect_stdout=False)
