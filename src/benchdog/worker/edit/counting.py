"""How many lines an edit added and removed, and where it begins."""

from __future__ import annotations

from difflib import SequenceMatcher

_SMALL = 4000  # lines of the changed middle up to which the difference is worked out


def counted(before: str, after: str) -> tuple[int, int, int]:
    """(first changed line, lines added, lines removed)."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    head = 0
    while head < len(old) and head < len(new) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < len(old) - head and tail < len(new) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    same = 0
    if len(old) + len(new) <= _SMALL:
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        same = sum(size for _, _, size in matcher.get_matching_blocks())
    return head + 1, len(new) - same, len(old) - same
