"""Why a green candidate may be believed: what was red and is green, or what was missing and is there.

A witness convinces only while what it measures with stands as it stood: where the candidate touched that
(`instruments.py` says what it is), a person must read the diff.
"""

from __future__ import annotations

from benchdog.gates.case import Case, CheckPair
from benchdog.gates.checks import judge_pair, turned_green
from benchdog.gates.deliverables import lacking, requires_content
from benchdog.gates.instruments import touched
from benchdog.verdict import Proof


def prove(case: Case) -> Proof:
    """The best proof that the case shows. It says nothing about whether the candidate passes the gates."""
    if _witnesses(case):
        return Proof.WITNESS
    return Proof.DELIVER if _delivered(case) else Proof.NONE


def proved_by(case: Case) -> tuple[str, ...]:
    """What `prove` rests on: the names of the checks that are witnesses, else the paths that were delivered."""
    return _witnesses(case) or _delivered(case)


def spoiled_by(case: Case) -> tuple[str, ...]:
    """The changed paths for which checks that turned green are no witnesses; empty where nothing spoiled one."""
    return tuple(sorted({path for pair in _turned(case) for path in touched(case, pair)}))


def _witnesses(case: Case) -> tuple[str, ...]:
    return tuple(pair.check.name for pair in _turned(case) if not touched(case, pair))


def _turned(case: Case) -> tuple[CheckPair, ...]:
    if not case.changes:
        return ()
    return tuple(pair for pair in case.checks if pair.witness and turned_green(pair) and not judge_pair(pair))


def _delivered(case: Case) -> tuple[str, ...]:
    """Required content that the base lacks and the candidate has. A path alone proves nothing: it may be empty."""
    if not case.changes:
        return ()
    return tuple(
        each.path
        for each in case.contract.deliver
        if requires_content(each) and lacking(case.base, each) is not None and lacking(case.candidate, each) is None
    )
