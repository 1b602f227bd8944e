"""Puts a replacement where the model meant it, in exactly one place, or says why not. Pure.

The ladder, each rung only where the one before found nothing:

    1. exact, for the text as it is, without its fence, without its gutter of line numbers
    2. line by line with white space at both ends and look-alikes overlooked, for each of these readings

Several places refuse at once, on whatever rung. Numbers, names and operators are never relaxed. Bytes that the edit
does not change stay: other lines, line ends, byte order mark, final newline.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchdog.worker.edit.clean import Reading, has_gutter, readings
from benchdog.worker.edit.counting import counted
from benchdog.worker.edit.lines import BOM, Line, end_near, flat, has_surrogates, is_binary, join, plain, split_lines
from benchdog.worker.edit.locate import Ambiguous, line_block, occurrences
from benchdog.worker.edit.marks import elision_in
from benchdog.worker.edit.merge import Kept, merge
from benchdog.worker.edit.splice import splice
from benchdog.worker.edit.teach import missing, several
from benchdog.worker.edit.values import Edited, RefusedEdit


@dataclass(frozen=True, slots=True)
class _Found:
    """The file's new lines, and what was overlooked."""

    lines: list[Line]
    how: str


def apply_edit(before: bytes, search: str, replace: str) -> Edited | RefusedEdit:
    """The file after the edit, or the refusal. Never raises, whatever it is given."""
    problem = _unfit(before, search, replace)
    if problem is not None:
        return RefusedEdit(reason=problem)
    text = before.decode("utf-8", "surrogateescape")
    mark = BOM if text.startswith(BOM) else ""
    lines = split_lines(text.removeprefix(BOM))
    found = _climb(lines, plain(search), plain(replace))
    if isinstance(found, RefusedEdit):
        return found
    after = mark + join(found.lines)
    if after == text:
        return RefusedEdit(reason="the file reads so already: nothing would change")
    line, added, removed = counted(text, after)
    return Edited(
        after=after.encode("utf-8", "surrogateescape"), line=line, added=added, removed=removed, how=found.how
    )


def _unfit(before: bytes, search: str, replace: str) -> str | None:
    if is_binary(before):
        return "the file is binary"
    if has_surrogates(search) or has_surrogates(replace):
        return "search or replace is not valid Unicode"
    if not plain(search).strip():
        return "search is empty: copy the lines to change from the file, or use write for a whole file"
    if plain(search) == plain(replace):
        return "search and replace are the same: nothing would change"
    return None


def _climb(lines: list[Line], search: str, replace: str) -> _Found | RefusedEdit:
    whole = flat(lines)
    tried = [each for each in readings(search, replace, whole) if each.search.strip()]
    for rung in (_exact, _by_lines):
        for reading in tried:
            found = rung(lines, whole, reading)
            if found is not None:
                return found
    texts = [line.text for line in lines]
    return RefusedEdit(reason=missing(texts, _lines_of(tried[-1].search), replace, whole))


def _exact(lines: list[Line], whole: str, reading: Reading) -> _Found | RefusedEdit | None:
    places = occurrences(whole, reading.search)
    if not places:
        return None
    if len(places) > 1:
        numbers = [whole.count("\n", 0, at) + 1 for at in places]
        return RefusedEdit(reason=several(numbers, more=len(places) == 20))
    problem = _unwritable(whole, reading)
    if problem is not None:
        return problem
    made = splice(lines, places[0], reading.search, reading.replace)
    return RefusedEdit(reason=made) if isinstance(made, str) else _Found(made, reading.how)


def _by_lines(lines: list[Line], whole: str, reading: Reading) -> _Found | RefusedEdit | None:
    search, replace = _trimmed(_lines_of(reading.search), _lines_of(reading.replace))
    texts = [line.text for line in lines]
    at = line_block(texts, search)
    if at is None:
        return None
    if isinstance(at, Ambiguous):
        return RefusedEdit(reason=several(at.lines))
    problem = _unwritable(whole, reading)
    if problem is not None:
        return problem
    block = texts[at : at + len(search)]
    made = merge(block, search, replace)
    if isinstance(made, str):
        return RefusedEdit(reason=made)
    return _Found(_placed(lines, at, len(search), made), _how(reading, block, search))


def _unwritable(whole: str, reading: Reading) -> RefusedEdit | None:
    """A replacement that would write what was never meant: a mark that leaves code out, or line numbers."""
    mark = elision_in(reading.replace, f"{whole}\n{reading.search}")
    if mark is not None:
        return RefusedEdit(reason=f"{mark!r} in replace would delete what it stands for: write out every line")
    if has_gutter(reading.replace) and not has_gutter(reading.search):
        return RefusedEdit(reason="replace carries line numbers, which are not part of the file: send it without")
    return None


def _lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _trimmed(search: list[str], replace: list[str]) -> tuple[list[str], list[str]]:
    """Both without the blank lines at the search's edges, and without as many at the replacement's."""
    head, tail = _blank_edges(search)
    other_head, other_tail = _blank_edges(replace)
    head_too, tail_too = min(head, other_head), min(tail, other_tail)
    if not any(line.strip() for line in replace):
        return search[head : len(search) - tail], []
    return search[head : len(search) - tail], replace[head_too : len(replace) - tail_too]


def _blank_edges(lines: list[str]) -> tuple[int, int]:
    """How many blank lines stand at either edge."""
    spoken = [index for index, line in enumerate(lines) if line.strip()]
    return (spoken[0], len(lines) - 1 - spoken[-1]) if spoken else (0, 0)


def _placed(lines: list[Line], at: int, size: int, made: list[Kept | str]) -> list[Line]:
    """The file with the block replaced; new lines take the ends of the place, the last one that of the block."""
    end, last = end_near(lines, at), lines[at + size - 1].end
    block = [lines[at + each.index] if isinstance(each, Kept) else Line(each, end) for each in made]
    block = [Line(line.text, line.end or end) for line in block]
    if block and not last:
        block[-1] = Line(block[-1].text, "")
    return lines[:at] + block + lines[at + size :]


def _how(reading: Reading, file: list[str], search: list[str]) -> str:
    """What had to be overlooked for this match."""
    said = [] if reading.how == "exact" else [reading.how]
    pairs = list(zip(file, search, strict=True))
    if any(ours.strip() != theirs.strip() for ours, theirs in pairs):
        said.append("look-alikes")
    if any(ours.strip() and _lead(ours) != _lead(theirs) for ours, theirs in pairs):
        said.append("indentation")
    return ", ".join(said) or "spaces"


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
