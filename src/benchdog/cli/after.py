"""After a run: look, land, ask for more, or go. Keys at a terminal; elsewhere the next commands have been printed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchdog.cli.carry import carry, carry_new, status_of, watching
from benchdog.cli.diffs import shown
from benchdog.cli.found import state_of
from benchdog.cli.keys import ENTER, LEAVE, ask_line, choose
from benchdog.cli.reports import report_of
from benchdog.cli.terminal import Terminal, dim
from benchdog.contract import Contract
from benchdog.contract.globs import exact_pattern
from benchdog.contract.read import read_contract
from benchdog.errors import UserError
from benchdog.events import EditRefused, RunState, to_plain
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import read_log
from benchdog.runner import Bench, accept, answer, land, refine
from benchdog.system.files import remove_tree, write_durably
from benchdog.system.places import run_place
from benchdog.system.terminal import one_line
from benchdog.verdict import Verdict

_LOOKED = "looked"  # in a run's folder: the tree whose diff a person has seen


def conclude(terminal: Terminal, bench: Bench, run: str, state: RunState) -> int:
    """The end of a command that carried a run out: JSON, or keys for a person, and the exit status."""
    if terminal.json:
        terminal.document(to_plain(report_of(terminal, run)))
        return status_of(state)
    if not terminal.interactive or state.outcome is Verdict.CANCELLED:
        return status_of(state)
    return _keys(terminal, bench, run)


def _keys(terminal: Terminal, bench: Bench, run: str) -> int:
    """Asks until the person leaves. Each answer may lead to another run, which is asked about next."""
    while True:
        state = state_of(terminal, run)
        if state.outcome is Verdict.CANCELLED:
            return status_of(state)
        offered = _offered(terminal, run, state)
        words = "  ".join(f"[{key}]{text}" for key, (text, _) in offered.items())
        key = choose(terminal, f"{words}  [q]", "".join(offered))
        if key in (LEAVE, ENTER) or key not in offered:
            return status_of(state_of(terminal, run))
        try:
            run, stay = offered[key][1](terminal, bench, run)
            if not stay:
                return status_of(state_of(terminal, run))
        except UserError as error:
            terminal.say(one_line(error.message, 400) + (f"\n{dim(one_line(error.hint))}" if error.hint else ""))


Act = Callable[[Terminal, Bench, str], tuple[str, bool]]
"""What a key does; returns the run that the keys are about from then on, and whether there is more to ask."""


def _offered(terminal: Terminal, run: str, state: RunState) -> dict[str, tuple[str, Act]]:
    """The keys that make sense now, each with the rest of its word."""
    good = state.outcome in (Verdict.PASSED, Verdict.HELD)
    landed = state.landing is not None and state.landing.state == "landed"
    asks = state.outcome is Verdict.NEEDS_INPUT
    path = None if good else refused_path(terminal, run, state)
    offers: tuple[tuple[bool, str, str, Act], ...] = (
        (good and bool(state.changes) and not landed, "a", "pply", _apply),
        (bool(state.changes), "d", "iff", _diff),
        (good, "r", "efine", _refine),
        (asks, "h", " answer", _answer),
        (not good and not asks and state.round > 0, "h", "int and retry", _refine),
        (path is not None, "w", f" allow {one_line(path or '', 80)}", _widen),
        (not good and bool(state.changes), "o", "pen the candidate", _open),
    )
    return {key: (text, act) for offered, key, text, act in offers if offered}


def _apply(terminal: Terminal, bench: Bench, run: str) -> tuple[str, bool]:
    if not confirmed(terminal, bench, run):
        return run, True
    land_now(terminal, bench, run)
    return run, False


def _diff(terminal: Terminal, bench: Bench, run: str) -> tuple[str, bool]:
    show_diff(terminal, run)
    return run, True


def _refine(terminal: Terminal, bench: Bench, run: str) -> tuple[str, bool]:
    if text := ask_line(terminal, "what is to be different?"):
        carry(terminal, bench, run, lambda: refine(bench, run, text))
    return run, True


def _answer(terminal: Terminal, bench: Bench, run: str) -> tuple[str, bool]:
    if text := ask_line(terminal, "your answer:"):
        carry(terminal, bench, run, lambda: answer(bench, run, text, ()))
    return run, True


def _widen(terminal: Terminal, bench: Bench, run: str) -> tuple[str, bool]:
    """Allows the path that was refused or asked for: an answer where the run waits for one, else a run of its own."""
    state = state_of(terminal, run)
    path = refused_path(terminal, run, state)
    assert path is not None, "the key is offered only where a path was refused"
    if state.outcome is Verdict.NEEDS_INPUT:
        carry(terminal, bench, run, lambda: answer(bench, run, "", (path,)))
        return run, True
    contract = contract_of(terminal, run, state)
    wider = replace(contract, scope=replace(contract.scope, allow=(*contract.scope.allow, exact_pattern(path))))
    return carry_new(terminal, bench, wider)[0], True


def _open(terminal: Terminal, bench: Bench, run: str) -> tuple[str, bool]:
    """Writes the candidate beside the run's log, for a person to finish by hand."""
    state = state_of(terminal, run)
    assert state.candidate is not None, "the key is offered only where there is a candidate"
    folder = run_place(terminal.environment.state, run) / "candidate"
    remove_tree(folder)
    with bench.repository.checkout(state.candidate) as checkout:
        shutil.copytree(checkout.path, folder, symlinks=True)
    terminal.say(f"the candidate lies in {folder}; it is a copy, and yours")
    return run, True


