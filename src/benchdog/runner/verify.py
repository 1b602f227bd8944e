"""Verify (step 3 of a run): gates over the candidate's tree, then checks in the clean room, cheapest first."""

from __future__ import annotations

from dataclasses import dataclass

from benchdog.checks import CheckResult, CheckStatus
from benchdog.contract import Check, Contract, When
from benchdog.events import CandidateTaken, CheckFinished, CheckStarted, GateFinished, Stage
from benchdog.gates import judge_all
from benchdog.gates.case import Case, CheckPair
from benchdog.gates.checks import judge_pair
from benchdog.gates.proof import prove
from benchdog.runner.plan import due, in_order, witnesses
from benchdog.runner.prepare import settle_baseline
from benchdog.runner.session import Session
from benchdog.verdict import Finding, Proof, Severity

# Findings that work in progress may still answer: no reason to keep the checks from running.
_UNFINISHED = frozenset({"deliverables", "empty"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What verification came to. `complete`: every check ran whole on this tree and everything holds."""

    tree: str
    findings: tuple[Finding, ...]
    checks: tuple[CheckResult, ...]
    complete: bool
    proof: Proof


def blocking(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.severity is Severity.BLOCK)


def take_candidate(session: Session, tree: str) -> None:
    """Records the tree that the worker left, with its changes and its diff as evidence."""
    if tree == session.state.candidate:
        return
    repository = session.bench.repository
    diff = session.evidence.put(repository.diff(session.base_tree, tree))
    changes = repository.changes(session.base_tree, tree)
    session.record(CandidateTaken(round=session.state.round, tree=tree, changes=changes, diff=diff))


def verify(session: Session, tree: str, *, done: bool, leftovers: tuple[str, ...] = ()) -> Judged:
    """Judges `tree`. While the work goes on (`done` False) only the checks that are due after a reply run, unless
    they show that the work may be finished: then all run, the last of them those that are due only at the end.
    """
    take_candidate(session, tree)
    findings = _gates(session, leftovers, with_checks=False)
    if {finding.gate for finding in blocking(findings)} - _UNFINISHED:
        return _judged(session, findings, complete=False)
    settle_baseline(session)
    for when in (When.REPLY, When.ROUND, When.FINAL):
        if when is not When.REPLY and not done and not _promising(session, findings):
            break
        if not _run_due(session, when):
            break
    findings = _gates(session, leftovers, with_checks=True)
    return _judged(session, findings, complete=not blocking(findings) and not _not_run(session))


def _promising(session: Session, findings: tuple[Finding, ...]) -> bool:
    """Whether nothing is missing so far, and something proves the work or is about to."""
    if blocking(findings):
        return False
    unseen = {check.name for check in _not_run(session)} & _witness_names(session)
    return bool(unseen) or prove(build_case(session)) is not Proof.NONE


def _not_run(session: Session) -> tuple[Check, ...]:
    ran = {result.name for result in session.state.checks}
    return tuple(check for check in session.contract.checks if check.name not in ran)


def _witness_names(session: Session) -> frozenset[str]:
    return witnesses(session.contract, session.state.baseline)


def _run_due(session: Session, when: When) -> bool:
    """Runs the checks of this occasion that have no result on this tree yet; stops at the first red. True: all hold."""
    state, contract = session.state, session.contract
    base = {result.name: result for result in state.baseline}
    ran = {result.name for result in state.checks}
    assert state.candidate is not None, "a candidate is taken before checks run"
    for check in in_order(contract.checks, state.baseline):
        if check.name in ran or due(check, base.get(check.name)) is not when:
            continue
        session.bench.cancel.check()
        if session.clean_room.tree != state.candidate:
            session.clean_room.reset(state.candidate)
        stage = Stage(when.value)
        session.record(CheckStarted(stage=stage, name=check.name))
        run = session.check(check)
        session.record(CheckFinished(stage=stage, tree=state.candidate, result=run.result))
        if run.result.status is not CheckStatus.GREEN and not _tolerated(session, check.name):
            return False
    return True


def _tolerated(session: Session, name: str) -> bool:
    """A red check whose every failure stood before, where the contract asks only for no worse."""
    pairs = _pairs(session, session.contract)
    return not any(blocking(judge_pair(pair)) for pair in pairs if pair.check.name == name)


def _gates(session: Session, leftovers: tuple[str, ...], *, with_checks: bool) -> tuple[Finding, ...]:
    """Runs the gates and logs each; those that need no checks are logged once a tree."""
    case = build_case(session, leftovers)
    found: list[Finding] = []
    for gate, findings in judge_all(case, with_checks=with_checks):
        known = tuple(f for f in session.state.findings if f.gate == gate)
        if gate not in session.state.gates or known != findings:
            session.record(GateFinished(gate=gate, findings=findings))
        found += findings
    return tuple(found)


def build_case(session: Session, leftovers: tuple[str, ...] = ()) -> Case:
    """The candidate as the gates see it."""
    state = session.state
    assert state.candidate is not None, "there is a candidate"
    contract = session.contract
    return Case(
        contract=contract,
        base=session.view(session.base_tree),
        candidate=session.view(state.candidate),
        changes=state.changes,
        checks=_pairs(session, contract),
        classes=session.bench.configuration.settings.classes,
        leftovers=leftovers,
        lent=tuple(lent.path for lent in session.check_context.lent),
        filtered=session.filtered(state.changes),
    )


def _pairs(session: Session, contract: Contract) -> tuple[CheckPair, ...]:
    base = {result.name: result for result in session.state.baseline}
    now = {result.name: result for result in session.state.checks}
    proof = _witness_names(session)
    return tuple(
        CheckPair(
            check=check,
            base=base.get(check.name),
            candidate=now.get(check.name),
            base_tests=session.tests(base[check.name].report) if check.name in base else None,
            candidate_tests=session.tests(now[check.name].report) if check.name in now else None,
            witness=check.name in proof,
        )
        for check in contract.checks
    )


def _judged(session: Session, findings: tuple[Finding, ...], *, complete: bool) -> Judged:
    assert session.state.candidate is not None, "a candidate was taken"
    return Judged(
        tree=session.state.candidate,
        findings=findings,
        checks=session.state.checks,
        complete=complete,
        proof=prove(build_case(session)) if complete else Proof.NONE,
    )
