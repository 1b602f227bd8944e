"""Implement (step 2 of a run): carries a worker through one round, answering each step that it yields."""

from __future__ import annotations

import json
from dataclasses import replace

from benchdog.checks import CheckStatus
from benchdog.contract.scope import Refusal, refusal
from benchdog.errors import ContextOverflow
from benchdog.events import (
    Asked,
    ReplyInvalid,
    ReplyReceived,
    RequestSent,
    RoundEnded,
    RoundStarted,
    RunState,
    to_plain,
)
from benchdog.models.values import Reply, Request
from benchdog.runner.prepare import PATIENCE, settle_baseline
from benchdog.runner.session import Session
from benchdog.runner.verify import Judged, blocking, verify
from benchdog.verdict import FailureClass, Finding, Proof, Severity
from benchdog.worker.calls import read_reply
from benchdog.worker.loop import work
from benchdog.worker.steps import (
    Answer,
    Ask,
    Assignment,
    NeedsInput,
    Outcome,
    Record,
    Stalled,
    Step,
    Verification,
    Verify,
)

ASSUMED_CONTEXT = 8192  # tokens, where neither the server nor a person says what is in effect


def open_round(session: Session) -> None:
    """Begins the next round from the last candidate, with what the last one left or a person said."""
    state = session.state
    if state.round == 0:
        settle_baseline(session, patience=PATIENCE)
    left = tuple(finding for finding in state.round_left if finding.gate != "refine")
    first = state.rounds_used == 0  # since a person spoke: what was left before is theirs to say again
    findings = (*_wishes(state), *(() if first and state.wish else left))
    session.record(
        RoundStarted(
            round=state.round + 1,
            tree=state.candidate or session.base_tree,
            findings=findings,
            hint=state.answer,
        )
    )


def implement(session: Session) -> None:
    """One round: asks the model, lets its edits into the workspace, verifies, until the worker or the limits end it."""
    session.workspace.reset(session.state.candidate or session.base_tree)
    sitting = _Sitting(session)
    if sitting.finished_before():
        session.record(_ended(session, sitting.judged))
        return
    worker = work(_assignment(session), session.workspace, sitting.may_edit)
    answer: Answer = None
    try:
        while True:
            session.bench.cancel.check()
            step = worker.send(answer)
            answer = sitting.answer(step)
    except StopIteration as stop:
        outcome: Outcome = stop.value
    except ContextOverflow as error:
        outcome = Stalled(reason=error.message, failure_class=FailureClass.CONTEXT)
    finally:
        worker.close()
    _close_round(session, sitting, outcome)


class _Sitting:
    """Answers a worker's steps for one round."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.judged: Judged | None = None

    def finished_before(self) -> bool:
        """Whether this round was interrupted after work that holds already: then no model need be asked again."""
        state = self._session.state
        if state.candidate is None or state.candidate_round != state.round or state.candidate == state.round_tree:
            return False
        self.judged = verify(self._session, state.candidate, done=False)
        return self.judged.complete and self.judged.proof is not Proof.NONE

    def may_edit(self, path: str) -> Refusal | None:
        contract = self._session.contract
        classes = self._session.bench.configuration.settings.classes
        return refusal(path, contract.scope, classes=classes)

    def answer(self, step: Step) -> Answer:
        match step:
            case Ask(request=request, resample=resample):
                return self._ask(request, resample)
            case Record(event=ReplyInvalid() as event):  # the worker counts the requests of its round only
                self._session.record(replace(event, number=self._session.state.tally.requests))
                return None
            case Record(event=event):
                self._session.record(event)
                return None
            case Verify(done=done):
                return self._verify(done)

    def _ask(self, request: Request, resample: int) -> Reply:
        session = self._session
        number = session.state.tally.requests + 1
        digest = session.evidence.put(json.dumps(to_plain(request), sort_keys=True).encode())
        session.record(RequestSent(number=number, request=digest, resample=resample))
        reply = session.endpoint().ask(request, cancel=session.bench.cancel, on_delta=session.bench.watcher.delta)
        session.record(_received(session, number, request, reply))
        return reply

    def _verify(self, done: bool) -> Verification:
        session = self._session
        harvest = session.workspace.harvest_written()
        self.judged = verify(session, harvest.tree, done=done, leftovers=harvest.refused)
        red = tuple(result for result in self.judged.checks if result.status is not CheckStatus.GREEN)
        return Verification(
            findings=blocking(self.judged.findings),
            checks=red,
            finished=done or (self.judged.complete and self.judged.proof is not Proof.NONE),
        )


def _received(session: Session, number: int, request: Request, reply: Reply) -> ReplyReceived:
    plain = to_plain(reply) | {"body": reply.body.decode("utf-8", "replace")}
    reading = read_reply(reply, request.tools)
    return ReplyReceived(
        number=number,
        reply=session.evidence.put(json.dumps(plain, sort_keys=True).encode()),
        finish=reply.finish.value,
        calls=tuple(call.name for call in reading.calls),
        recovered=reading.recovered,
        prompt_tokens=reply.usage.prompt,
        cached_tokens=reply.usage.cached,
        completion_tokens=reply.usage.completion,
        first_token_seconds=reply.first_token_seconds,
        seconds=reply.seconds,
    )


def _assignment(session: Session) -> Assignment:
    """What the worker gets. All of it comes from the log, so a resumed round gets the same."""
    state, contract = session.state, session.contract
    results = {result.name: result for result in (*state.baseline, *state.checks)}
    failing = tuple(result for result in results.values() if result.status is not CheckStatus.GREEN)
    diff = session.evidence.get(state.diff).decode("utf-8", "replace") if state.diff and state.changes else ""
    return Assignment(
        contract=contract,
        round=state.round,
        context=(state.endpoint.context if state.endpoint else None) or ASSUMED_CONTEXT,
        turns=max(0, contract.limits.turns - state.turns),
        wall=max(0.0, contract.limits.wall - state.seconds_used),
        findings=state.round_findings,
        hint=state.round_hint,
        failing=failing,
        changed=tuple(change.path for change in state.changes),
        diff=diff,
    )


def _close_round(session: Session, sitting: _Sitting, outcome: Outcome) -> None:
    """Logs how the round ended. What was found last stays for the next round."""
    number = session.state.round
    match outcome:
        case NeedsInput(question=question, path=path):
            session.record(Asked(question=question, path=path))
            session.record(RoundEnded(round=number, outcome="asked"))
        case Stalled(reason=reason, failure_class=failure_class):
            left = blocking(sitting.judged.findings) if sitting.judged else session.state.round_findings
            ended = RoundEnded(
                round=number, outcome="stalled", findings=left, reason=reason, failure_class=failure_class
            )
            session.record(ended)
        case _:
            session.record(_ended(session, sitting.judged))


def _ended(session: Session, judged: Judged | None) -> RoundEnded:
    number = session.state.round
    if judged is None:  # the worker ended without a word: the tree as it stands is judged
        judged = verify(session, session.workspace.harvest_written().tree, done=True)
    if judged.complete and not _unanswered(session, judged):
        return RoundEnded(round=number, outcome="passed")
    return RoundEnded(
        round=number, outcome="findings", findings=blocking(judged.findings) or session.state.round_findings
    )


def _unanswered(session: Session, judged: Judged) -> bool:
    """A person's wish is answered at the least by a change."""
    return session.state.wish is not None and judged.tree == session.state.wish_tree


def _wishes(state: RunState) -> tuple[Finding, ...]:
    return (Finding(gate="refine", severity=Severity.BLOCK, message=state.wish.text),) if state.wish else ()
