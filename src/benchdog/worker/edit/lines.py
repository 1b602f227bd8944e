"""A file as lines, each with its own end, so that what is not touched keeps its bytes. Text only, no decisions."""

from __future__ import annotations

import re
from dataclasses import dataclass

BOM = "\ufeff"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line's text and its end: a line feed, a carriage return and a line feed, or nothing on the last one."""

    text: str
    end: str


def is_binary(data: bytes) -> bool:
    return b"\0" in data


def has_surrogates(text: str) -> bool:
    """Whether a text from a model holds what is no character."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def split_lines(text: str) -> list[Line]:
    """Lines end with a line feed alone; any other separator belongs to the text."""
    return [_line(match[0]) for match in _LINE.finditer(text)]


def _line(whole: str) -> Line:
    if whole.endswith("\r\n"):
        return Line(whole[:-2], "\r\n")
    return Line(whole[:-1], "\n") if whole.endswith("\n") else Line(whole, "")


def join(lines: list[Line]) -> str:
    return "".join(line.text + line.end for line in lines)


def flat(lines: list[Line]) -> str:
    """The file with plain line feeds: what searches are compared with."""
    return "".join(line.text + ("\n" if line.end else "") for line in lines)


def plain(text: str) -> str:
    """What a model sent, with plain line feeds and without a byte order mark."""
    return text.removeprefix(BOM).replace("\r\n", "\n")


def indent(text: str) -> str:
    """The blanks and tabs that a line begins with."""
    return text[: len(text) - len(text.lstrip(" \t"))]


def end_near(lines: list[Line], index: int) -> str:
    """The line end that a new line takes at `index`: that of the line there, else of the one before."""
    for each in (index, index - 1):
        if 0 <= each < len(lines) and lines[each].end:
            return lines[each].end
    return "\n"
