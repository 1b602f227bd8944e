"""Names inside a tree: which are safe, and how git spells them. Pure.

A safe path is one or more parts joined by `/`; a part is not empty, not `.` or `..`, holds no NUL, and is not a
name under which git, on any file system, would see its own directory.
"""

from __future__ import annotations

import os

# Characters that HFS+ leaves out when it compares names: git's path.c, next_hfs_char.
_HFS_IGNORED = dict.fromkeys(
    [0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF], None
)

_FIRST = frozenset({".", "g", "G", *map(chr, _HFS_IGNORED)})


def is_git_name(name: str) -> bool:
    """Whether a name is `.git` to git on some file system (case, HFS+ and NTFS look-alikes included)."""
    if name[:1] not in _FIRST:  # nearly every name ends here: this is asked of each file of a tree
        return False
    folded = name.translate(_HFS_IGNORED).casefold()
    stem = folded.split(":", 1)[0].split("\\", 1)[0].rstrip(" .")
    return stem in (".git", "git~1")


def unsafe_because(path: str) -> str | None:
    """Why a path may not be used inside a tree; None where it may."""
    if not path:
        return "is empty"
    if "\0" in path:
        return "holds a NUL"
    if path.startswith("/"):
        return "is absolute"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"has the part {part!r}"
        if is_git_name(part):
            return "goes through a git directory"
    return None


def parents_of(path: str) -> list[str]:
    """The directories above a path, nearest first, without the root."""
    found = []
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        found.append(path)
    return found


def quoted(path: str) -> bytes:
    """A path as `git fast-import` reads it: in double quotes, C-style."""
    raw = os.fsencode(path)
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
