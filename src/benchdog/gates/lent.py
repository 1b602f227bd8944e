"""Gate `lent`: nothing changes where checks see what is lent to them: they would judge that, and not the candidate."""

from __future__ import annotations

from benchdog.gates.case import Case
from benchdog.verdict import Finding, Severity


def judge(case: Case) -> tuple[Finding, ...]:
    lent = tuple(path.rstrip("/") for path in case.lent)
    findings = []
    for change in case.changes:
        over = next((path for path in lent if change.path == path or change.path.startswith(f"{path}/")), None)
        if over is None:
            continue
        message = (
            f"checks see the lent copy of {over!r}, not this file {change.path!r}: undo it, or a person adds it to "
            f'.gitignore\'s exceptions or sets `[sandbox] fresh = ["{over}"]`'
        )
        findings.append(Finding(gate="lent", severity=Severity.BLOCK, path=change.path, message=message))
    return tuple(findings)
