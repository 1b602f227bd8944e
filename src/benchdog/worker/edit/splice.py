"""Exact replacement in one place: literal, with each untouched line's own end, and the final newline kept."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from benchdog.worker.edit.lines import Line, end_near, flat, indent, split_lines

UNCLEAR = "the indentation of the replacement cannot be told: begin search with the line's own indentation"
_OPENS = re.compile(r"[\[{(:,=|&+.\\]\s*$")


def splice(lines: list[Line], start: int, search: str, replace: str) -> list[Line] | str:
    """The lines with `search`, which stands at the offset `start` of the flat text, replaced; or why they cannot be."""
    whole = flat(lines)
    end = start + len(search)
    shaped = _shaped(whole, start, search, replace)
    if shaped is None:
        return UNCLEAR
    first = whole.count("\n", 0, start)
    last = whole.count("\n", 0, max(start, end - 1))
    low = whole.rfind("\n", 0, start) + 1
    high = whole.find("\n", max(low, end - 1))
    high = len(whole) if high < 0 else high + 1
    new = whole[low:start] + shaped + whole[end:high]
    return lines[:first] + _with_ends(lines, first, last + 1, new) + lines[last + 1 :]


def _with_ends(lines: list[Line], first: int, stop: int, new: str) -> list[Line]:
    """The new text as lines: those that stay keep their end, the others take that of the place."""
    end = end_near(lines, first)
    made = [Line(each.text, end if each.end else "") for each in split_lines(new)]
    old = lines[first:stop]
    if len({each.end for each in old if each.end} | {end}) == 1:
        return made
    matcher = SequenceMatcher(None, [each.text for each in old], [each.text for each in made], autojunk=False)
    for there, here, size in matcher.get_matching_blocks():
        for offset in range(size):
            if old[there + offset].end and made[here + offset].end:
                made[here + offset] = old[there + offset]
    return made


def _shaped(whole: str, start: int, search: str, replace: str) -> str | None:
    """The replacement with line breaks at its edges as in the search, and with its indentation made whole."""
    if replace.strip("\n"):
        if search.endswith("\n") and not replace.endswith("\n"):
            replace += "\n"
        if search.startswith("\n") and not replace.startswith("\n") and start > 0:
            replace = "\n" + replace
    end = start + len(search)
    before = whole[whole.rfind("\n", 0, start) + 1 : start]
    if not before or before.strip(" \t"):
        return replace
    if indent(replace) == before + indent(search) and replace.strip() != search.strip():
        return replace[len(before) :]  # the search was quoted without its indentation, the replacement with it
    if _begins_with_a_later_line(before, search, replace):
        return None
    alone = "\n" not in search and (end == len(whole) or whole[end] == "\n")
    return _indented(before, search, replace) if alone and "\n" in replace else replace


def _begins_with_a_later_line(before: str, search: str, replace: str) -> bool:
    """Whether the replacement's first line, unindented as the search's is, repeats another line of the search that
    stands deeper or less deep: it would get the indentation of the wrong one.
    """
    first, *later = search.split("\n")
    new = replace.split("\n", maxsplit=1)[0]
    if indent(first) or indent(new) or not new.strip() or new.strip() == first.strip():
        return False
    return any(line.strip() == new.strip() and indent(line) != before for line in later)


def _indented(before: str, search: str, replace: str) -> str | None:
    """A replacement of several lines for one line that was quoted without its indentation, `before`.

    Its further lines are either indented as in the file already, or as if the first one began at the margin.
    """
    lines = replace.split("\n")
    rest = [line for line in lines[1:] if line.strip()]
    full, lead = before + indent(search), indent(search)
    if not rest:
        return replace
    if all(indent(line).startswith(full) for line in rest):
        hangs = indent(rest[0]) == full and indent(lines[0]) == lead and full != lead
        opens = _OPENS.search(lines[0]) or rest[0].lstrip().startswith(".")
        return None if hangs and opens else replace
    if indent(lines[0]) == lead and all(indent(line).startswith(lead) for line in rest):
        return "\n".join(lines[:1] + [before + line if line.strip() else line for line in lines[1:]])
    return None
