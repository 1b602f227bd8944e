"""Bare `benchdog` in a terminal: a sentence is a run, the next one refines it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import click

from benchdog.cli.carry import carry, carry_new, open_for, watching
from benchdog.cli.found import find_run, state_of
from benchdog.cli.keys import ask_line
from benchdog.cli.looking import confirmed, land_now, show_diff
from benchdog.cli.reports import report_of
from benchdog.cli.start import goal_contract
from benchdog.cli.terminal import LATEST, Terminal, bad, dim, strong
from benchdog.cli.wish import Wish
from benchdog.errors import BenchdogError
from benchdog.ledger.render import render
from benchdog.ledger.runs import list_runs
from benchdog.runner import Bench, ask_question, refine, take_back
from benchdog.system.terminal import one_line, plain

_HELP = """a sentence      a run; the next sentence refines its result
? a question    asks the model about the tree; nothing is changed, and what it cites is checked
/new            forget the last run: the next sentence is a new one
/diff /apply /rollback /show     what `benchdog diff` … do, with the last run
/runs           this repository's runs
/quit           leave (or Ctrl-D)"""


@dataclass
class _Talk:
    """One sitting at the prompt. `run` is what the next sentence refines."""

    terminal: Terminal
    run: str | None = None
    leave: bool = False

    def bench(self) -> Bench:
        """A bench with a cancel of its own: Ctrl-C ends what is under way, not the sitting."""
        self.terminal.interrupts.renew()
        return open_for(self.terminal)

    def latest(self) -> str:
        return self.run or find_run(self.terminal, LATEST)


@click.command()
@click.pass_obj
def prompt(terminal: Terminal, /) -> int:
    """Asks for sentences until the person leaves."""
    talk = _Talk(terminal)
    root = talk.bench().repository.root
    terminal.say(f"{strong('benchdog')} in {one_line(str(root))} · say what is to be done · /help")
    while not talk.leave:
        try:
            line = ask_line(terminal, "›")
        except KeyboardInterrupt:
            terminal.say()
            continue
        if line is None:
            break
        _take(talk, line)
    return 0


def _take(talk: _Talk, line: str) -> None:
    """One line; what goes wrong is said and the sitting goes on."""
    try:
        if line.startswith("?"):
            _question(talk, line[1:])
        elif line.startswith("/"):
            _COMMANDS.get(line.split(maxsplit=1)[0], _unknown)(talk)
        elif line:
            _sentence(talk, line)
    except BenchdogError as error:
        talk.terminal.say(bad(plain(error.message)) + (f"\n{dim('try: ' + plain(error.hint))}" if error.hint else ""))
    except click.exceptions.Exit:
        return  # left at a question: that has been said
    except KeyboardInterrupt:
        talk.terminal.say("left")


def _sentence(talk: _Talk, line: str) -> None:
    terminal, bench = talk.terminal, talk.bench()
    if talk.run is None:
        contract = goal_contract(terminal, bench, line, Wish())
        talk.run, _ = carry_new(terminal, bench, contract)
    else:
        run = talk.run
        carry(terminal, bench, run, lambda: refine(bench, run, line))
    terminal.say(dim("/diff  /apply  /new, or say what is to be different"))


def _question(talk: _Talk, question: str) -> None:
    terminal = talk.terminal
    terminal.say(dim("asking …"))
    with talk.bench() as bench:
        answer = ask_question(bench, question)
    terminal.say(plain(answer.text))
    for each in answer.citations:
        mark = "✓" if each.holds else bad("✗ no such line:")
        terminal.say(f"  {mark} {one_line(each.path)}:{each.line}")
    cited = "" if answer.citations else ", and it cites nothing"
    terminal.say(dim(f"a claim of {one_line(answer.model)}{cited}; nothing was changed"))


def _new(talk: _Talk) -> None:
    talk.run = None
    talk.terminal.say("the next sentence is a new run")


def _diff(talk: _Talk) -> None:
    show_diff(talk.terminal, talk.latest())


def _apply(talk: _Talk) -> None:
    run, bench = talk.latest(), talk.bench()
    if confirmed(talk.terminal, bench, run):
        land_now(talk.terminal, bench, run)


def _rollback(talk: _Talk) -> None:
    run, bench = talk.latest(), talk.bench()
    with watching(talk.terminal, bench, state_of(talk.terminal, run)):
        take_back(bench, run)


def _show(talk: _Talk) -> None:
    talk.terminal.say(render(report_of(talk.terminal, talk.latest())))


def _runs(talk: _Talk) -> None:
    root = talk.bench().repository.root
    for run in list_runs(talk.terminal.environment.state, root)[:20]:
        word = run.verdict.value if run.verdict else "unfinished"
        talk.terminal.say(f"{run.run}  {word:<11}  {one_line(run.goal, 80)}")


def _help(talk: _Talk) -> None:
    talk.terminal.say(_HELP)


def _quit(talk: _Talk) -> None:
    talk.leave = True


def _unknown(talk: _Talk) -> None:
    talk.terminal.say("no such command; /help lists them")


_COMMANDS: dict[str, Callable[[_Talk], None]] = {
    "/new": _new,
    "/diff": _diff,
    "/apply": _apply,
    "/rollback": _rollback,
    "/show": _show,
    "/runs": _runs,
    "/help": _help,
    "/quit": _quit,
    "/exit": _quit,
}
