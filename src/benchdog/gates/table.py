"""Every gate, in the order in which they are asked. A new gate is one file and one row here."""

from __future__ import annotations

from benchdog.gates import checks, classes, deliverables, empty, filters, leftovers, lent, modes, scope, size
from benchdog.gates.case import Case, Gate
from benchdog.verdict import Finding

GATES: tuple[Gate, ...] = (
    Gate("empty", empty.judge),
    Gate("scope", scope.judge),
    Gate("classes", classes.judge),
    Gate("modes", modes.judge),
    Gate("lent", lent.judge),
    Gate("filters", filters.judge),
    Gate("size", size.judge),
    Gate("deliverables", deliverables.judge),
    Gate("leftovers", leftovers.judge),
    Gate("checks", checks.judge, needs_checks=True),
)


def judge_all(case: Case, *, with_checks: bool) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """Each gate's name and its findings. `with_checks` False leaves out the gates that need checks to have run."""
    return tuple((gate.name, gate.judge(case)) for gate in GATES if with_checks or not gate.needs_checks)
