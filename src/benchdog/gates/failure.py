"""Why a run did not pass, in one word: counted by model in statistics."""

from __future__ import annotations

from collections.abc import Sequence

from benchdog.verdict import FailureClass, Finding, Severity

_SCOPE_GATES = frozenset({"scope", "classes", "modes"})


def failure_class(
    findings: Sequence[Finding],
    *,
    claims: Sequence[str] = (),
    refusals: int = 0,
    outcome: FailureClass | None = None,
) -> FailureClass:
    """The class of a run that these findings ended.

    `claims` are what the worker said of its work, `refusals` how many of its edits were refused for the scope,
    `outcome` the class that the worker's own end already carries (stalled), which wins.

    A candidate that leaves the scope is `scope`, whatever else is wrong, and so is one that is empty because all its
    edits were refused for the scope. Else a worker that said it was done while something blocks made a false claim.
    """
    if outcome is not None:
        return outcome
    gates = {finding.gate for finding in findings if finding.severity is Severity.BLOCK}
    if gates & _SCOPE_GATES or (refusals and "empty" in gates):
        return FailureClass.SCOPE
    if claims and gates & {"checks", "empty", "deliverables"}:
        return FailureClass.FALSE_CLAIM
    return FailureClass.WRONG_WORK
