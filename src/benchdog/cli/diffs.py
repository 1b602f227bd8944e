"""A unified diff on a screen: safe to show, and coloured."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from benchdog.cli.terminal import bad, dim, good, strong
from benchdog.system.terminal import plain

_START = b"diff --git "
_INDEX = re.compile(r"index ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})((?: \d{6})?)")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_HEADERS = ("diff ", "--- ", "+++ ", "index ", "new file", "deleted file", "old mode", "new mode", "Binary files")


def shown(diff: bytes) -> str:
    """The diff for a person's screen: no terminal sequence of a file's content gets through."""
    return "\n".join(
        _coloured(_abbreviated(line)) for line in plain(diff.decode("utf-8", "replace")).split("\n")
    ).rstrip("\n")


def of_path(diff: bytes, path: str) -> bytes:
    """The part of a diff that is about `path` (or about what lies below it); empty where there is none."""
    wanted = os.fsencode(path.removeprefix("./").rstrip("/"))
    return b"".join(part for part in files(diff) if _path(part) == wanted or _path(part).startswith(wanted + b"/"))


def files(diff: bytes) -> Iterator[bytes]:
    """One part for each file."""
    part: list[bytes] = []
    for line in diff.splitlines(keepends=True):
        if line.startswith(_START) and part:
            yield b"".join(part)
            part = []
        part.append(line)
    if part:
        yield b"".join(part)


def _path(part: bytes) -> bytes:
    """The path that a part is about: its first line names it twice, as `a/…` and `b/…`, odd names quoted as in C."""
    names = part.split(b"\n", 1)[0].removeprefix(_START)
    name = names[len(names) // 2 + 1 :]
    if name.startswith(b'"'):
        name = _ESCAPE.sub(_unescaped, name.strip(b'"'))
    return name.removeprefix(b"b/")


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if code.isdigit() else _LETTERS.get(code, code)


def _abbreviated(line: str) -> str:
    """`index` lines as git shows them to people."""
    found = _INDEX.fullmatch(line)
    return f"index {found[1][:7]}..{found[2][:7]}{found[3]}" if found else line


def _coloured(line: str) -> str:
    if line.startswith(_HEADERS):
        return strong(line)
    if line.startswith("@@"):
        return dim(line)
    if line.startswith("+"):
        return good(line)
    if line.startswith("-"):
        return bad(line)
    return line
