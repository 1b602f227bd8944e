"""After a run: JSON for a program, keys for a person. What each key does, and when it is offered."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace

from benchdog.checks import CheckStatus
from benchdog.cli.carry import carry, carry_new, status_of, watching
from benchdog.cli.found import contract_of, state_of
from benchdog.cli.keys import ENTER, LEAVE, ask_line, choose
from benchdog.cli.looking import confirmed, land_now, show_diff
from benchdog.cli.reports import report_of
from benchdog.cli.terminal import Terminal, dim
from benchdog.contract import Check, Expect
from benchdog.contract.globs import exact_pattern
from benchdog.errors import UserError
from benchdog.events import EditRefused, RunState, to_plain
from benchdog.ledger.log import read_log
from benchdog.runner import Bench, answer, refine, resume
from benchdog.system.files import remove_tree
from benchdog.system.places import run_place
from benchdog.system.terminal import one_line, plain
from benchdog.verdict import Verdict


def conclude(terminal: Terminal, bench: Bench, run: str, state: RunState) -> int:
    """The end of a command that carried a run out: JSON, or keys for a person, and the exit status."""
    if terminal.json:
        terminal.document(to_plain(report_of(terminal, run)))
        return status_of(state)
    if terminal.interactive:
        return _ask(_After(terminal=terminal, bench=bench, run=run))
    return status_of(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class _After:
    """Where a person stands after a run."""

    terminal: Terminal
    bench: Bench
    run: str

    @property
    def state(self) -> RunState:
        return state_of(self.terminal, self.run)


Act = Callable[[_After], _After | None]
"""What a key does; returns what is asked about next, None where there is nothing more to ask."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A key: `words` are what is shown, with the key in brackets."""

    key: str
    words: str
    act: Act


def _ask(after: _After) -> int:
    """Offers keys until the person leaves. Returns the exit status of the run that was last asked about."""
    while True:
        offers = {offer.key: offer for offer in _offers(after)}
        if not offers:
            return status_of(after.state)
        words = "  ".join([*(offer.words for offer in offers.values()), "[q]"])
        try:
            key = choose(after.terminal, words, "".join(offers))
        except KeyboardInterrupt:
            key = LEAVE
        if key in (LEAVE, ENTER):
            return status_of(after.state)
        try:
            following = offers[key].act(after)
        except UserError as error:
            after.terminal.say(plain(error.message) + (f"\n{dim('try: ' + plain(error.hint))}" if error.hint else ""))
            continue
        if following is None:
            return status_of(after.state)
        after = following


def _offers(after: _After) -> tuple[_Offer, ...]:
    """The keys that make sense for how the run ended."""
    state = after.state
    match state.outcome:
        case Verdict.PASSED | Verdict.HELD:
            landed = state.landing is not None and state.landing.state == "landed"
            apply = () if landed else (_Offer("a", "[a]pply", _apply),)
            return (*apply, _Offer("d", "[d]iff", _diff), _Offer("r", "[r]efine", _refine))
        case Verdict.ERROR if state.round == 0 and _red_on_base(state):
            count = len(_red_on_base(state))
            this = "it" if count == 1 else "these"
            return (
                _Offer("t", f"{count} red already: [t] make {this} green", _make_green),
                _Offer("n", "[n] nothing worse", _no_worse),
            )
        case Verdict.ERROR:
            return (_Offer("r", "[r]esume", _resume),)
        case Verdict.CANCELLED:
            return ()
        case _:
            return _after_failure(after, state)


def _after_failure(after: _After, state: RunState) -> tuple[_Offer, ...]:
    offers = []
    if state.changes:
        offers.append(_Offer("d", "[d]iff", _diff))
    if state.outcome is Verdict.NEEDS_INPUT:
        offers.append(_Offer("h", "[h] answer", _answer))
    else:
        offers.append(_Offer("h", "[h]int and retry", _refine))
    if path := _refused_path(after):
        offers.append(_Offer("w", f"[w] allow {one_line(path, 80)}", _widen))
    if state.changes:
        offers.append(_Offer("o", "[o]pen the candidate", _open))
    return tuple(offers)


def _apply(after: _After) -> _After | None:
    if not confirmed(after.terminal, after.bench, after.run):
        return after
    land_now(after.terminal, after.bench, after.run)
    return None


def _diff(after: _After) -> _After:
    show_diff(after.terminal, after.run)
    return after


def _refine(after: _After) -> _After:
    if text := ask_line(after.terminal, "What is to be different?"):
        carry(after.terminal, after.bench, after.run, lambda: refine(after.bench, after.run, text))
    return after


def _answer(after: _After) -> _After:
    if text := ask_line(after.terminal, "Your answer:"):
        carry(after.terminal, after.bench, after.run, lambda: answer(after.bench, after.run, text, ()))
    return after


def _resume(after: _After) -> _After:
    with watching(after.terminal, after.bench, after.state):
        resume(after.bench, after.run)
    return after


def _widen(after: _After) -> _After:
    """Allows the path that was refused or asked for: an answer where the run waits for one, else a run of its own."""
    path = _refused_path(after)
    assert path is not None, "the key is offered only where a path was refused"
    pattern = exact_pattern(path)
    if after.state.outcome is Verdict.NEEDS_INPUT:
        carry(after.terminal, after.bench, after.run, lambda: answer(after.bench, after.run, "", (pattern,)))
        return after
    contract = contract_of(after.terminal, after.run)
    wider = replace(contract, scope=replace(contract.scope, allow=(*contract.scope.allow, pattern)))
    run, _ = carry_new(after.terminal, after.bench, wider)
    return replace(after, run=run)


def _open(after: _After) -> _After:
    """Writes the candidate beside the run's log, for a person to finish by hand."""
    candidate = after.state.candidate
    assert candidate is not None, "the key is offered only where there is a candidate"
    folder = run_place(after.terminal.environment.state, after.run) / "candidate"
    remove_tree(folder)
    with after.bench.repository.checkout(candidate) as checkout:
        shutil.copytree(checkout.path, folder, symlinks=True)
    after.terminal.say(f"the candidate lies in {folder}: a copy, and yours")
    return after


def _make_green(after: _After) -> _After:
    """The checks that are red already are what the run is to turn green."""
    return _again(after, lambda check: replace(check, witness=True))


def _no_worse(after: _After) -> _After:
    """What fails already may go on failing."""
    return _again(after, lambda check: replace(check, expect=Expect.NO_WORSE, witness=False))


def _again(after: _After, change: Callable[[Check], Check]) -> _After:
    """A run of its own, with the red checks changed."""
    red = _red_on_base(after.state)
    contract = contract_of(after.terminal, after.run)
    checks = tuple(change(check) if check.name in red else check for check in contract.checks)
    run, _ = carry_new(after.terminal, after.bench, replace(contract, checks=checks))
    return replace(after, run=run)


def _red_on_base(state: RunState) -> tuple[str, ...]:
    return tuple(result.name for result in state.baseline if result.status is CheckStatus.RED)


def _refused_path(after: _After) -> str | None:
    """The path that the worker asked for, or whose edit was refused last."""
    state = after.state
    if state.asked is not None and state.asked.path:
        return state.asked.path
    recorded = read_log(run_place(after.terminal.environment.state, after.run), after.run)
    events = [line.event for line in recorded]
    refused = [each for each in events if isinstance(each, EditRefused) and each.rule in ("scope", "class")]
    return refused[-1].path if refused else None
