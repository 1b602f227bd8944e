"""What a run does next: a pure function of its state. Every phase is idempotent and ends in what the next waits for."""

from __future__ import annotations

from enum import StrEnum

from benchdog.checks import CheckResult, CheckStatus
from benchdog.contract import Check, Contract, Expect, When
from benchdog.events import RunState

REPLY_SECONDS = 15.0  # a check whose baseline took less runs after each reply with edits


class Phase(StrEnum):
    """The steps of a run, in order; round, implement and decide repeat."""

    SNAPSHOT = "snapshot"
    SANDBOX = "sandbox"
    CONNECT = "connect"
    OPEN_ROUND = "open round"
    IMPLEMENT = "implement"
    DECIDE = "decide"
    FINISH = "finish"


def next_phase(state: RunState, contract: Contract) -> Phase:
    """The phase that `state` waits for."""
    if state.verdict is not None:
        return Phase.FINISH
    for waits, phase in (
        (state.base is None, Phase.SNAPSHOT),
        (state.sandbox is None, Phase.SANDBOX),
        (state.endpoint is None, Phase.CONNECT),
        (state.round_open, Phase.IMPLEMENT),
    ):
        if waits:
            return phase
    if state.rounds_used == 0:  # the first round, or the first since a person spoke
        return Phase.OPEN_ROUND
    may_go_on = state.round_outcome in ("findings", "stalled") and state.rounds_used < contract.limits.rounds
    return Phase.OPEN_ROUND if may_go_on else Phase.DECIDE


def witnesses(contract: Contract, baseline: tuple[CheckResult, ...]) -> frozenset[str]:
    """The checks whose turning green proves the work: those that the contract names, else the only red one.

    A check for which the contract says `witness = false`, or that asks only for no worse, is never taken unnamed.
    """
    named = frozenset(check.name for check in contract.checks if check.witness)
    if named:
        return named
    red = [result.name for result in baseline if result.status is not CheckStatus.GREEN]
    open_to_it = {check.name for check in contract.checks if check.witness is None and check.expect is Expect.GREEN}
    return frozenset(red) if len(red) == 1 and red[0] in open_to_it else frozenset()


def unexplained_red(contract: Contract, baseline: tuple[CheckResult, ...]) -> tuple[CheckResult, ...]:
    """Checks that are red on the base though nothing in the contract says so: no model can be judged by them."""
    proof = witnesses(contract, baseline)
    strict = {check.name for check in contract.checks if check.expect is Expect.GREEN}
    return tuple(
        result
        for result in baseline
        if result.status is not CheckStatus.GREEN and result.name in strict and result.name not in proof
    )


def due(check: Check, base: CheckResult | None) -> When:
    """When a check runs: as the contract says, else after each reply where its baseline was quick."""
    if check.when is not None:
        return check.when
    return When.REPLY if base is not None and base.seconds < REPLY_SECONDS else When.ROUND


def in_order(checks: tuple[Check, ...], baseline: tuple[CheckResult, ...]) -> tuple[Check, ...]:
    """Cheapest first, by the time that each took on the base."""
    seconds = {result.name: result.seconds for result in baseline}
    return tuple(sorted(checks, key=lambda check: seconds.get(check.name, check.timeout)))
