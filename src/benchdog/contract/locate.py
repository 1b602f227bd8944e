"""On which line of a TOML text each key stands: `tomllib` does not tell.

Reads only text that `tomllib` has accepted, so it may trust the syntax. The grammar it follows:

    text    = { header | pair | comment }
    header  = "[" key "]" | "[[" key "]]"
    pair    = key "=" value
    key     = part { "." part };  part = bare | "basic" | 'literal'
    value   = string | array | inline table | anything else up to , ] } # or the line's end
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_PART = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_MULTILINE = re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}' + r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'[^']*'")
_SCALAR = re.compile(r"[^,\]}#\n]*")


def locate(text: str) -> Mapping[KeyPath, int]:
    """The line, from 1, of each key, table and array item. Items of arrays have their index in the path."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._arrays: dict[KeyPath, int] = {}
        self._table: KeyPath = ()

    def scan(self) -> Mapping[KeyPath, int]:
        while self._skip(_BLANK) and self._at < len(self._text):
            if self._text.startswith("[", self._at):
                self._header()
            else:
                self._pair(self._table)
        return self._lines

    def _header(self) -> None:
        line = self._line()
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        key = self._key()
        self._at += 2 if many else 1
        above = self._resolve(key[:-1])
        path = (*above, key[-1])
        if many:
            index = self._arrays.get(path, 0)
            self._arrays[path] = index + 1
            self._lines.setdefault(path, line)
            path = (*path, index)
        self._table = path
        self._lines.setdefault(path, line)

    def _resolve(self, key: KeyPath) -> KeyPath:
        """The table that `key` means inside a header: an array of tables stands for its last one."""
        path: KeyPath = ()
        for part in key:
            path = (*path, part)
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        key = self._key()
        self._at += 1  # the equals sign
        for length in range(1, len(key) + 1):
            self._lines.setdefault((*table, *key[:length]), line)
        self._value((*table, *key))

    def _value(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        first = self._text[self._at : self._at + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline(path)
        elif not (self._skip(_MULTILINE) or self._skip(_STRING)):
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._skip(_BLANK) and not self._takes("]"):
            self._lines.setdefault((*path, index), self._line())
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            self._takes(",")

    def _inline(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip(_BLANK) and not self._takes("}"):
            self._pair(path)
            self._skip(_BLANK)
            self._takes(",")

    def _key(self) -> tuple[str, ...]:
        parts = []
        while True:
            found = _PART.match(self._text, self._at)
            assert found, "tomllib has accepted the text"
            self._at = found.end()
            parts.append(_plain(found[1]))
            if not self._takes("."):
                return tuple(parts)

    def _takes(self, character: str) -> bool:
        found = self._text.startswith(character, self._at)
        self._at += len(character) if found else 0
        return found

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Moves behind what `pattern` matches here; False where it does not match."""
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found is not None

    def _line(self) -> int:
        return bisect_left(self._ends, self._at) + 1


def _plain(part: str) -> str:
    """A key's part without its quotes."""
    if part.startswith("'"):
        return part[1:-1]
    if not part.startswith('"'):
        return part
    value = tomllib.loads(f"k = {part}")["k"]
    assert isinstance(value, str), "a basic string"
    return value
