"""A run from its contract to its verdict. The loop is one function; the log is the run, so the same loop resumes it."""

from __future__ import annotations

from collections.abc import Callable

from benchdog import __version__
from benchdog.contract import Contract
from benchdog.contract.flags import widened
from benchdog.contract.write import write_contract
from benchdog.errors import Cancelled, EndpointError, HostError, StoreError, UserError
from benchdog.events import Answered, Discarded, Refined, Resumed, RunStarted, RunState
from benchdog.gates.proof import prove, proved_by, spoiled_by
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import RunLog
from benchdog.models.transport import warm_up
from benchdog.runner.bench import Bench
from benchdog.runner.decide import Shown, decide, failed
from benchdog.runner.implement import implement, open_round
from benchdog.runner.plan import Phase, next_phase
from benchdog.runner.prepare import pin_endpoint, ready_sandbox, see_again, take_base
from benchdog.runner.session import Session, open_session
from benchdog.runner.verify import build_case
from benchdog.system.places import run_place
from benchdog.system.randomness import new_id
from benchdog.verdict import Verdict


def begin(bench: Bench, contract: Contract) -> str:
    """Opens a new run of `contract` and returns its id. Nothing is carried out yet."""
    run = new_id()
    place = run_place(bench.environment.state, run)
    with RunLog.create(place, run, bench.clock) as log:
        digest = Evidence(place).put(write_contract(contract).encode("utf-8", "surrogateescape"))
        started = RunStarted(
            run=run,
            root=str(bench.repository.root),
            goal=contract.goal,
            contract=digest,
            version=__version__,
            unsafe=bench.unsafe,
        )
        bench.watcher.event(log.append(started))
    return run


def carry_out(bench: Bench, run: str) -> RunState:
    """Carries a run on from wherever it stands to its verdict, and writes its report.

    Raises what a person must settle before the run exists at all (UserError while another process carries it out,
    CorruptLog, StoreError); all other failures end the run with a verdict of their own.
    """
    with open_session(bench, run) as session:
        try:
            _advance(session)
        except StoreError:
            raise  # the log itself cannot be written: nothing more can be said in it
        except (Cancelled, EndpointError, HostError, UserError) as error:
            session.record(failed(session.state, error))
        return session.finish()


def _advance(session: Session) -> None:
    """One phase after the other until there is a verdict."""
    if session.state.endpoint is None:
        warm_up()
    while (phase := next_phase(session.state, session.contract)) is not Phase.FINISH:
        session.bench.cancel.check()
        _PHASES[phase](session)


def _decide(session: Session) -> None:
    shown = Shown()
    if session.state.round_outcome == "passed":
        see_again(session, proved_by(build_case(session)))
        case = build_case(session)
        shown = Shown(proof=prove(case), by=proved_by(case), spoiled=spoiled_by(case))
    session.record(decide(session.state, shown))


_PHASES: dict[Phase, Callable[[Session], None]] = {
    Phase.SNAPSHOT: take_base,
    Phase.SANDBOX: ready_sandbox,
    Phase.CONNECT: pin_endpoint,
    Phase.OPEN_ROUND: open_round,
    Phase.IMPLEMENT: implement,
    Phase.DECIDE: _decide,
}


def resume(bench: Bench, run: str) -> RunState:
    """Goes on with a run that was interrupted, or that the machine or a server ended.

    Raises UserError where the run ended with a verdict on the work: `refine` goes on from there.
    """
    with open_session(bench, run) as session:
        verdict = session.state.outcome
        if verdict in (None, Verdict.CANCELLED, Verdict.ERROR):
            session.record(Resumed(version=__version__))
        elif verdict is Verdict.NEEDS_INPUT:
            raise UserError(f"run {run} waits for an answer", hint=f'benchdog answer {run} "…"')
        elif verdict is not None:
            session.finish()  # it may have been killed before its report was written
            raise UserError(f"run {run} ended as {verdict.value}", hint=f"benchdog refine {run} TEXT goes on from it")
    return carry_out(bench, run)


def answer(bench: Bench, run: str, text: str, allow: tuple[str, ...] = ()) -> None:
    """Records a person's answer, and the wider contract where paths were allowed. `carry_out` goes on from there."""
    with open_session(bench, run) as session:
        if session.state.outcome is not Verdict.NEEDS_INPUT:
            raise UserError(f"run {run} asks nothing", hint=f"benchdog show {run}")
        if not text and not allow:
            raise UserError("an answer is a text, or --allow PATH", hint=f'benchdog answer {run} "…"')
        wider = widened(session.contract, allow, root=session.state.started.root if session.state.started else "")
        digest = session.evidence.put(write_contract(wider).encode("utf-8", "surrogateescape"))
        said = text or f"You may now change {', '.join(allow)}."
        session.record(Answered(text=said, contract=digest))


def refine(bench: Bench, run: str, text: str) -> None:
    """Records what a person wants more from this candidate; `carry_out` goes on from there."""
    if not text.strip():
        raise UserError("say what is to be different", hint=f'benchdog refine {run} "…"')
    with open_session(bench, run) as session:
        if session.state.base is None or session.state.round == 0:
            raise UserError(f"run {run} has no candidate to refine", hint=f"benchdog resume {run}")
        session.record(Refined(text=text))


def discard(bench: Bench, run: str) -> RunState:
    """Marks a run's candidate as not wanted. The evidence stays."""
    with open_session(bench, run) as session:
        if session.state.landing is not None and session.state.landing.state == "landed":
            raise UserError(f"run {run} has been applied", hint=f"benchdog rollback {run}")
        session.record(Discarded())
        return session.finish()
