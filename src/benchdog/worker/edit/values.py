"""What an edit comes to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The file afterwards. `line` (from 1) is where the change begins; `added` and `removed` count lines.

    `how` says what had to be overlooked: exact, spaces, indentation, look-alikes, gutter, fence.
    """

    after: bytes
    line: int
    added: int
    removed: int
    how: str = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEdit:
    """Why nothing was written, in words that teach the model: what is wrong, and what the file reads there."""

    reason: str
