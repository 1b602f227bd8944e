"""Gate `modes`: what an entry is stays what it was: no submodule moves, no symlink leads out, nothing of git's.

A symlink's target is read as text and resolved without looking at the disk: it leads out when it is absolute, when
it climbs above the root, or when it goes through `.git`.
"""

from __future__ import annotations

from benchdog.gates.case import Case
from benchdog.trees import Change, Mode
from benchdog.verdict import Finding, Severity


def judge(case: Case) -> tuple[Finding, ...]:
    return tuple(found for change in case.changes for found in _judge(case, change))


def _judge(case: Case, change: Change) -> tuple[Finding, ...]:
    before = change.before.mode if change.before else None
    after = change.after.mode if change.after else None
    if _names_git(change.path):
        return (_found(change, Severity.BLOCK, "belongs to git, which only benchdog touches: remove it"),)
    if Mode.SUBMODULE in (before, after):
        return (_found(change, Severity.BLOCK, "is a submodule, and submodules may not change: put it back"),)
    if after is Mode.SYMLINK:
        return _judge_symlink(case, change, before)
    if before is not None and after is not None and before is not after:
        severity = Severity.BLOCK if before is Mode.SYMLINK else Severity.WARN
        return (_found(change, severity, f"was {_NAMES[before]} and is {_NAMES[after]} now"),)
    return ()


def _judge_symlink(case: Case, change: Change, before: Mode | None) -> tuple[Finding, ...]:
    target = case.candidate.read(change.path).decode("utf-8", "surrogateescape")
    if _leads_out(change.path, target):
        what = f"is a symlink to {target!r:.200}, which leads out of the tree: make it a file or point it inside"
        return (_found(change, Severity.BLOCK, what),)
    if before is not None and before is not Mode.SYMLINK:
        return (_found(change, Severity.BLOCK, f"was {_NAMES[before]} and is a symlink now: put the file back"),)
    if before is None:
        return (_found(change, Severity.WARN, f"is a new symlink to {target!r:.200}"),)
    return ()


def _leads_out(path: str, target: str) -> bool:
    if target.startswith("/") or not target or "\0" in target:
        return True
    depth = path.count("/")
    for part in target.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            return True
    return _names_git(target)


def _names_git(path: str) -> bool:
    """Whether a part is `.git` for any file system that git cares for (case-blind, trailing dots and spaces)."""
    return any(_is_git(part) for part in path.split("/"))


def _is_git(part: str) -> bool:
    plain = "".join(char for char in part if char not in _INVISIBLE).rstrip(". ").lower()
    return plain in (".git", "git~1") or plain.startswith((".git:", ".git::"))


_INVISIBLE = frozenset(
    "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u206a\u206b\u206c\u206d\u206e\u206f\ufeff"
)
"""Code points that HFS+ ignores in names (git, utf8.c: next_hfs_char)."""

_NAMES = {
    Mode.FILE: "a file",
    Mode.EXECUTABLE: "an executable file",
    Mode.SYMLINK: "a symlink",
    Mode.SUBMODULE: "a submodule",
}


def _found(change: Change, severity: Severity, what: str) -> Finding:
    return Finding(gate="modes", severity=severity, path=change.path, message=f"{change.path!r} {what}")
