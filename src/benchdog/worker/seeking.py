"""Looking for text in files in linear time, whatever a model asks for.

A pattern is text. What looks like a regular expression is taken for what it most likely means: `|` separates
alternatives, `.*` and its like stand for anything within a line, anchors are left out. No engine that can
backtrack ever sees a model's pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from benchdog.worker.text import file_lines

MAX_FILE = 1_000_000  # bytes of a file that is searched
MAX_HITS = 60
_GAP = re.compile(r"\.[*+]\??|\\[swdSWDb](?:[*+?]|\{\d+,?\d*\})?|\[[^\]\n]{1,40}\][*+?]?|[\^$]")
_ESCAPED = re.compile(r"\\([^\w\s])")


def alternatives(pattern: str) -> tuple[tuple[str, ...], ...]:
    """The pattern's alternatives, each as the parts that must stand in a line in this order; none for an empty one."""
    found: list[tuple[str, ...]] = [(pattern,)] if pattern.strip() else []
    for each in re.split(r"(?<!\\)\|", pattern):
        plain = _ESCAPED.sub(r"\1", "\0".join(_GAP.split(each.replace(r"\|", "|"))))
        parts = tuple(part for part in plain.replace("(?:", "").split("\0") if part.strip(" ()"))
        if parts and parts not in found:
            found.append(parts)
    return tuple(found)


def line_matches(line: str, wanted: tuple[tuple[str, ...], ...]) -> bool:
    return any(_in_order(line, parts) for parts in wanted)


def _in_order(line: str, parts: tuple[str, ...]) -> bool:
    at = 0
    for part in parts:
        at = line.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def search(
    paths: Iterable[str], read: Callable[[str], bytes | None], pattern: str, within: str
) -> tuple[tuple[str, int, str], ...]:
    """Hits as (path, line, text), at most MAX_HITS and one more. `within` is a folder, a file or a glob; empty: all."""
    wanted = alternatives(pattern)
    hits: list[tuple[str, int, str]] = []
    for path in paths:
        data = read(path) if _is_within(path, within) else None
        if data is None or len(data) > MAX_FILE or not _worth(data, wanted):
            continue
        for number, line in enumerate(file_lines(data) or [], 1):
            if line_matches(line, wanted):
                hits.append((path, number, line.strip()[:200]))
                if len(hits) > MAX_HITS:
                    return tuple(hits)
    return tuple(hits)


def _worth(data: bytes, wanted: tuple[tuple[str, ...], ...]) -> bool:
    """Whether the first part of any alternative stands in the file at all."""
    return any(parts[0].encode("utf-8", "surrogateescape") in data for parts in wanted)


def _is_within(path: str, within: str) -> bool:
    if not within:
        return True
    return path == within or path.startswith(within.rstrip("/") + "/") or fnmatchcase(path, within)
