"""Decide (step 6 of a run): from the state of a finished work to its verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from benchdog.errors import BenchdogError, Cancelled, UserError
from benchdog.events import RunState, VerdictReached
from benchdog.gates.failure import failure_class
from benchdog.verdict import FailureClass, Finding, Proof, Severity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What shows the candidate's worth, where all holds: by which checks or deliverables. `spoiled` are changed paths
    for which a check that turned green proves nothing.
    """

    proof: Proof = Proof.NONE
    by: tuple[str, ...] = ()
    spoiled: tuple[str, ...] = ()


def decide(state: RunState, shown: Shown) -> VerdictReached:
    """The verdict of a run whose rounds are over.

    A model's word is nowhere in this: only gates, checks and how the rounds ended.
    """
    if state.round_outcome == "asked" and state.asked is not None:
        return _asked(state)
    if state.round_outcome == "passed":
        return _green(state, shown)
    blocking = tuple(f for f in state.round_left if f.severity is Severity.BLOCK)
    if state.round_outcome == "stalled":
        return VerdictReached(
            verdict=Verdict.STALLED,
            proof=Proof.NONE,
            reason=(state.round_ended.reason if state.round_ended else "") or "no progress",
            tree=state.candidate,
            failure_class=state.round_ended.failure_class if state.round_ended else None,
            next_step="benchdog diff @ shows what there is; benchdog refine @ HINT goes on from it",
        )
    return _rejected(state, blocking)


def _green(state: RunState, shown: Shown) -> VerdictReached:
    if shown.proof is Proof.NONE:
        return VerdictReached(
            verdict=Verdict.HELD,
            proof=shown.proof,
            reason=f"all gates and checks hold, but {_unproven(shown)}",
            tree=state.candidate,
            next_step="read it: benchdog diff @ · then benchdog apply @ asks you to accept it",
        )
    what = "red before, green now" if shown.proof is Proof.WITNESS else "not there before, delivered now"
    return VerdictReached(
        verdict=Verdict.PASSED,
        proof=shown.proof,
        reason=f"all gates and checks hold; {what}: {', '.join(shown.by)}",
        tree=state.candidate,
        next_step="benchdog apply @",
    )


def _unproven(shown: Shown) -> str:
    if shown.spoiled:
        return f"what turned green proves nothing: it rests on {', '.join(shown.spoiled[:3])}, changed on the way"
    return "they held before as well: nothing proves the work"


def _asked(state: RunState) -> VerdictReached:
    assert state.asked is not None
    path = state.asked.path
    how = f"benchdog answer @ --allow {path}" if path else 'benchdog answer @ "…"'
    return VerdictReached(
        verdict=Verdict.NEEDS_INPUT,
        proof=Proof.NONE,
        reason=state.asked.question,
        tree=state.candidate,
        failure_class=FailureClass.SCOPE if path else None,
        next_step=how,
    )


def _rejected(state: RunState, blocking: tuple[Finding, ...]) -> VerdictReached:
    first = blocking[0] if blocking else None
    place = f"{first.path}:{first.line}" if first and first.path and first.line else (first.path if first else None)
    reason = f"{first.gate}: {first.message}" if first else "the rounds are used up"
    return VerdictReached(
        verdict=Verdict.REJECTED,
        proof=Proof.NONE,
        reason=f"{place}: {reason}" if place else reason,
        tree=state.candidate,
        failure_class=failure_class(blocking, claims=state.claims, refusals=state.scope_refusals),
        next_step="benchdog diff @ shows the candidate; benchdog refine @ HINT goes on from it",
    )


def failed(state: RunState, error: BenchdogError) -> VerdictReached:
    """The verdict of a run that something outside of it ended."""
    if isinstance(error, Cancelled):
        return VerdictReached(
            verdict=Verdict.CANCELLED,
            proof=Proof.NONE,
            reason="interrupted; what was done so far is kept",
            tree=state.candidate,
            next_step="benchdog resume @",
        )
    environment = isinstance(error, UserError)
    return VerdictReached(
        verdict=Verdict.ERROR,
        proof=Proof.NONE,
        reason=error.message,
        tree=state.candidate,
        failure_class=FailureClass.ENVIRONMENT if environment else FailureClass.INFRASTRUCTURE,
        next_step=error.hint or "mend it, then benchdog resume @",
    )
