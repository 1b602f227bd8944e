"""A unified diff on a screen: safe to show, and coloured."""

from __future__ import annotations

from collections.abc import Iterator

from benchdog.cli.terminal import bad, dim, good, strong
from benchdog.system.terminal import plain

_HEADERS = ("diff ", "--- ", "+++ ", "index ", "new file", "deleted file", "old mode", "new mode", "Binary files")


def shown(diff: bytes) -> str:
    """The diff for a person's screen: no terminal sequence of a file's content gets through."""
    return "\n".join(_coloured(line) for line in plain(diff.decode("utf-8", "replace")).split("\n")).rstrip("\n")


def of_path(diff: bytes, path: str) -> bytes:
    """The part of a diff that is about `path` (or about what lies below it); empty where there is none."""
    wanted = path.rstrip("/").encode("utf-8", "surrogateescape")
    return b"".join(part for part in files(diff) if _is_about(part, wanted))


def files(diff: bytes) -> Iterator[bytes]:
    """One part for each file."""
    part: list[bytes] = []
    for line in diff.splitlines(keepends=True):
        if line.startswith(b"diff --git ") and part:
            yield b"".join(part)
            part = []
        part.append(line)
    if part:
        yield b"".join(part)


def _is_about(part: bytes, path: bytes) -> bool:
    first = part.split(b"\n", 1)[0]
    return any(mark in first for mark in (b" b/" + path + b"\n", b" b/" + path + b"/")) or first.endswith(b" b/" + path)


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
