"""Progress as plain lines: what a pipe, a file or a CI log gets. On a terminal the same lines have colours."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchdog.cli.describe import advance, describe
from benchdog.cli.terminal import Terminal, bad, dim, good, strong, warn
from benchdog.cli.view import LABEL_WIDTH, Line, Tone, View
from benchdog.ledger.log import Recorded
from benchdog.models.values import Delta

_PIECES = re.compile(r"\s+|\S+")
_COLOURS = {Tone.DIM: dim, Tone.GOOD: good, Tone.BAD: bad, Tone.WARN: warn, Tone.STRONG: strong}


def coloured(line: Line, width: int | None = None) -> str:
    """The line with terminal colours; its text has been made safe when it was described.

    With a `width` in columns it is wrapped between words, continued under its own text.
    """
    label = f"{line.label:<{LABEL_WIDTH - 1}} "
    if not width:
        return (_toned(label, line.tone) + "".join(_toned(span.text, span.tone) for span in line.spans)).rstrip()
    room = max(2 * LABEL_WIDTH, width - 1)
    parts, column, gap = [_toned(label, line.tone)], len(label), ""
    for word, tone in _pieces(line):
        if not word.strip():
            gap += word
            continue
        if column + len(gap) + len(word) > room and column > LABEL_WIDTH:
            parts.append("\n")
            column, gap = 0, " " * LABEL_WIDTH
        parts += [gap, _toned(word, tone)]
        column, gap = column + len(gap) + len(word), ""
    return "".join(parts).rstrip()


def _pieces(line: Line) -> Iterator[tuple[str, Tone]]:
    """Words and the spaces between them."""
    for span in line.spans:
        for piece in _PIECES.findall(span.text):
            yield piece, span.tone


def _toned(text: str, tone: Tone) -> str:
    return _COLOURS[tone](text) if tone in _COLOURS and text.strip() else text


class Lines:
    """A watcher that says each event on a line of its own and shows nothing else."""

    def __init__(self, terminal: Terminal, view: View) -> None:
        self._terminal = terminal
        self.view = view

    def event(self, recorded: Recorded) -> None:
        lines = describe(recorded, self.view)
        self.view = advance(self.view, recorded)
        for line in lines:
            self._terminal.say(coloured(line))

    def delta(self, delta: Delta) -> None: ...

    def output(self, name: str, data: bytes) -> None: ...

    def close(self) -> None:
        """Nothing is held."""
