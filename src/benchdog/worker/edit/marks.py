"""Marks by which a model leaves code out (`# ... existing code ...`). Written to a file they would delete it."""

from __future__ import annotations

import re

_MARK = re.compile(
    r"\s*(?:#|//|--|;|%|/\*+|<!--|\{/\*)?\s*(?:\.\.\.|…)\s*\(?(?P<words>[A-Za-z][\w ,'/-]{0,80})?\)?\s*"
    r"(?:\.\.\.|…)?\s*(?:\*/\}?|-->)?\s*"
)
_OMITS = re.compile(r"existing|rest of|remaining|unchanged|same as|omitted|previous|other code", re.IGNORECASE)
_COMMENT = ("#", "//", "--", ";", "%", "/*", "<!--", "{/*")


def is_elision(line: str) -> bool:
    """Whether a line says that something is left out. A bare `...` does not: it is code in some languages."""
    match = _MARK.fullmatch(line[:200]) if len(line) <= 200 else None
    if match is None:
        return False
    words = match["words"] or ""
    return bool(_OMITS.search(words)) or (not words and line.lstrip().startswith(_COMMENT))


def elision_in(text: str, known: str) -> str | None:
    """The first line of `text` that leaves something out and does not stand in `known`; None: there is none."""
    if "..." not in text and "…" not in text:
        return None
    standing = {line.strip() for line in known.splitlines()}
    return next((line.strip() for line in text.splitlines() if is_elision(line) and line.strip() not in standing), None)
