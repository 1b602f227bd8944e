"""`config`, `trust`: the settings in effect, where they come from, and what a repository may widen."""

from __future__ import annotations

import click

from benchdog.cli.found import repository_root
from benchdog.cli.keys import choose
from benchdog.cli.options import json_option
from benchdog.cli.terminal import Terminal, bad, dim, good, warn
from benchdog.contract.schema import contract_schema, settings_schema
from benchdog.errors import UserError
from benchdog.events import to_plain
from benchdog.runner.configure import (
    Configuration,
    TrustQuestion,
    distrust,
    load,
    trust_question,
)
from benchdog.runner.configure import trust as record_trust
from benchdog.system.terminal import one_line, plain

_NOT_ACCEPTED = 1


@click.command()
@click.option("--explain", is_flag=True, help="Say of each value where it comes from.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of contracts and of settings files.")
@json_option
@click.pass_obj
def config(terminal: Terminal, /, *, explain: bool, schema: bool) -> int:
    """Show the settings in effect here."""
    if schema:
        terminal.document({"contract": contract_schema(), "settings": settings_schema()})
        return 0
    found = load(terminal.environment, repository_root(terminal))
    if terminal.json:
        terminal.document(
            {
                "values": [to_plain(row) for row in found.rows],
                "inert": [to_plain(each) for each in found.inert],
                "files": [str(file) for file in (found.repository_file, found.person_file) if file],
            }
        )
        return 0
    width = max((len(f"{row.key} = {row.value}") for row in found.rows), default=0)
    for row in found.rows:
        text = one_line(f"{row.key} = {row.value}", 200)
        terminal.data(f"{text:<{min(width, 60)}}  {dim('# ' + one_line(row.source))}" if explain else text)
    _say_inert(terminal, found)
    if explain:
        terminal.say(
            dim(f"Yours: {plain(str(terminal.environment.config))}" + ("" if found.person_file else " (not there yet)"))
        )
    return 0


def _say_inert(terminal: Terminal, found: Configuration) -> None:
    for each in found.inert:
        terminal.say(warn("! ") + f"not in effect until you say `benchdog trust`: {one_line(each.text)}")


@click.command()
@click.option("--yes", "-y", is_flag=True, help="Accept without being asked.")
@click.option("--revoke", is_flag=True, help="Take back what was accepted.")
@json_option
@click.pass_obj
def trust(terminal: Terminal, /, *, yes: bool, revoke: bool) -> int:
    """Accept what this repository's benchdog.toml widens: endpoints, what is lent or exposed, opened classes."""
    root = repository_root(terminal)
    question = trust_question(terminal.environment, root)
    if question is None:
        raise UserError(f"there is no benchdog.toml in {root}", hint="benchdog init writes one")
    if revoke:
        return _revoke(terminal, question)
    if not question.settled:
        _show(terminal, question)
        if not yes and not _agrees(terminal):
            return _told(terminal, question, accepted=False)
        record_trust(terminal.environment, question)
    return _told(terminal, question, accepted=True)


def _show(terminal: Terminal, question: TrustQuestion) -> None:
    """What is new against what was accepted before; all of it the first time."""
    terminal.say(f"{plain(str(question.file))} widens what checks and models may do:")
    for line in question.diff if question.before else tuple(f"+{each}" for each in question.after):
        colour = good if line.startswith("+") else bad if line.startswith("-") else dim
        if not line.startswith(("---", "+++", "@@")):
            terminal.say("  " + colour(one_line(line, 400)))


def _agrees(terminal: Terminal) -> bool:
    if not terminal.interactive:
        raise UserError("nobody is here to be asked", hint="look at it, then: benchdog trust --yes")
    return choose(terminal, "Accept exactly this? [y/N]", "yn") == "y"


def _revoke(terminal: Terminal, question: TrustQuestion) -> int:
    taken = distrust(terminal.environment, question.file)
    if terminal.json:
        terminal.document({"file": str(question.file), "accepted": False, "revoked": taken})
    else:
        terminal.say("taken back: nothing that it widens is in effect" if taken else "nothing had been accepted")
    return 0


def _told(terminal: Terminal, question: TrustQuestion, *, accepted: bool) -> int:
    if terminal.json:
        terminal.document({"file": str(question.file), "accepted": accepted, "widens": list(question.after)})
    elif not question.after:
        terminal.say(f"{plain(str(question.file))} widens nothing: there is nothing to accept")
    else:
        terminal.say("accepted; a change of it will be shown and asked again" if accepted else "not accepted")
    return 0 if accepted else _NOT_ACCEPTED
