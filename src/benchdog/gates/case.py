"""What a gate judges, as a value, and the shape of a gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchdog.checks import CheckResult, TestReport
from benchdog.contract import Check, Contract, PathClass
from benchdog.trees import Change, TreeView
from benchdog.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPair:
    """A check's result on the base (None: not run there) and on the candidate (None: not run yet).

    The test reports hold all ids, where the runner told them.
    """

    check: Check
    base: CheckResult | None
    candidate: CheckResult | None
    base_tests: TestReport | None = None
    candidate_tests: TestReport | None = None
    witness: bool = False
    """Whether this check is a red-then-green witness of this run (by the contract, or marked by benchdog)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A candidate before the gates. `changes` are those between `base` and `candidate`, ordered by path.

    `classes` are the settings' additions to path classes. `leftovers` are paths that the worker left in its
    workspace outside of what the candidate may contain. `lent` are paths that git ignores, of which checks see the
    person's own and not the candidate's. `filtered` are changed paths that git stores in another form.
    """

    contract: Contract
    base: TreeView
    candidate: TreeView
    changes: tuple[Change, ...]
    checks: tuple[CheckPair, ...] = ()
    classes: Mapping[PathClass, tuple[str, ...]] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """A deterministic rule: a name and a pure function from a case to findings.

    `needs_checks` gates are asked again after checks ran; the others before any check starts.
    """

    name: str
    judge: Callable[[Case], tuple[Finding, ...]]
    needs_checks: bool = False
