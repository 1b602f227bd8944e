"""Gate `scope`: nothing changes outside of the allowed paths."""

from __future__ import annotations

from benchdog.contract.scope import refusal
from benchdog.gates.case import Case
from benchdog.trees import Change
from benchdog.verdict import Finding, Severity

_SHOWN = 8  # patterns named in a message


def judge(case: Case) -> tuple[Finding, ...]:
    return tuple(_finding(case, change) for change in case.changes if _rule(case, change.path) == "scope")


def _rule(case: Case, path: str) -> str | None:
    refused = refusal(path, case.contract.scope, classes=case.classes)
    return None if refused is None else refused.rule


def _finding(case: Case, change: Change) -> Finding:
    return Finding(
        gate="scope",
        severity=Severity.BLOCK,
        path=change.path,
        message=f"{change.path!r} was {what_happened(change)} outside of the scope: undo it (allowed: {allowed(case)})",
    )


def allowed(case: Case) -> str:
    """The allowed patterns for a message."""
    patterns = case.contract.scope.allow
    if not patterns:
        return "nothing"
    more = f" and {len(patterns) - _SHOWN} more" if len(patterns) > _SHOWN else ""
    return ", ".join(patterns[:_SHOWN]) + more


def what_happened(change: Change) -> str:
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "changed"
