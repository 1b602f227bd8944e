"""Refusals that teach: where the search stands several times, or what the file reads where it nearly stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from benchdog.worker.edit.lookalikes import key

SHOWN = 12  # lines of the file shown at most
_WORD = re.compile(r"\w{3,}")
_RATED = 400  # lines rated by similarity, at most


def several(lines: Sequence[int], *, more: bool = False) -> str:
    """For a search that fits more than one place; `lines` count from 1."""
    places = ", ".join(str(line) for line in lines[:8]) + (", …" if more or len(lines) > 8 else "")
    return f"search stands in several places (lines {places}): add lines before or after it until it fits only one"


def missing(file: Sequence[str], search: Sequence[str], replace: str, whole: str) -> str:
    """For a search that stands nowhere: whether the work is done already, and the nearest real lines."""
    if len(replace.strip()) >= 8 and replace.strip("\n") in whole:
        line = whole[: whole.index(replace.strip("\n"))].count("\n") + 1
        return (
            f"search is not in the file, and the replacement stands there already (line {line}): do not send it again"
        )
    near = nearest(file, search)
    if near is None:
        return "search is not in the file, nor anything like it: read the file and copy the lines"
    low, high = near
    shown = "\n".join(line[:300] for line in file[low:high])
    return (
        f"search is not in the file. Nearest are lines {low + 1}-{high}, which read:\n{shown}\nCopy search from there."
    )


def nearest(file: Sequence[str], search: Sequence[str]) -> tuple[int, int] | None:
    """The window of the file (from, to; from 0, end excluded) that shares most with the search; None: nothing does."""
    wanted = [key(line) for line in search]
    places: Counter[int] = Counter()
    at = {text: index for index, text in enumerate(wanted) if len(text) > 2}
    for number, line in enumerate(file):
        index = at.get(key(line))
        if index is not None:
            places[max(0, number - index)] += 1
    start = min(places, key=lambda place: (-places[place], place)) if places else _alike(file, wanted)
    if start is None:
        return None
    return start, min(len(file), start + max(1, min(SHOWN, len(search))))


def _alike(file: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The place of the line most like the search's longest one, if any is."""
    index = max(range(len(wanted)), key=lambda each: len(wanted[each]))
    text = wanted[index][:300]
    words = set(_WORD.findall(text))
    shared = Counter({number: len(words & set(_WORD.findall(line[:300]))) for number, line in enumerate(file)})
    rated = [(_ratio(text, key(file[number][:300])), -number) for number, count in shared.most_common(_RATED) if count]
    best = max(rated, default=(0.0, 0))
    return max(0, -best[1] - index) if best[0] >= 0.5 else None


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
