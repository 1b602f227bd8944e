"""Gate `size`: a change stays within the number of files and lines that the contract sets.

A binary file (one NUL byte makes it one) has no lines that could be counted: where `max_lines` is set, making or
changing one blocks, else it is a warning.
"""

from __future__ import annotations

from benchdog.gates.case import Case
from benchdog.trees import Change
from benchdog.verdict import Finding, Severity


def judge(case: Case) -> tuple[Finding, ...]:
    return (*_files(case), *_lines(case), *_binaries(case))


def _files(case: Case) -> tuple[Finding, ...]:
    limit, count = case.contract.scope.max_files, len(case.changes)
    if limit is None or count <= limit:
        return ()
    named = ", ".join(change.path for change in case.changes[:10]) + (", …" if count > 10 else "")
    return (_block(f"{count} files changed, at most {limit} may (max_files): undo what is not needed of {named}"),)


def _lines(case: Case) -> tuple[Finding, ...]:
    limit = case.contract.scope.max_lines
    count = sum(change.added + change.removed for change in case.changes)
    if limit is None or count <= limit:
        return ()
    largest = max(case.changes, key=lambda change: (change.added + change.removed, change.path))
    message = (
        f"{count} lines added and removed, at most {limit} may be (max_lines): make a smaller change; "
        f"the largest is {largest.path} with +{largest.added} -{largest.removed}"
    )
    return (_block(message),)


def _block(message: str) -> Finding:
    return Finding(gate="size", severity=Severity.BLOCK, message=message)


def _binaries(case: Case) -> tuple[Finding, ...]:
    limited = case.contract.scope.max_lines is not None
    return tuple(_binary(change, limited) for change in case.changes if change.binary and _has_new_content(change))


def _has_new_content(change: Change) -> bool:
    return change.after is not None and (change.before is None or change.before.blob != change.after.blob)


def _binary(change: Change, limited: bool) -> Finding:
    what = "is binary (it holds a NUL byte)"
    if limited:
        message = f"{change.path!r} {what}: its lines cannot be counted, and max_lines is set; make it text, or undo it"
    else:
        message = f"{change.path!r} {what}: its lines do not count, and nobody can read the difference"
    severity = Severity.BLOCK if limited else Severity.WARN
    return Finding(gate="size", severity=severity, path=change.path, message=message)
