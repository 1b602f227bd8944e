"""The worker's loop: a generator that yields what it wants done and is sent the answers (see steps.py).

    ask -> read the reply -> carry its calls out -> verify where something changed -> say what was found -> ask …

A reply that cannot be used is not kept: it is asked again from the same prefix with other sampling, at last with one
line of correction. When the next reply would not fit the window, a fresh one is built from the goal, the files as
they are and the last failure. Limits are looked at in one place, before each request.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from benchdog.events import ClaimMade, Intervened, ReplyInvalid
from benchdog.models.values import Finish, Reply, Request, Sampling, ToolCall
from benchdog.verdict import FailureClass
from benchdog.worker.calls import Reading, read_reply
from benchdog.worker.desk import Answered, Desk, MayEdit
from benchdog.worker.prompt import TooLarge
from benchdog.worker.questions import idle_question
from benchdog.worker.says import correction, found, narrowed
from benchdog.worker.shift import Shift
from benchdog.worker.steps import (
    Answer,
    Ask,
    Assignment,
    Finished,
    NeedsInput,
    Outcome,
    Record,
    Stalled,
    Step,
    Verification,
    Verify,
    Work,
    Workspace,
)
from benchdog.worker.tools import EXPLORING, TOOLS
from benchdog.worker.watchdog import STOPPED, TOLD

TRIES = 5  # at one prompt: the first, three with other sampling, one with a correction
STRIKES = 2  # prompts in a row that brought no reply that can be used

Steps = Generator[Step, Answer, "Outcome | None"]


def work(assignment: Assignment, workspace: Workspace, may_edit: MayEdit) -> Work:
    """Carries out one round. Yields steps, is sent their answers, returns the outcome."""
    shift = Shift(assignment, Desk(assignment.contract, workspace, may_edit, assignment.context))
    fresh = shift.open_window()
    while not isinstance(fresh, TooLarge):
        limit = shift.limit()
        if limit is not None:
            return limit
        reading = yield from _usable_reply(shift)
        if reading is None and shift.stalled is not None:
            return shift.stalled
        if reading is None and shift.holds:
            yield from _verified(done=True)  # it has nothing more to do, and only gates and checks were asked
            return Finished()
        if reading is None:
            if shift.strikes >= STRIKES:
                return Stalled(reason=shift.why_unusable(), failure_class=FailureClass.TOOL_USE)
            fresh = shift.open_window(correction(shift.last_fault))
            continue
        outcome = yield from _carry_out(shift, reading)
        if outcome is not None:
            return outcome
        if not shift.has_room():
            fresh = shift.open_window()
            yield Record(event=Intervened(action="rebuilt", reason="the next reply would not fit the window"))
    return Stalled(reason=fresh.reason, failure_class=FailureClass.CONTEXT)


def _usable_reply(shift: Shift) -> Generator[Step, Answer, Reading | None]:
    """A reply that can be used, appended to the window; None where no try brought one."""
    for attempt in range(TRIES):
        corrected = correction(shift.last_fault) if attempt == TRIES - 1 or shift.repeated > 1 else ""
        request = shift.request(_sampling(shift, attempt), corrected)
        reply = yield from _asked(request, attempt)
        shift.count(reply)
        reading = _judged(shift, reply)
        if reading.fault is None:
            shift.keep(reply, reading, corrected)
            return shift.reading
        shift.last_fault = reading
        yield Record(event=ReplyInvalid(number=shift.asked, fault=reading.fault, detail=reading.detail))
        yield from _circling(shift, reading)
        if shift.out_of_time() or shift.stalled is not None:
            break
    shift.strikes += 1
    return None


def _circling(shift: Shift, reading: Reading) -> Generator[Step, Answer, None]:
    """Says once that a call comes again and again, and stops the round when that does not help."""
    if reading.fault != "repeated":
        return
    shift.repeated += 1
    if shift.repeated == 1:
        yield Record(event=Intervened(action="told", reason=reading.detail))
    if shift.repeated > STOPPED - TOLD:
        reason = f"the same call came {STOPPED} times, and nothing changed in between"
        yield Record(event=Intervened(action="stopped", reason=reason))
        shift.stalled = Stalled(reason=reason, failure_class=shift.lost_class())


def _asked(request: Request, attempt: int) -> Generator[Step, Answer, Reply]:
    reply = yield Ask(request=request, resample=attempt)
    assert isinstance(reply, Reply), "an Ask is answered with a reply"
    return reply


def _verified(*, done: bool) -> Generator[Step, Answer, Verification]:
    verification = yield Verify(done=done)
    assert isinstance(verification, Verification), "a Verify is answered with a verification"
    return verification


def _sampling(shift: Shift, attempt: int) -> Sampling:
    """The first try as it is; each further one warmer and with a seed of its own, the same on every run."""
    if attempt == 0 and shift.strikes == 0:
        return Sampling()
    heat = Sampling().temperature + 0.25 * min(3, attempt + shift.strikes)
    return Sampling(temperature=heat, seed=1000 * shift.asked + attempt + 1)


def _judged(shift: Shift, reply: Reply) -> Reading:
    """The reply's calls, or why it is not used."""
    reading = read_reply(reply, TOOLS)
    if reading.fault == "cut" and reply.finish is Finish.LENGTH:
        return replace(reading, detail="it was cut because it is too long: make one smaller edit at a time")
    for call in reading.calls:
        if call.name == "ask" and idle_question(call.arguments["question"], shift.assignment.contract.goal):
            return Reading(fault="question", detail="the question says nothing but the task: do the task instead")
    if reading.calls and shift.watch.repeats(reading.calls):
        return Reading(
            fault="repeated", detail="the same call was answered twice already, and nothing has changed since"
        )
    return reading


