"""`fix`: goal and scope come from a red command."""

from __future__ import annotations

from shlex import quote
from typing import Any

import click

from benchdog.checks import CheckStatus
from benchdog.cli.carry import open_for
from benchdog.cli.detected import detected
from benchdog.cli.lines import coloured
from benchdog.cli.options import json_option, model_options
from benchdog.cli.start import red_contract, start
from benchdog.cli.terminal import Terminal, dim
from benchdog.cli.wish import take_wish, wish_options, work_folder
from benchdog.cli.words import check_line
from benchdog.contract import Check
from benchdog.contract.red import from_red_command
from benchdog.errors import HostError, UserError
from benchdog.ledger.evidence import Evidence
from benchdog.runner import Bench, red_command
from benchdog.runner.checks import CheckRun
from benchdog.system.terminal import one_line


@click.command()
@click.argument("words", metavar="[CMD]", nargs=-1)
@wish_options
@model_options
@json_option
@click.pass_obj
def fix(terminal: Terminal, /, words: tuple[str, ...], **given: Any) -> int:
    """Make a red command green: CMD, or the repository's own check."""
    wish = take_wish(given)
    bench = open_for(terminal, **given)
    command = words[0] if len(words) == 1 else " ".join(quote(word) for word in words)
    check = Check(name="command", run=command, cwd=work_folder(bench)) if command else _default_check(bench)
    command = check.run
    terminal.say(dim(f"running {one_line(command)} …"))
    found = red_command(bench, command, cwd=check.cwd)
    terminal.say(coloured(check_line(found.result)))
    if found.result.status is CheckStatus.GREEN:
        return _nothing_to_do(terminal, command)
    _refuse_broken(found)
    repository = bench.repository
    paths = tuple(repository.view(repository.snapshot().tree).entries)
    red = from_red_command(command, _output(bench, found), paths, find=repository.find, folder=check.cwd)
    return start(terminal, bench, red_contract(terminal, bench, red, wish))


def _default_check(bench: Bench) -> Check:
    checks = bench.configuration.settings.checks or tuple(each.check for each in detected(bench.repository).checks)
    if not checks:
        raise UserError("no check is known here", hint='name the red command: benchdog fix "pytest -q"')
    return checks[0]


def _output(bench: Bench, found: CheckRun) -> str:
    """The whole output: its frames point at files that the short account may leave out."""
    if not found.result.output:
        return found.result.distilled
    return Evidence(bench.repository.place / "outlook").get(found.result.output).decode("utf-8", "replace")


def _nothing_to_do(terminal: Terminal, command: str) -> int:
    if terminal.json:
        terminal.document({"run": None, "verdict": None, "check": command, "status": "green"})
    else:
        terminal.say(f"{one_line(command)} is green already: there is nothing to fix")
    return 0


def _refuse_broken(found: CheckRun) -> None:
    result = found.result
    if result.status is CheckStatus.BROKEN:
        raise HostError(f"`{result.run}` cannot run here: {result.distilled or 'it did not start'}", hint=result.fix)
    if result.status is CheckStatus.TIMED_OUT:
        raise HostError(f"`{result.run}` took too long", hint="name a quicker command, or give it --timeout")
