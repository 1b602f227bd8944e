"""Nothing that comes from a model, a file or a command may steer the person's terminal."""

from __future__ import annotations

import re
import unicodedata

# CSI, OSC, DCS and the other string sequences, then any other escape: ECMA-48, section 5.4 and 8.3.
# Each also as a single character of C1. A string sequence without an end ends with its line: nothing hides the rest.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_KEEP = "\n\t"
_BIDI = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def plain(text: str, *, keep: str = _KEEP) -> str:
    """`text` without terminal sequences; other control and direction characters are shown as `\\x1b`-like escapes.

    Characters in `keep` pass. Lone surrogates (file names that are not UTF-8) become `\\udcXX` escapes.
    """
    return "".join(_shown(character, keep) for character in _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def one_line(text: str, width: int = 200) -> str:
    """`plain` text on one line, cut to `width` characters."""
    line = " ".join(plain(text).split())
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"


def _shown(character: str, keep: str) -> str:
    if character in keep or (character.isprintable() and character not in _BIDI):
        return character
    if unicodedata.category(character) in ("Zs", "Zl", "Zp"):
        return " "
    return (
        character.encode("unicode_escape").decode("ascii")
        if ord(character) < 0xD800 or ord(character) > 0xDFFF
        else f"\\u{ord(character):04x}"
    )
