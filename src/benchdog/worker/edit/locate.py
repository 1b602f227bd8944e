"""Where the lines of a search stand in a file, exactly or with white space at line ends and look-alikes overlooked.

There are no similarity scores: a line is the same or it is not. Several places are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchdog.worker.edit.lookalikes import fold, key

MIN_SIGNS = 6  # signs of a search that is compared inexactly; less says too little


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several places fit; `lines` count from 1."""

    lines: tuple[int, ...]


def occurrences(text: str, search: str, most: int = 20) -> list[int]:
    """Where `search` stands in `text`, overlapping places too, at most so many."""
    found: list[int] = []
    at = text.find(search)
    while at >= 0 and len(found) < most:
        found.append(at)
        at = text.find(search, at + 1)
    return found


def line_block(file: Sequence[str], search: Sequence[str]) -> int | Ambiguous | None:
    """The index at which the search's lines stand one after the other; None: nowhere."""
    keys = [key(line) for line in search]
    if sum(map(len, keys)) < MIN_SIGNS:
        return None
    places = _sequence([key(line) for line in file], keys)
    if len(places) > 1:
        closer = [at for at in places if _same_but_end(file[at : at + len(search)], search)]
        places = closer if len(closer) == 1 else places
    if len(places) > 1:
        return Ambiguous(tuple(at + 1 for at in places[:20]))
    return places[0] if places else None


def _sequence(file: list[str], wanted: list[str]) -> list[int]:
    """Where `wanted` stands in `file`. Looks for the longest line first, which is likely the rarest."""
    anchor = max(range(len(wanted)), key=lambda index: len(wanted[index]))
    text, size = wanted[anchor], len(wanted)
    starts = [at - anchor for at, each in enumerate(file) if each == text and at >= anchor]
    return [at for at in starts if file[at : at + size] == wanted]


def _same_but_end(file: Sequence[str], search: Sequence[str]) -> bool:
    return all(fold(ours).rstrip() == fold(theirs).rstrip() for ours, theirs in zip(file, search, strict=True))
