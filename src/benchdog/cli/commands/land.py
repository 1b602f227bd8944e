"""`apply`, `rollback`, `discard`: what becomes of a result in the person's tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from benchdog.cli.carry import open_for, watching
from benchdog.cli.found import find_run, state_of
from benchdog.cli.looking import confirmed, land_now
from benchdog.cli.options import json_option, run_argument
from benchdog.cli.reports import report_of
from benchdog.cli.terminal import Terminal
from benchdog.errors import UserError
from benchdog.events import RunState, to_plain
from benchdog.runner import accept, finish_landing, take_back
from benchdog.runner import discard as mark_unwanted
from benchdog.verdict import Verdict

_NOT_WANTED = 1  # the person looked and said no


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """The options of `apply`."""

    branch: str | None
    commit: bool
    accepts: bool
    yes: bool
    forward: bool
    backward: bool
    unsafe: bool

    @property
    def way(self) -> str:
        return "branch" if self.branch else "commit" if self.commit else "files"


@click.command()
@run_argument
@click.option("--branch", metavar="NAME", help="Commit onto a new branch NAME; your working tree stays as it is.")
@click.option("--commit", is_flag=True, help="Commit on the current branch.")
@click.option("--accept", "accepts", is_flag=True, help="Say that you have read the diff of a held run.")
@click.option("--yes", "-y", is_flag=True, help="Do not show the diff first, do not ask.")
@click.option("--continue", "forward", is_flag=True, help="Finish a landing that was interrupted.")
@click.option("--abort", "backward", is_flag=True, help="Take an interrupted landing back.")
@click.option("--unsafe-no-sandbox", "unsafe", is_flag=True, help="Verify a merge with your own rights. Dangerous.")
@json_option
@click.pass_obj
def apply(terminal: Terminal, /, run: str, **given: Any) -> int:
    """Land a verified result in your tree. What you have not looked at is shown first."""
    how = _How(**given)
    if how.forward or how.backward:
        return _finish(terminal, how)
    if how.branch and how.commit:
        raise UserError("--branch and --commit are two ways to land: choose one")
    run = find_run(terminal, run)
    bench = open_for(terminal, unsafe=how.unsafe)
    state = state_of(terminal, run)
    if how.accepts and state.outcome is Verdict.HELD:
        with watching(terminal, bench, state):
            accept(bench, run)
    elif terminal.interactive and not how.yes and _may_ask(state) and not confirmed(terminal, bench, run):
        terminal.say("nothing was applied")
        return _NOT_WANTED
    land_now(terminal, bench, run, how=how.way, name=how.branch)
    return _told(terminal, run)


def _may_ask(state: RunState) -> bool:
    """Only what could land is asked about; all else is refused by the runner, with its reason."""
    landed = state.landing is not None and state.landing.state in ("landed", "started")
    landed = landed and state.landed in (None, state.candidate)
    return state.outcome in (Verdict.PASSED, Verdict.HELD) and not landed and not state.discarded


def _finish(terminal: Terminal, how: _How) -> int:
    if how.forward and how.backward:
        raise UserError("--continue and --abort are opposites: choose one")
    bench = open_for(terminal)
    with watching(terminal, bench):
        state = finish_landing(bench, forward=how.forward)
    assert state.started is not None, "only a run that began can land"
    return _told(terminal, state.started.run)


@click.command()
@run_argument
@json_option
@click.pass_obj
def rollback(terminal: Terminal, /, run: str) -> int:
    """Take back what a run landed. What you changed since is never overwritten."""
    run = find_run(terminal, run)
    bench = open_for(terminal)
    with watching(terminal, bench, state_of(terminal, run)):
        take_back(bench, run)
    return _told(terminal, run)


@click.command()
@run_argument
@json_option
@click.pass_obj
def discard(terminal: Terminal, /, run: str) -> int:
    """Mark a run's result as not wanted. Its log and evidence stay."""
    run = find_run(terminal, run)
    bench = open_for(terminal)
    with watching(terminal, bench, state_of(terminal, run)):
        mark_unwanted(bench, run)
    return _told(terminal, run)


def _told(terminal: Terminal, run: str) -> int:
    if terminal.json:
        terminal.document(to_plain(report_of(terminal, run)))
    return 0
