"""Reads what git writes about trees: tree objects, and the raw difference between two trees. Pure.

Tree object (git's Documentation/technical, `git cat-file tree`): `<mode in octal> SP <name> NUL <20 bytes>` repeated.
Raw difference (`git diff-tree -r -z --raw --numstat`):
`:<mode> SP <mode> SP <id> SP <id> SP <status> NUL <path> NUL` repeated, then `<added> TAB <removed> TAB <path> NUL`
repeated, with `-` for the counts of binary files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from benchdog.trees.values import Change, Entry, Mode

DIRECTORY = "40000"
_OLD_GROUP_WRITABLE = {"100664": Mode.FILE}
_NO_ID = "0" * 40


def parse_tree(content: bytes) -> Iterator[tuple[str, str, str]]:
    """(mode, name, id) for each entry of a SHA-1 tree object. Raises ValueError for bytes that are none."""
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        yield mode.decode("ascii"), os.fsdecode(name), content[end + 1 : end + 21].hex()
        at = end + 21


def mode_of(text: str) -> Mode:
    """A file mode as git prints it. Raises ValueError for one that git does not know."""
    return _OLD_GROUP_WRITABLE.get(text) or Mode(text)


def parse_changes(output: bytes) -> tuple[Change, ...]:
    """The output of `git diff-tree -r -z --raw --numstat --no-renames`, ordered by path."""
    fields = output.split(b"\0")
    entries: dict[str, tuple[Entry | None, Entry | None]] = {}
    at = 0
    while at < len(fields) and fields[at].startswith(b":"):
        before, after, old, new, _ = fields[at][1:].decode("ascii").split(" ")
        entries[os.fsdecode(fields[at + 1])] = (_entry(before, old), _entry(after, new))
        at += 2
    counts: dict[str, tuple[bytes, bytes]] = {}
    for field in fields[at:]:
        if field:
            added, removed, path = field.split(b"\t", 2)
            counts[os.fsdecode(path)] = (added, removed)
    return tuple(_change(path, *entries[path], counts.get(path)) for path in sorted(entries))


def changed_paths(
    before: Mapping[str, Entry], after: Mapping[str, Entry]
) -> dict[str, tuple[Entry | None, Entry | None]]:
    """Paths that differ between two trees, with what they were and are; ordered by path."""
    paths = {path for path, entry in after.items() if before.get(path) != entry}
    paths.update(path for path in before if path not in after)
    return {path: (before.get(path), after.get(path)) for path in sorted(paths)}


def _entry(mode: str, blob: str) -> Entry | None:
    return None if blob == _NO_ID else Entry(mode_of(mode), blob)


def _change(path: str, before: Entry | None, after: Entry | None, counts: tuple[bytes, bytes] | None) -> Change:
    gitlink = any(entry is not None and entry.mode is Mode.SUBMODULE for entry in (before, after))
    if counts is None or gitlink:
        return Change(path=path, before=before, after=after)
    if counts[0] == b"-":
        return Change(path=path, before=before, after=after, binary=True)
    return Change(path=path, before=before, after=after, added=int(counts[0]), removed=int(counts[1]))
