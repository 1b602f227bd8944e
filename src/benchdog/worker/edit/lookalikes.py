"""Characters that models type for one another: dashes, quotes, spaces. Folded one to one, so that places stay."""

from __future__ import annotations

from collections.abc import Iterable

_FOLDS = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "'": "\u2018\u2019\u201a\u201b\u2032",
    '"': "\u201c\u201d\u201e\u201f\u2033",
    " ": "\u00a0\u2002\u2003\u2009\u202f\u3000",
}
TABLE = {ord(char): plain for plain, chars in _FOLDS.items() for char in chars}


def fold(text: str) -> str:
    """The text with each look-alike as its plain form; as long as before."""
    return text.translate(TABLE)


def key(line: str) -> str:
    """What a line says, without the white space around it and with look-alikes folded."""
    return fold(line).strip()


def learned(pairs: Iterable[tuple[str, str]]) -> dict[int, str] | None:
    """What the file has for each look-alike that the model typed, from matched lines (model's, file's).

    None where one stands for several: then nobody knows what it means in a new line.
    """
    found: dict[str, set[str]] = {}
    for theirs, ours in pairs:
        for one, other in zip(theirs, ours, strict=False):
            if ord(one) in TABLE:
                found.setdefault(one, set()).add(other)
    if any(len(meanings) > 1 for meanings in found.values()):
        return None
    return {ord(char): meanings.pop() for char, meanings in found.items()}
