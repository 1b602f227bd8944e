"""The state of a run as a pure fold over its events. Resume, live view, audit and report are readings of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from benchdog.checks import CheckResult, CheckStatus
from benchdog.events import kinds
from benchdog.events.kinds import Event, Stage
from benchdog.trees import Change
from benchdog.verdict import FailureClass, Finding, Proof, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What became of the candidate in the person's tree. `state`: started, landed, aborted, rolled-back."""

    state: str
    how: str
    tree: str
    journal: str = ""
    paths: tuple[str, ...] = ()
    commit: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts over the whole run. Tokens are the server's own counts; `unreported` replies told none."""

    requests: int = 0
    replies: int = 0
    invalid: int = 0
    recovered: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    unreported: int = 0
    model_seconds: float = 0.0
    edits: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything that a run's events add up to. A field is None until its event has happened."""

    started: kinds.RunStarted | None = None
    contract: str = ""
    hints: tuple[str, ...] = ()
    base: kinds.BaseTaken | None = None
    sandbox: kinds.SandboxReady | None = None
    environment: str = ""
    """The environment in which the results of checks were had."""
    endpoint: kinds.EndpointPinned | None = None
    pinned: kinds.EndpointPinned | None = None
    """The endpoint of the last sitting: the first choice of the next one."""
    baseline: tuple[CheckResult, ...] = ()
    round: int = 0
    round_open: bool = False
    round_tree: str | None = None
    round_findings: tuple[Finding, ...] = ()
    round_hint: str = ""
    round_ended: kinds.RoundEnded | None = None
    """How the last closed round ended, and what it left to answer."""
    rounds_used: int = 0
    """Rounds begun since a person last spoke: the limit counts these."""
    turns: int = 0
    candidate: str | None = None
    candidate_round: int = 0
    """The round that left the candidate."""
    changes: tuple[Change, ...] = ()
    diff: str = ""
    checks: tuple[CheckResult, ...] = ()
    """The last result of each check on the candidate, in the order in which they first ran."""
    findings: tuple[Finding, ...] = ()
    """All findings of the gates that ran last on the candidate."""
    gates: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    scope_refusals: int = 0
    asked: kinds.Asked | None = None
    wish: kinds.Refined | None = None
    """What a person wants more: a blocking finding of every round until the run is green again."""
    wish_tree: str | None = None
    """The candidate that the wish is about."""
    answer: str = ""
    """What a person answered last: a hint in every round from there on."""
    seconds_used: float = 0.0
    """Model time since a person last spoke: the limit counts this."""
    verdict: kinds.VerdictReached | None = None
    accepted: kinds.Accepted | None = None
    landing: Landing | None = None
    landed: str | None = None
    """The candidate that was landed last."""
    discarded: bool = False
    sealed: bool = False
    tally: Tally = Tally()
    hosts: tuple[str, ...] = ()

    @property
    def round_outcome(self) -> str:
        """How the last closed round ended: passed, findings, stalled, asked; empty before the first."""
        return self.round_ended.outcome if self.round_ended else ""

    @property
    def round_left(self) -> tuple[Finding, ...]:
        """What the last closed round left to answer."""
        return self.round_ended.findings if self.round_ended else ()

    @property
    def finished(self) -> bool:
        return self.verdict is not None

    @property
    def proof(self) -> Proof:
        if self.accepted is not None and self.accepted.tree == self.candidate:
            return Proof.ACCEPTED
        return self.verdict.proof if self.verdict else Proof.NONE

    @property
    def outcome(self) -> Verdict | None:
        return self.verdict.verdict if self.verdict else None

    @property
    def failure_class(self) -> FailureClass | None:
        return self.verdict.failure_class if self.verdict else None


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """The state after `events`, from `state` on (the empty run where it is None)."""
    current = state or RunState()
    for event in events:
        current = step(current, event)
    return current


