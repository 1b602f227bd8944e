"""Gate `classes`: path classes stay closed inside an allow glob unless they are opened on purpose."""

from __future__ import annotations

from benchdog.contract.scope import refusal
from benchdog.gates.case import Case
from benchdog.gates.scope import what_happened
from benchdog.verdict import Finding, Severity


def judge(case: Case) -> tuple[Finding, ...]:
    findings = []
    for change in case.changes:
        refused = refusal(change.path, case.contract.scope, classes=case.classes)
        if refused is None or refused.rule != "class":
            continue
        message = f"{change.path!r} was {what_happened(change)}, but it may not change: {refused.reason}; undo it"
        findings.append(Finding(gate="classes", severity=Severity.BLOCK, path=change.path, message=message))
    return tuple(findings)
