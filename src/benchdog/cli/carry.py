"""Carrying a run out before a person's eyes, a pipe, or a program that wants JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchdog.cli.border import announce_unsafe
from benchdog.cli.found import state_of
from benchdog.cli.lines import Lines
from benchdog.cli.live import Live
from benchdog.cli.terminal import Terminal, warn
from benchdog.cli.view import View
from benchdog.contract import Contract
from benchdog.contract.rules import contract_problems
from benchdog.errors import UserError
from benchdog.events import RunState
from benchdog.runner import Bench, Nobody, begin, carry_out, open_bench
from benchdog.system.terminal import one_line


def open_for(
    terminal: Terminal, *, unsafe: bool = False, endpoint: str | None = None, model: str | None = None
) -> Bench:
    """The bench of the repository in which the person stands. Raises UserError."""
    if unsafe:
        announce_unsafe(terminal)
    bench = open_bench(
        terminal.environment, cancel=terminal.interrupts.cancel, unsafe=unsafe, endpoint_url=endpoint, model=model
    )
    if bench.configuration.inert:
        names = ", ".join(dict.fromkeys(one_line(each.key, 60) for each in bench.configuration.inert))
        terminal.say(warn("! ") + f"benchdog.toml asks for more ({names}): not in effect before `benchdog trust`")
    return bench


@contextmanager
def watching(terminal: Terminal, bench: Bench, state: RunState | None = None) -> Iterator[None]:
    """While the block runs, whatever happens on this bench is shown. `state` is what had happened before."""
    view = View(state=state or RunState(), place=terminal.environment.state)
    watcher = Live(terminal, view) if terminal.watched and terminal.colours else Lines(terminal, view)
    bench.watcher = watcher
    try:
        yield
    finally:
        bench.watcher = Nobody()
        watcher.close()


def carry(terminal: Terminal, bench: Bench, run: str, work: Callable[[], object] | None = None) -> RunState:
    """Carries the run to its verdict, shown as it goes. `work` comes first: what a person wants of it now."""
    terminal.run, terminal.carries = run, True
    with watching(terminal, bench, state_of(terminal, run)):
        if work is not None:
            work()
        return carry_out(bench, run)


def carry_new(terminal: Terminal, bench: Bench, contract: Contract) -> tuple[str, RunState]:
    """Begins a run and carries it to its verdict, shown from its first event on.

    Raises UserError for a contract that cannot be carried out.
    """
    if problems := contract_problems(contract):
        raise UserError("; ".join(message for _, message in problems))
    with watching(terminal, bench):
        run = terminal.run = begin(bench, contract)
        terminal.carries = True
        return run, carry_out(bench, run)


def status_of(state: RunState) -> int:
    """The exit status of a run that has come to a verdict."""
    assert state.outcome is not None, "the run has a verdict"
    return state.outcome.exit_status