def step(state: RunState, event: Event) -> RunState:
    """The state after one more event."""
    if state.sealed and not isinstance(event, kinds.Sealed):
        state = replace(state, sealed=False)
    handler = _STEPS.get(type(event))
    return handler(state, event) if handler else state


def _started(state: RunState, event: kinds.RunStarted) -> RunState:
    return replace(state, started=event, contract=event.contract)


def _check(state: RunState, event: kinds.CheckFinished) -> RunState:
    if event.stage is Stage.BASE:
        return replace(state, baseline=_put(state.baseline, event.result))
    if event.stage is Stage.LANDING:
        return state  # of another tree than the candidate
    return replace(state, checks=_put(state.checks, event.result))


def _put(results: tuple[CheckResult, ...], result: CheckResult) -> tuple[CheckResult, ...]:
    if any(old.name == result.name for old in results):
        return tuple(result if old.name == result.name else old for old in results)
    return (*results, result)


def _endpoint(state: RunState, event: kinds.EndpointPinned) -> RunState:
    return replace(state, endpoint=event, pinned=event, hosts=tuple(sorted({*state.hosts, *event.hosts})))


def _round_started(state: RunState, event: kinds.RoundStarted) -> RunState:
    return replace(
        state,
        round=event.round,
        round_open=True,
        round_tree=event.tree,
        round_findings=event.findings,
        round_hint=event.hint,
        rounds_used=state.rounds_used + 1,
        turns=0,
        asked=None,
        verdict=None,
        discarded=False,
    )


def _round_ended(state: RunState, event: kinds.RoundEnded) -> RunState:
    asked = state.asked if event.outcome == "asked" else None  # a question of a round that was killed is void
    return replace(state, round_open=False, round_ended=event, asked=asked)


def _answered(state: RunState, event: kinds.Answered) -> RunState:
    return replace(_spoken(state), answer=event.text, contract=event.contract)


def _refined(state: RunState, event: kinds.Refined) -> RunState:
    return replace(_spoken(state), wish=event, wish_tree=state.candidate, accepted=None)


def _spoken(state: RunState) -> RunState:
    """A person spoke: the limits count anew, a new round begins, and machine and server are looked at again."""
    return replace(state, rounds_used=0, seconds_used=0.0, round_open=False, verdict=None, sandbox=None, endpoint=None)


def _resumed(state: RunState, event: kinds.Resumed) -> RunState:
    """The machine and the server may be others now, and what was broken may be mended: both are looked at again."""
    kept = state.baseline if state.round else tuple(r for r in state.baseline if r.status is CheckStatus.GREEN)
    return replace(state, verdict=None, sandbox=None, endpoint=None, baseline=kept, discarded=False)


def _sandbox(state: RunState, event: kinds.SandboxReady) -> RunState:
    """Results of another environment say nothing here: they are forgotten while the run goes on."""
    if state.verdict is not None or state.environment in ("", event.environment):
        return replace(state, sandbox=event, environment=event.environment)
    return replace(state, sandbox=event, environment=event.environment, baseline=(), checks=(), findings=(), gates=())


def _request(state: RunState, event: kinds.RequestSent) -> RunState:
    return replace(state, tally=replace(state.tally, requests=state.tally.requests + 1))


def _reply(state: RunState, event: kinds.ReplyReceived) -> RunState:
    old = state.tally
    tally = replace(
        old,
        replies=old.replies + 1,
        recovered=old.recovered + (event.recovered is not None),
        prompt=old.prompt + (event.prompt_tokens or 0),
        cached=old.cached + (event.cached_tokens or 0),
        completion=old.completion + (event.completion_tokens or 0),
        unreported=old.unreported + (event.prompt_tokens is None),
        model_seconds=old.model_seconds + event.seconds,
    )
    return replace(state, tally=tally, turns=state.turns + 1, seconds_used=state.seconds_used + event.seconds)


