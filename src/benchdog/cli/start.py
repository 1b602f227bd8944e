"""From what a person asks for to a run: a scope that nobody gave is proposed, and confirmed with one key."""

from __future__ import annotations

import shlex
from dataclasses import replace
from shlex import quote
from typing import NamedTuple

import click

from benchdog.cli.after import conclude
from benchdog.cli.carry import carry_new
from benchdog.cli.detected import detected
from benchdog.cli.interrupts import INTERRUPTED
from benchdog.cli.keys import ENTER, LEAVE, ask_line, choose
from benchdog.cli.terminal import Terminal, dim
from benchdog.cli.wish import Wish, wished, with_witness, work_folder
from benchdog.contract import Contract
from benchdog.contract.globs import pattern_problem
from benchdog.contract.propose import Proposal
from benchdog.contract.rebase import as_typed
from benchdog.contract.red import RedCommand
from benchdog.errors import UserError
from benchdog.runner import Bench, propose
from benchdog.system.terminal import one_line


def start(terminal: Terminal, bench: Bench, contract: Contract) -> int:
    """Begins a run, carries it out and ends the command. Returns the exit status."""
    run, state = carry_new(terminal, bench, contract)
    return conclude(terminal, bench, run, state)


def goal_contract(terminal: Terminal, bench: Bench, goal: str, wish: Wish) -> Contract:
    """The contract for a goal: as the flags say, or with a scope that is proposed and confirmed."""
    contract = _with_found_check(terminal, bench, _wished(bench, goal, wish), wish)
    if contract.scope.allow:
        return contract
    typed = _Typed(bench, f"run {quote(goal)}", _found_words(contract, wish))
    return scoped(terminal, contract, propose(bench, goal, ()), wish, typed=typed)


def _with_found_check(terminal: Terminal, bench: Bench, contract: Contract, wish: Wish) -> Contract:
    """Where nothing says how to check the work, the first check that the repository's files name; it is announced."""
    if contract.checks or contract.deliver or wish.no_check:
        return contract
    found = detected(bench.repository).checks[:1]
    for each in found:
        why = dim(f"({one_line(each.why)}; --no-check does without)")
        terminal.say(f"{dim('Check:')} {one_line(each.check.run)}  {why}")
    return replace(contract, checks=tuple(each.check for each in found))


def red_contract(terminal: Terminal, bench: Bench, red: RedCommand, wish: Wish) -> Contract:
    """The contract for making a red command green: it is the witness, beside the checks of flags and settings."""
    check = replace(red.check, cwd=work_folder(bench))
    contract = with_witness(_wished(bench, red.goal, wish), check)
    if contract.scope.allow:
        return contract
    return scoped(terminal, contract, red.proposal, wish, typed=_Typed(bench, f"fix {quote(red.check.run)}"))


def _wished(bench: Bench, goal: str, wish: Wish) -> Contract:
    return wished(replace(wish, flags=replace(wish.flags, goal=goal)), bench)


class _Typed(NamedTuple):
    """What a person would type instead of being asked: `command`, the scope, then `more`; in this bench's folder."""

    bench: Bench
    command: str
    more: str = ""


def _found_words(contract: Contract, wish: Wish) -> str:
    """The check that was found, where the person named none."""
    if wish.flags.checks or wish.witness or wish.no_check:
        return ""
    return "".join(f" --check {quote(check.run)}" for check in contract.checks[:1])


def scoped(terminal: Terminal, contract: Contract, proposal: Proposal, wish: Wish, *, typed: _Typed) -> Contract:
    """The contract with the proposed scope, once somebody agreed. Raises UserError where nobody can be asked."""
    if wish.yes and proposal.allow:
        terminal.say(dim("May change: ") + _listed(proposal.allow, proposal))
        allow = proposal.allow
    elif terminal.interactive:
        allow = ask_scope(terminal, proposal)
    else:
        raise _unsaid(proposal, wish, typed)
    return replace(contract, scope=replace(contract.scope, allow=allow))


def ask_scope(terminal: Terminal, proposal: Proposal) -> tuple[str, ...]:
    """What may change, as the person confirms, edits or widens it. Raises Exit where they leave."""
    allow = proposal.allow or _edited(terminal, ())
    wider = list(proposal.wider)
    while True:
        question = f"May change: {_listed(allow, proposal)}   [Enter] go · e edit · w wider · q"
        key = choose(terminal, question, "ew")
        if key == ENTER:
            return allow
        if key == LEAVE:
            raise _left(terminal)
        if key == "e":
            allow = _edited(terminal, allow)
        elif wider:
            allow = wider.pop(0)
        else:
            terminal.say("there is nothing wider")


def _edited(terminal: Terminal, allow: tuple[str, ...]) -> tuple[str, ...]:
    """What the person types. Raises Exit where that is nothing."""
    while True:
        line = ask_line(terminal, "Allowed files:", default=" ".join(quote(each) for each in allow))
        if not line:
            raise _left(terminal)
        try:
            typed = tuple(shlex.split(line))
        except ValueError as error:
            terminal.say(f"{one_line(line)}: {error}")
            continue
        wrong = [f"{one_line(each)} {problem}" for each in typed if (problem := pattern_problem(each))]
        if not wrong:
            return typed
        terminal.say("; ".join(wrong))


def _left(terminal: Terminal) -> click.exceptions.Exit:
    terminal.say("nothing was started")
    return click.exceptions.Exit(INTERRUPTED)


def _listed(allow: tuple[str, ...], proposal: Proposal) -> str:
    why = {reason.pattern: reason.why for reason in proposal.reasons}
    return ", ".join(one_line(each) + (f" ({one_line(why[each])})" if each in why else "") for each in allow)


def _unsaid(proposal: Proposal, wish: Wish, typed: _Typed) -> UserError:
    """Nobody can be asked: the whole command to type, with paths as they are meant where the person stands."""
    folder = work_folder(typed.bench)
    allow = [as_typed(each, folder) for each in proposal.allow] or ["PATH"]
    before = ""
    if None in allow:  # it lies outside of this folder
        before = f"cd {quote(str(typed.bench.repository.root))} && "
        allow = [as_typed(each, ".") for each in proposal.allow]
    scope = "".join(f" --allow {quote(each)}" for each in allow if each)
    found = _listed(proposal.allow, proposal)
    message = f"say which files may change; this points at {found}" if found else "say which files may change"
    return UserError(message, hint=f"{before}benchdog {typed.command}{scope}{typed.more}{wish.words()}")
