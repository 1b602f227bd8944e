"""`init`: a repository's checks into its `benchdog.toml`, the endpoint that was found into the person's own file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from benchdog.cli.detected import detected
from benchdog.cli.options import json_option
from benchdog.cli.terminal import Terminal, dim, warn
from benchdog.contract.detect import Detected
from benchdog.contract.templates import TEMPLATES, render_settings, render_template
from benchdog.errors import EndpointError, UserError
from benchdog.models.discover import discover
from benchdog.repo import open_repository
from benchdog.runner.configure import FILE_NAME, load, write_person_endpoint
from benchdog.system.clock import SystemClock
from benchdog.system.terminal import one_line


@click.command()
@click.option("--template", type=click.Choice(sorted(TEMPLATES)), help="Also write a contract of this kind to fill in.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--no-endpoint", is_flag=True, help="Do not look for a model server.")
@json_option
@click.pass_obj
def init(terminal: Terminal, /, *, template: str | None, force: bool, no_endpoint: bool) -> int:
    """Write a benchdog.toml with the checks found here; remember the model server that runs."""
    environment = terminal.environment
    repository = open_repository(environment, environment.cwd, SystemClock())
    found = detected(repository)
    folder = environment.cwd if not repository.is_git else repository.root
    written: list[Path] = []
    settings = folder / FILE_NAME
    if template is None or not settings.exists():
        _write(settings, render_settings(found), force=force)
        written.append(settings)
    if template is not None:
        contract = folder / f"{template}.toml"
        _write(contract, render_template(template, contract.name), force=force)
        written.append(contract)
    endpoint = None if no_endpoint else _endpoint(terminal)
    _tell(terminal, found, written, endpoint)
    return 0


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(os.fsencode(text))
    except FileExistsError as error:
        raise UserError(f"{path} is there already", hint="--force replaces it") from error
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


def _endpoint(terminal: Terminal) -> str | None:
    """The address that was found, once it stands in the person's file; None where there is none to be found."""
    environment = terminal.environment
    known = load(environment, environment.cwd).settings.endpoints
    if known:
        return known[0].url
    try:
        found = discover(environment, cancel=terminal.interrupts.cancel)
    except EndpointError as error:
        terminal.say(warn("! ") + one_line(error.message.split("\n", 1)[0]) + dim("  (benchdog doctor says more)"))
        return None
    write_person_endpoint(environment, found)
    return found.url


def _tell(terminal: Terminal, found: Detected, written: list[Path], endpoint: str | None) -> None:
    if terminal.json:
        terminal.document(
            {
                "written": [str(path) for path in written],
                "checks": [{"name": each.check.name, "run": each.check.run, "why": each.why} for each in found.checks],
                "notes": list(found.notes),
                "endpoint": endpoint,
            }
        )
        return
    for each in found.checks:
        terminal.say(f"check    {each.check.name}: {one_line(each.check.run)}  {dim('(' + one_line(each.why) + ')')}")
    for note in found.notes:
        terminal.say(warn("! ") + one_line(note))
    for path in written:
        terminal.say(f"written  {one_line(str(path))}")
    if endpoint:
        terminal.say(f"model    {one_line(endpoint)}  {dim('(in ' + str(terminal.environment.config) + ')')}")
    if found.checks:
        terminal.say('next: benchdog fix, or benchdog run "what is to be done"')
    else:
        terminal.say(warn("! ") + f"no check was found: write one into {FILE_NAME}, or name it each time")
        terminal.say('next: benchdog fix "CMD", or benchdog run "what is to be done" --check "CMD"')