def _invalid(state: RunState, event: kinds.ReplyInvalid) -> RunState:
    tally = replace(state.tally, invalid=state.tally.invalid + 1)
    return replace(state, tally=tally, turns=max(0, state.turns - 1))  # a reply that was not kept is no turn


def _edit(state: RunState, event: kinds.EditApplied) -> RunState:
    return replace(state, tally=replace(state.tally, edits=state.tally.edits + 1))


def _refused(state: RunState, event: kinds.EditRefused) -> RunState:
    tally = replace(state.tally, refused=state.tally.refused + 1)
    return replace(state, tally=tally, scope_refusals=state.scope_refusals + (event.rule in ("scope", "class")))


def _candidate(state: RunState, event: kinds.CandidateTaken) -> RunState:
    return replace(
        state,
        candidate=event.tree,
        candidate_round=event.round,
        changes=event.changes,
        diff=event.diff,
        checks=(),
        findings=(),
        gates=(),
    )


def _gate(state: RunState, event: kinds.GateFinished) -> RunState:
    kept = tuple(finding for finding in state.findings if finding.gate != event.gate)
    gates = state.gates if event.gate in state.gates else (*state.gates, event.gate)
    return replace(state, findings=kept + event.findings, gates=gates)


def _verdict(state: RunState, event: kinds.VerdictReached) -> RunState:
    """An interrupted round stays open: resuming goes on with it. A wish ends with a green candidate."""
    green = event.verdict in (Verdict.PASSED, Verdict.HELD)
    return replace(state, verdict=event, wish=None if green else state.wish)


def _landing_started(state: RunState, event: kinds.LandingStarted) -> RunState:
    return replace(state, landing=Landing(state="started", how=event.how, tree=event.tree, journal=event.journal))


def _landed(state: RunState, event: kinds.Landed) -> RunState:
    journal = state.landing.journal if state.landing else ""
    landing = Landing(
        state="landed",
        how=event.how,
        tree=event.tree,
        journal=journal,
        paths=event.paths,
        commit=event.commit,
        ref=event.ref,
    )
    return replace(state, landing=landing, landed=state.candidate)


def _landing_ended(name: str) -> Callable[[RunState, Any], RunState]:
    def ended(state: RunState, event: object) -> RunState:
        return replace(state, landing=replace(state.landing, state=name) if state.landing else None)

    return ended


_STEPS: dict[type[Any], Callable[[RunState, Any], RunState]] = {
    kinds.RunStarted: _started,
    kinds.GoalLinted: lambda state, event: replace(state, hints=event.hints),
    kinds.BaseTaken: lambda state, event: replace(state, base=event),
    kinds.SandboxReady: _sandbox,
    kinds.EndpointPinned: _endpoint,
    kinds.CheckFinished: _check,
    kinds.RoundStarted: _round_started,
    kinds.RequestSent: _request,
    kinds.ReplyReceived: _reply,
    kinds.ReplyInvalid: _invalid,
    kinds.EditApplied: _edit,
    kinds.EditRefused: _refused,
    kinds.ClaimMade: lambda state, event: replace(state, claims=(*state.claims, event.text)),
    kinds.CandidateTaken: _candidate,
    kinds.GateFinished: _gate,
    kinds.RoundEnded: _round_ended,
    kinds.Asked: lambda state, event: replace(state, asked=event),
    kinds.Answered: _answered,
    kinds.Refined: _refined,
    kinds.Resumed: _resumed,
    kinds.VerdictReached: _verdict,
    kinds.Accepted: lambda state, event: replace(state, accepted=event),
    kinds.LandingStarted: _landing_started,
    kinds.Landed: _landed,
    kinds.LandingAborted: _landing_ended("aborted"),
    kinds.RolledBack: _landing_ended("rolled-back"),
    kinds.Discarded: lambda state, event: replace(state, discarded=True),
    kinds.Sealed: lambda state, event: replace(state, sealed=True),
}
