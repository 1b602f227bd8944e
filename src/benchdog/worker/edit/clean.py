"""Readings of what a model pasted around the text that it meant: a code fence, a gutter of line numbers.

Each reading is tried exactly before anything inexact is tried with any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_OPEN = re.compile(r"\s*```[\w+.-]*\s*")
_CLOSE = re.compile(r"\s*```\s*")
_GUTTERS = tuple(re.compile(rf" *L?0*(\d{{1,7}}){mark}") for mark in (r"\| ", r"\|", r" \| ", r"\t", r"→", r": ", r":"))


@dataclass(frozen=True, slots=True)
class Reading:
    """Search and replacement as they may be meant; `how` names what was taken off."""

    search: str
    replace: str
    how: str


def readings(search: str, replace: str, file: str) -> Iterator[Reading]:
    """The text as it is, then without fence, then without gutter."""
    yield Reading(search, replace, "exact")
    if not has_fence(file):
        bare_search, bare_replace = unfenced(search), unfenced(replace)
        if bare_search is not None or bare_replace is not None:
            search = search if bare_search is None else bare_search
            replace = replace if bare_replace is None else bare_replace
            yield Reading(search, replace, "fence")
    for gutter in _GUTTERS:
        bare = _without(search, gutter)
        if bare is not None:
            other = _without(replace, gutter)
            yield Reading(bare, replace if other is None else other, "gutter")


def unfenced(text: str) -> str | None:
    """What stands between a fence's lines where they are the first and the last; None: no fence."""
    lines = text.strip("\n").split("\n")
    if len(lines) < 2 or not _OPEN.fullmatch(lines[0]) or not _CLOSE.fullmatch(lines[-1]):
        return None
    return "\n".join(lines[1:-1])


def has_fence(file: str) -> bool:
    return "```" in file and any(_OPEN.fullmatch(line) for line in file.split("\n") if len(line) < 100)


def has_gutter(text: str) -> bool:
    """Whether every line carries an ascending number as read tools print it (at least two lines; no bare colon)."""
    return text.strip().count("\n") > 0 and any(_without(text, gutter) is not None for gutter in _GUTTERS[:5])


def _without(text: str, gutter: re.Pattern[str]) -> str | None:
    """The text without the numbers that each line with text begins with, in steps of one; None: it has none."""
    numbers: list[int] = []
    bare: list[str] = []
    matched = 0
    for line in text.split("\n"):
        match = gutter.match(line)
        if match is None:
            number = _lone_number(line)
            if line.strip() and number is None:
                return None
            bare.append("")
            if number is not None:
                numbers.append(number)
            continue
        matched += 1
        numbers.append(int(match[1]))
        bare.append(line[match.end() :])
    if not matched or any(later - earlier != 1 for earlier, later in pairwise(numbers)):
        return None
    return "\n".join(bare)


def _lone_number(line: str) -> int | None:
    """The number of an empty line whose trailing blank was lost."""
    match = re.fullmatch(r" *L?0*(\d{1,7})[|:→]?\s*", line)
    return int(match[1]) if match else None
