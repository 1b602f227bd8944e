"""`refine`, `answer`, `resume`: going on with a run that is there."""

from __future__ import annotations

import click

from benchdog.cli.after import conclude
from benchdog.cli.carry import carry, open_for, watching
from benchdog.cli.found import find_run, names_a_run, state_of
from benchdog.cli.options import json_option, model_options, run_argument
from benchdog.cli.terminal import LATEST, Terminal
from benchdog.runner import answer as record_answer
from benchdog.runner import refine as record_wish
from benchdog.runner import resume as go_on


@click.command()
@click.argument("words", metavar="[RUN] TEXT", nargs=-1, required=True)
@model_options
@json_option
@click.pass_obj
def refine(terminal: Terminal, /, words: tuple[str, ...], endpoint: str | None, model: str | None, unsafe: bool) -> int:
    """Ask for more from a run's result: TEXT opens its next round, under the same contract."""
    name, text = run_and_text(terminal, words)
    run = find_run(terminal, name)
    bench = open_for(terminal, unsafe=unsafe, endpoint=endpoint, model=model)
    state = carry(terminal, bench, run, lambda: record_wish(bench, run, text))
    return conclude(terminal, bench, run, state)


@click.command()
@click.argument("words", metavar="[RUN] [TEXT]", nargs=-1)
@click.option("--allow", metavar="PATH", multiple=True, help="Let the run change PATH from here on.")
@model_options
@json_option
@click.pass_obj
def answer(
    terminal: Terminal,
    /,
    words: tuple[str, ...],
    allow: tuple[str, ...],
    endpoint: str | None,
    model: str | None,
    unsafe: bool,
) -> int:
    """Answer what a run asks, or widen what it may change, and go on with it."""
    name, text = run_and_text(terminal, words)
    run = find_run(terminal, name)
    bench = open_for(terminal, unsafe=unsafe, endpoint=endpoint, model=model)
    state = carry(terminal, bench, run, lambda: record_answer(bench, run, text, allow))
    return conclude(terminal, bench, run, state)


@click.command()
@run_argument
@model_options
@json_option
@click.pass_obj
def resume(terminal: Terminal, /, run: str, endpoint: str | None, model: str | None, unsafe: bool) -> int:
    """Go on with a run that was interrupted, or that a server or the machine ended."""
    run = find_run(terminal, run)
    bench = open_for(terminal, unsafe=unsafe, endpoint=endpoint, model=model)
    with watching(terminal, bench, state_of(terminal, run)):
        state = go_on(bench, run)
    return conclude(terminal, bench, run, state)


def run_and_text(terminal: Terminal, words: tuple[str, ...]) -> tuple[str, str]:
    """A first word that is `@` or begins a run's id names the run; the rest is the text."""
    if words and (words[0] == LATEST or names_a_run(terminal, words[0])):
        return words[0], " ".join(words[1:])
    return LATEST, " ".join(words)