def _carry_out(shift: Shift, reading: Reading) -> Steps:
    """Does what a reply asks for and tells the model what came of it; the outcome where the round ends."""
    calls = reading.calls
    if shift.watch.narrowed and all(call.name in EXPLORING for call in calls):
        return (yield from _turn_back(shift, calls))
    answered = shift.desk.carry_out(calls)
    for event in answered.events:
        yield Record(event=event)
    shift.note(calls, answered)
    ending = yield from _ending(shift, calls, answered)
    if ending is not None:
        return ending
    verification = None
    if answered.changed:
        verification = yield from _verified(done=False)
        if verification.finished:
            return Finished()
        shift.found(verification)
    stopped = yield from _watched(shift)
    if stopped is None:
        shift.answer(calls, _texts(shift, calls, answered), found(verification) if verification else "")
    return stopped


def _ending(shift: Shift, calls: tuple[ToolCall, ...], answered: Answered) -> Steps:
    """The outcome of `done`, `ask` and `ask_scope`, where they are taken. What was edited is harvested before."""
    for call in calls:
        path = shift.desk.plain_path(call.arguments["path"]) if call.name == "ask_scope" else None
        wants = call.name == "ask_scope" and not shift.may_change(path or "")
        if wants or (call.name == "ask" and shift.looked):
            if answered.changed:
                yield from _verified(done=False)
            question = call.arguments["reason"] if wants else call.arguments["question"]
            return NeedsInput(question=question, path=path if wants else None)
    claims = [call for call in calls if call.name == "done"]
    if not claims or answered.refused:
        return None
    claim = str(claims[-1].arguments.get("summary") or "done")
    yield Record(event=ClaimMade(text=claim))
    yield from _verified(done=True)
    return Finished(claim=claim)


def _texts(shift: Shift, calls: tuple[ToolCall, ...], answered: Answered) -> tuple[str, ...]:
    """What each call is answered, those of the desk and those that were not taken."""
    refusals = {
        "done": "not taken: an edit of this reply was refused; mend it first",
        "ask": "not taken: look first, with read or search, then ask",
        "ask_scope": "not needed: this file may be changed already",
    }
    return tuple(
        text or refusals.get(call.name, "nothing to say") for call, text in zip(calls, answered.texts, strict=True)
    )


def _turn_back(shift: Shift, calls: tuple[ToolCall, ...]) -> Steps:
    """Answers a reply that only looks around when it is time to act."""
    shift.watch = shift.watch.replied()
    stopped = yield from _watched(shift)
    if stopped is None:
        shift.answer(calls, tuple(narrowed() for _ in calls), "")
    return stopped


def _watched(shift: Shift) -> Steps:
    """Lets the watchdog speak: once for each thing it says, and the outcome where it stops the round."""
    advice = shift.watch.advice()
    if advice is None:
        shift.advised = ""
        return None
    if advice.action != shift.advised:
        shift.advised = advice.action
        yield Record(event=Intervened(action=advice.action, reason=advice.reason))
    if advice.action == "stopped":
        return Stalled(reason=advice.reason, failure_class=shift.lost_class())
    return None
