"""Apply (step 8 of a run): the verified tree and no other enters the person's repository, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchdog.checks import CheckStatus
from benchdog.contract import Expect
from benchdog.errors import BenchdogError, Conflict, UserError
from benchdog.events import (
    Accepted,
    CheckFinished,
    CheckStarted,
    Landed,
    LandingAborted,
    LandingStarted,
    RolledBack,
    RunState,
    Stage,
)
from benchdog.gates import judge_all
from benchdog.gates.case import Case, CheckPair
from benchdog.repo import (
    Landing,
    MergeConflict,
    abort_landing,
    apply_commit,
    apply_files,
    continue_landing,
    merge,
    pending_journal,
    roll_back,
    undone_of,
)
from benchdog.runner.bench import Bench
from benchdog.runner.plan import in_order
from benchdog.runner.prepare import record_sandbox
from benchdog.runner.session import Session, open_session
from benchdog.runner.verify import blocking
from benchdog.verdict import Finding, Proof, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """What is to be landed: `tree` over `base`, where `base` is what lies in the person's tree now."""

    base: str
    tree: str


def accept(bench: Bench, run: str, *, tree: str | None = None) -> None:
    """Records that a person has read the candidate's diff and accepts it: proof enough for a held run.

    `tree` is the candidate that was shown; raises Conflict where the run has another one by now.
    """
    with open_session(bench, run) as session:
        state = session.state
        if state.outcome not in (Verdict.HELD, Verdict.PASSED) or state.candidate is None:
            raise UserError(f"run {run} is not held: there is nothing to accept", hint=f"benchdog show {run}")
        if tree not in (None, state.candidate):
            raise Conflict(f"run {run} has another candidate by now", hint=f"benchdog diff {run}")
        session.record(Accepted(tree=state.candidate, diff=state.diff))
        session.finish()


def land(bench: Bench, run: str, *, how: str = "files", name: str | None = None) -> RunState:
    """Lands a verified candidate: into the working tree (`files`), as a `commit`, or on the `branch` called `name`.

    Where the repository has moved on since the base, the merge is verified first. Raises UserError where the run may
    not land, Conflict where that would overwrite what changed meanwhile: nothing is written then.
    """
    with open_session(bench, run) as session, _sealing(session):
        _may_land(session, how)
        verified = _on_what_is_there(session)
        journal = f"{run}-{len(session.log.events)}"
        session.record(LandingStarted(how=how, tree=verified.tree, journal=journal))
        try:
            landing = _write(session, verified, journal, how, name)
        except BenchdogError as error:  # all is as before
            session.record(LandingAborted(reason=error.message))
            raise
        _landed(session, landing)
        return session.finish()


@contextmanager
def _sealing(session: Session) -> Iterator[None]:
    """Whatever ends the block, what it recorded is sealed and stands in the report."""
    try:
        yield
    except BenchdogError:
        session.finish()
        raise


def _may_land(session: Session, how: str) -> None:
    state, run = session.state, session.run
    if pending_journal(session.bench.repository) is not None:
        raise UserError(
            "an earlier landing was interrupted",
            hint="benchdog apply --continue finishes it, benchdog apply --abort takes it back",
        )
    if state.landing is not None and state.landing.state == "landed" and state.landed == state.candidate:
        raise UserError(f"run {run} has been applied already", hint=f"benchdog rollback {run} takes it back")
    if state.discarded:
        raise UserError(f"run {run} was discarded", hint=f"benchdog refine {run} TEXT goes on from its candidate")
    accepted = state.accepted is not None and state.accepted.tree == state.candidate
    if state.outcome is Verdict.HELD and not accepted:
        raise UserError(
            f"run {run} is held: nothing proves the work, so a person must read the diff first",
            hint=f"benchdog diff {run}, then benchdog apply {run} --accept",
        )
    if state.outcome not in (Verdict.PASSED, Verdict.HELD) or state.candidate is None:
        ended = state.outcome.value if state.outcome else "not finished"
        goes_on = state.outcome in (None, Verdict.CANCELLED, Verdict.ERROR)
        hint = f"benchdog {'resume' if goes_on else 'show'} {run}"
        raise UserError(f"run {run} is {ended}: only a verified tree lands", hint=hint)
    if how != "files" and not session.bench.repository.is_git:
        raise UserError(
            f"{session.bench.repository.root} is no git repository: --{how} needs one", hint="benchdog apply"
        )


def _on_what_is_there(session: Session) -> _Verified:
    """The candidate itself where nothing moved, else its merge with what is there now, verified again."""
    repository = session.bench.repository
    assert session.state.candidate is not None, "only a run with a candidate may land"
    current = repository.snapshot().tree
    if current == session.base_tree:
        return _Verified(base=current, tree=session.state.candidate)
    merged = merge(repository, session.base_tree, current, session.state.candidate)
    if isinstance(merged, MergeConflict):
        raise Conflict(
            f"these files changed since the run began, where the run changed them too: {', '.join(merged.paths)}",
            paths=merged.paths,
            hint=f"benchdog run with the contract of benchdog save {session.run} starts again from today's tree",
        )
    if merged.tree == current:
        raise UserError("the tree already holds everything that this run changed", hint="there is nothing to apply")
    _hold_accepted(session, current, merged.tree)
    findings = _judge_merged(session, current, merged.tree)
    if findings:
        raise UserError(
            "merged with what changed meanwhile, it no longer holds:\n" + "\n".join(f.message for f in findings),
            hint="nothing was written; run the contract again from today's tree",
        )
    return _Verified(base=current, tree=merged.tree)


