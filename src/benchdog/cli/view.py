"""What is shown while a run goes, as values: a line of toned pieces, and what is known when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from benchdog.events.state import RunState

LABEL_WIDTH = 9


class Tone(StrEnum):
    """How a piece of text is meant; each view has its own colour for it."""

    PLAIN = "plain"
    DIM = "dim"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Span:
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a label in a column of its own (empty: continued), then pieces of text."""

    label: str
    spans: tuple[Span, ...]
    tone: Tone = Tone.DIM
    """The label's."""

    @property
    def text(self) -> str:
        """The line without colours."""
        return (f"{self.label:<{LABEL_WIDTH - 1}} " + "".join(span.text for span in self.spans)).rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is known while events arrive. `verifying`: gates and checks of the candidate have not been told yet.

    `invalid` is why the last reply of this round was not kept. `place` is benchdog's state directory; `began` is when
    this sitting's first event was logged.
    """

    state: RunState = field(default_factory=RunState)
    verifying: bool = False
    first_reply: bool = False
    invalid: tuple[str, str] | None = None
    began: datetime | None = None
    now: datetime | None = None
    place: Path | None = None

    @property
    def seconds(self) -> float:
        return (self.now - self.began).total_seconds() if self.now and self.began else 0.0


def duration(seconds: float) -> str:
    """`0.8 s`, `14 s`, `3 min 20 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def plural_s(count: int) -> str:
    return "" if count == 1 else "s"