def refused_path(terminal: Terminal, run: str, state: RunState) -> str | None:
    """The path that the worker asked for, or whose edit was refused last."""
    if state.asked is not None and state.asked.path:
        return state.asked.path
    place = run_place(terminal.environment.state, run)
    refused = [
        line.event.path
        for line in read_log(place, run)
        if isinstance(line.event, EditRefused) and line.event.rule in ("scope", "class")
    ]
    return refused[-1] if refused else None


def contract_of(terminal: Terminal, run: str, state: RunState) -> Contract:
    """The contract as the run holds it now."""
    place = run_place(terminal.environment.state, run)
    return read_contract(Evidence(place).get(state.contract), f"the contract of {run}")


def show_diff(terminal: Terminal, run: str) -> None:
    """The candidate's diff on the person's screen; that it was seen is remembered."""
    place = run_place(terminal.environment.state, run)
    state = state_of(terminal, run)
    diff = Evidence(place).get(state.diff) if state.diff else b""
    terminal.say(shown(diff) if diff else "no change")
    remember_look(place, state)


def remember_look(place: Path, state: RunState) -> None:
    if state.candidate:
        write_durably(place / _LOOKED, state.candidate.encode())


def _has_looked(place: Path, state: RunState) -> bool:
    with suppress(OSError):
        return state.candidate is not None and (place / _LOOKED).read_bytes() == state.candidate.encode()
    return False


def confirmed(terminal: Terminal, bench: Bench, run: str) -> bool:
    """Whether the person wants this landed: what was not looked at is shown first; a held run asks for acceptance."""
    state = state_of(terminal, run)
    place = run_place(terminal.environment.state, run)
    held = state.outcome is Verdict.HELD and not (state.accepted and state.accepted.tree == state.candidate)
    seen = _has_looked(place, state)
    if not seen:
        show_diff(terminal, run)
    if held:
        question = "Nothing proves this work but your reading. Do you accept this diff? [y/N]"
        if choose(terminal, question, "yn") != "y":
            return False
        with watching(terminal, bench, state):
            accept(bench, run)
        return True
    return seen or choose(terminal, "Apply this? [Enter] yes · q", "yn") in (ENTER, "y")


def land_now(terminal: Terminal, bench: Bench, run: str, *, how: str = "files", name: str | None = None) -> RunState:
    """Lands the candidate, shown as it goes. Raises what `runner.land` raises."""
    with watching(terminal, bench, state_of(terminal, run)):
        return land(bench, run, how=how, name=name)
