"""Gate `empty`: a candidate equal to the base never passes."""

from __future__ import annotations

from benchdog.gates.case import Case
from benchdog.verdict import Finding, Severity


def judge(case: Case) -> tuple[Finding, ...]:
    if case.changes:
        return ()
    message = "nothing was changed: the tree is the one that the run began with; make the change that the goal asks for"
    return (Finding(gate="empty", severity=Severity.BLOCK, message=message),)
