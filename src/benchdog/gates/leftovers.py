"""Gate `leftovers`: what the worker left in its workspace and the candidate does not contain is named."""

from __future__ import annotations

from benchdog.gates.case import Case
from benchdog.verdict import Finding, Severity


def judge(case: Case) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            gate="leftovers",
            severity=Severity.WARN,
            path=path,
            message=f"{path!r} was left in the workspace; it is not part of the candidate and will not land",
        )
        for path in case.leftovers
    )