def _hold_accepted(session: Session, current: str, merged: str) -> None:
    """What a person accepted is a diff: where nothing else proves the work, the merge must be that very diff."""
    if session.state.proof is not Proof.ACCEPTED:
        return
    if session.bench.repository.changes(current, merged) != session.state.changes:
        raise Conflict(
            "the files that this run changed have changed since: what would land is not the diff that was accepted",
            paths=tuple(change.path for change in session.state.changes),
            hint="run the contract again from today's tree",
        )


def _judge_merged(session: Session, current: str, merged: str) -> tuple[Finding, ...]:
    """Gates and every check over the merged tree, against what is there now."""
    contract = session.contract
    record_sandbox(session)
    here = session.baseline_of(current)
    session.clean_room.reset(merged)
    pairs = []
    for check in in_order(contract.checks, session.state.baseline):
        base = here.run_now(check, afresh=True)
        session.record(CheckStarted(stage=Stage.LANDING, name=check.name))
        run = session.check(check, base=current)
        session.record(CheckFinished(stage=Stage.LANDING, tree=merged, result=run.result))
        pairs.append(
            CheckPair(
                check=replace(check, witness=False),  # the work was proven on its own base
                base=base.result,
                candidate=run.result,
                base_tests=base.tests,
                candidate_tests=run.tests,
            )
        )
        if run.result.status is not CheckStatus.GREEN and check.expect is Expect.GREEN:
            break
    changes = session.bench.repository.changes(current, merged)
    case = Case(
        contract=contract,
        base=session.view(current),
        candidate=session.view(merged),
        changes=changes,
        checks=tuple(pairs),
        classes=session.bench.configuration.settings.classes,
        lent=tuple(lent.path for lent in session.check_context.lent),
        filtered=session.filtered(changes),
    )
    return tuple(f for _, findings in judge_all(case, with_checks=True) for f in blocking(findings))


def _write(session: Session, verified: _Verified, journal: str, how: str, name: str | None) -> Landing:
    repository, clock = session.bench.repository, session.bench.clock
    if how == "files":
        return apply_files(repository, verified.base, verified.tree, journal, clock)
    message = _message(session)
    return apply_commit(
        repository, verified.base, verified.tree, journal, how=how, name=name, message=message, clock=clock
    )


def _message(session: Session) -> str:
    goal = " ".join(session.contract.goal.split())
    title = goal if len(goal) <= 72 else goal[:71] + "…"
    body = f"\n\n{goal}" if title != goal else ""
    model = session.state.endpoint.model if session.state.endpoint else "a local model"
    trailers = f"Assisted-by: {model} (benchdog)\nBenchdog-Run: {session.run}\nBenchdog-Evidence: {session.head}\n"
    return f"{title}{body}\n\n{trailers}"


def _landed(session: Session, landing: Landing) -> None:
    state = session.state.landing
    assert state is not None, "a landing was started"
    session.record(
        Landed(
            how=state.how,
            tree=state.tree,
            paths=landing.paths,
            commit=landing.commit,
            ref=landing.ref,
            notes=landing.notes,
        )
    )


def finish_landing(bench: Bench, *, forward: bool) -> RunState:
    """Ends a landing that was interrupted: `forward` completes it, else every file is as it was before.

    Raises UserError where there is none, Conflict where a file was changed by somebody else since.
    """
    pending = pending_journal(bench.repository)
    if pending is None:
        raise UserError("no landing was interrupted here", hint="benchdog runs lists what there is")
    with open_session(bench, pending.id.rsplit("-", 1)[0]) as session, _sealing(session):
        # A roll-back that was interrupted goes forward to "rolled back", and is aborted back to "landed".
        lands = forward is not pending.rolling_back
        try:
            done = (continue_landing if forward else abort_landing)(bench.repository, pending)
        except Conflict:
            if not forward:  # what somebody changed since is kept, all else is as before: it is over
                session.record(LandingAborted(reason="taken back by a person, but for what was changed since"))
            raise
        if lands:
            _landed(session, done)
        elif forward:
            undone = undone_of(bench.repository, pending.id)
            session.record(RolledBack(paths=done.paths, commit=undone.commit if undone else None))
        else:
            session.record(LandingAborted(reason="taken back by a person"))
        return session.finish()


def take_back(bench: Bench, run: str) -> RunState:
    """Undoes what a run landed. Raises UserError where it landed nothing, Conflict where a file changed since."""
    with open_session(bench, run) as session:
        landing = session.state.landing
        if landing is None or landing.state != "landed":
            raise UserError(f"run {run} has not been applied", hint=f"benchdog apply {run}")
        undone = roll_back(bench.repository, landing.journal, bench.clock)
        session.record(RolledBack(paths=undone.paths, commit=undone.commit))
        return session.finish()
