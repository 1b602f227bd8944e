"""The replacement laid onto the file's own lines: what the model did not change keeps the file's bytes.

The difference from search to replacement is worked out line by line. Equal lines stay as the file has them; changed
ones take the file's indentation and, sign by sign, the file's own characters where the model left them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from benchdog.worker.edit.indentation import Mapper, mapper, speaks_file
from benchdog.worker.edit.lines import indent
from benchdog.worker.edit.lookalikes import learned

UNCLEAR = "the indentation of the replacement cannot be told: copy search exactly as the file reads"
LOOKS = "a look-alike character in search stands for several in the file: copy search exactly as the file reads"


@dataclass(frozen=True, slots=True)
class Kept:
    """The file's own line at this index of the block."""

    index: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """How lines of the replacement come into the file's coordinates."""

    map: Mapper
    signs: dict[int, str]
    file: Sequence[str]
    search: Sequence[str]
    as_file: bool


def merge(file: Sequence[str], search: Sequence[str], replace: Sequence[str]) -> list[Kept | str] | str:
    """The block's new lines: those kept from the file, and new texts; or why they cannot be known."""
    pairs = [(theirs, ours) for theirs, ours in zip(search, file, strict=True) if theirs.strip()]
    as_file = speaks_file(file, search, replace)
    if as_file is None:
        return UNCLEAR
    signs = learned((theirs.strip(), ours.strip()) for theirs, ours in pairs)
    if signs is None:
        return LOOKS
    leads = [(indent(theirs), indent(ours)) for theirs, ours in pairs]
    frame = _Frame(_identity if as_file else mapper(leads), signs, file, search, as_file)
    base = [_in_frame(frame, index) for index in range(len(search))]
    wanted = [line.rstrip() for line in replace]
    made: list[Kept | str] = []
    for tag, low, high, first, last in SequenceMatcher(None, base, wanted, autojunk=False).get_opcodes():
        if tag == "equal":
            made += [Kept(index) for index in range(low, high)]
            continue
        paired = high - low == last - first
        for offset, line in enumerate(replace[first:last]):
            new = _new_line(frame, line, low + offset if paired else None)
            if new is None:
                return UNCLEAR
            made.append(new)
    return made


def _identity(lead: str) -> str | None:
    return lead


def _in_frame(frame: _Frame, index: int) -> str:
    """A search line as the replacement would repeat it."""
    line = frame.search[index]
    return (indent(frame.file[index]) + line.strip() if frame.as_file else line).rstrip()


def _new_line(frame: _Frame, line: str, partner: int | None) -> str | None:
    """A line of the replacement as the file gets it; `partner` is the line that it replaces, where that is clear."""
    if not line.strip():
        return ""
    if partner is not None and frame.search[partner].strip():
        theirs, ours = frame.search[partner], frame.file[partner]
        same = indent(line) == (indent(ours) if frame.as_file else indent(theirs))
        lead = indent(ours) if same else frame.map(indent(line))
        body = _transferred(theirs.strip(), ours.strip(), line.strip(), frame.signs)
        added_everywhere = _tail(line) == _tail(theirs) and not _tail(ours)
        tail = "" if added_everywhere else _tail(line)
        return None if lead is None else lead + body + tail
    lead = frame.map(indent(line))
    return None if lead is None else lead + line.lstrip(" \t").translate(frame.signs)


def _tail(line: str) -> str:
    """The white space that a line ends with."""
    return line[len(line.rstrip()) :]


def _transferred(theirs: str, ours: str, new: str, signs: dict[int, str]) -> str:
    """`new` with the file's own characters wherever it repeats the search's."""
    if theirs == ours or len(theirs) != len(ours):
        return new.translate(signs)
    made = []
    for tag, low, high, first, last in SequenceMatcher(None, theirs, new, autojunk=False).get_opcodes():
        if tag == "equal":
            made.append(ours[low:high])
        elif tag in ("replace", "insert"):
            made.append(new[first:last].translate(signs))
    return "".join(made)
