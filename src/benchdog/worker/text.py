"""Text as the model gets it: delimited as data, cut to a budget with head and tail kept. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterable

CHARS_PER_TOKEN = 3  # on the safe side, as in models.budget
MAX_LINE = 2000  # characters of one line that are shown


def block(tag: str, body: str, **attributes: str | int) -> str:
    """`body` between tags that do not occur in it, so that nothing in it can end it."""
    name, number = tag, 1
    while f"</{name}" in body:
        number += 1
        name = f"{tag}-{number}"
    shown = "".join(f" {key}={quoted(value)}" for key, value in attributes.items())
    end = "" if body.endswith("\n") or not body else "\n"
    return f"<{name}{shown}>\n{body}{end}</{name}>"


def quoted(value: str | int) -> str:
    """An attribute's value that cannot leave its quotes or its line."""
    plain = "".join(char if char.isprintable() and char not in '"<>' else "?" for char in str(value))
    return f'"{plain}"'


def clipped(text: str, limit: int) -> str:
    """At most about `limit` characters: head and tail, with a line that says how many are missing."""
    if len(text) <= limit:
        return text
    half = max(1, (limit - 40) // 2)
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def one_line(text: str, limit: int) -> str:
    """The first line, or all of a short text on one line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def numbered_lines(lines: list[str], wanted: Iterable[int], around: int) -> list[tuple[int, int]]:
    """Ranges (from, to; counted from 1, both included) around the wanted lines, merged where they touch."""
    ranges: list[tuple[int, int]] = []
    for line in sorted(set(wanted)):
        if not 1 <= line <= len(lines):
            continue
        low, high = max(1, line - around), min(len(lines), line + around)
        if ranges and low <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(high, ranges[-1][1]))
        else:
            ranges.append((low, high))
    return ranges


def show_lines(path: str, lines: list[str], start: int, end: int) -> str:
    """Lines `start` to `end` of a file as a block. The numbers stand outside of the text: models copy gutters."""
    body = "\n".join(_short(line) for line in lines[start - 1 : end])
    if start == 1 and end >= len(lines):
        return block("file", body, path=path)
    return block("file", body, path=path, lines=f"{start}-{end}", of=len(lines))


def _short(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}[… {len(line) - MAX_LINE} characters left out]"


def file_lines(data: bytes) -> list[str] | None:
    """A text file's lines without their ends; None for a binary file."""
    if b"\0" in data[:8192]:
        return None
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def excerpts(path: str, lines: list[str], wanted: list[int], limit: int) -> str:
    """A file for a budget of `limit` characters: whole where it fits, else windows around the wanted lines, else its
    head. Says how to see the rest.
    """
    whole = show_lines(path, lines, 1, len(lines))
    if len(whole) <= limit:
        return whole
    for around in (40, 20, 10, 4):
        ranges = numbered_lines(lines, wanted, around)
        shown = "\n".join(show_lines(path, lines, low, high) for low, high in ranges)
        if ranges and len(shown) <= limit:
            return shown
    end = fitting(lines, 1, limit - 120)
    return show_lines(path, lines, 1, end) if end else ""


def fitting(lines: list[str], start: int, limit: int) -> int:
    """The last line up to which lines from `start` on fit `limit` characters; `start - 1`: none does."""
    size = 0
    for number in range(start, len(lines) + 1):
        size += min(len(lines[number - 1]), MAX_LINE) + 1
        if size > limit:
            return number - 1
    return len(lines)
