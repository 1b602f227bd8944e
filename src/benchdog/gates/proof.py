"""Why a green candidate may be believed: what was red and is green, or what was missing and is there.

A witness convinces only while it is the one that was red: where the candidate took lines out of tests that stood on
the base (the contract may open them), a person must read the diff.
"""

from __future__ import annotations

from benchdog.contract import PathClass
from benchdog.contract.classes import classes_of
from benchdog.gates.case import Case
from benchdog.gates.checks import judge_pair, turned_green
from benchdog.gates.deliverables import lacking, requires_content
from benchdog.trees import Change
from benchdog.verdict import Proof


def prove(case: Case) -> Proof:
    """The best proof that the case shows. It says nothing about whether the candidate passes the gates."""
    if not case.changes:
        return Proof.NONE
    if _witnessed(case) and not _tests_weakened(case):
        return Proof.WITNESS
    return Proof.DELIVER if _delivered(case) else Proof.NONE


def _witnessed(case: Case) -> bool:
    return any(pair.witness and turned_green(pair) and not judge_pair(pair) for pair in case.checks)


def _tests_weakened(case: Case) -> bool:
    return any(
        _rewrites(change) and PathClass.TESTS in classes_of(change.path, case.classes) for change in case.changes
    )


def _rewrites(change: Change) -> bool:
    """Whether something that stood on the base is no longer there."""
    if change.before is None:
        return False
    return change.after is None or change.binary or change.removed > 0 or change.before.mode is not change.after.mode


def _delivered(case: Case) -> bool:
    """Required content that the base lacks and the candidate has. A path alone proves nothing: it may be empty."""
    return any(
        requires_content(each) and lacking(case.base, each) is not None and lacking(case.candidate, each) is None
        for each in case.contract.deliver
    )
