"""`doctor`: is this machine ready? Every answer comes from trying, and every no says what to do."""

from __future__ import annotations

import platform
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click

from benchdog.cli.options import json_option
from benchdog.cli.terminal import Terminal, bad, dim, good, warn
from benchdog.contract import Settings
from benchdog.errors import BenchdogError
from benchdog.models.connect import connect
from benchdog.repo import open_repository
from benchdog.runner.configure import load
from benchdog.sandbox.choose import choose_sandbox
from benchdog.sandbox.policy import Policy, SandboxedCommand
from benchdog.system.clock import SystemClock
from benchdog.system.files import write_durably
from benchdog.system.process import Command, run
from benchdog.system.terminal import plain

OLDEST_GIT = (2, 30)
NOT_READY = 4


class Health(StrEnum):
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that was tried. `fix` is what to do about it."""

    name: str
    health: Health
    says: str
    fix: str | None = None


@click.command()
@json_option
@click.pass_obj
def doctor(terminal: Terminal, /) -> int:
    """Look whether this machine is ready, and say how to make it so."""
    items = []
    for name, probe in PROBES.items():
        terminal.moment(f"trying: {name} …")
        item = probe(terminal)
        items.append(item)
        if not terminal.json:
            terminal.data(_shown(item))
    ready = all(item.health is not Health.BAD for item in items)
    if terminal.json:
        terminal.document(
            {
                "ready": ready,
                "items": [
                    {"name": item.name, "health": item.health.value, "says": item.says, "fix": item.fix}
                    for item in items
                ],
            }
        )
    elif ready:
        terminal.say('ready: benchdog run "what is to be done", or benchdog demo to see one first')
    return 0 if ready else NOT_READY


def _shown(item: Item) -> str:
    mark = {Health.OK: good("✓"), Health.WARN: warn("!"), Health.BAD: bad("✗")}[item.health]
    says = plain(item.says).replace("\n", "\n" + " " * 15)
    fix = "\n" + " " * 15 + dim("fix: ") + plain(item.fix) if item.fix and item.health is not Health.OK else ""
    return f"{mark} {item.name:<12} {says}{fix}"


def _python(terminal: Terminal) -> Item:
    return Item(name="Python", health=Health.OK, says=platform.python_version())


def _git(terminal: Terminal) -> Item:
    command = Command(
        argv=("git", "--version"), cwd=Path("/"), environment=dict(terminal.environment.variables), timeout=10
    )
    fix = "install git: `sudo apt install git`, `sudo dnf install git`, or on macOS `xcode-select --install`"
    try:
        said = run(command).stdout.value().decode("utf-8", "replace").strip()
    except BenchdogError as error:
        return Item(name="git", health=Health.BAD, says=error.message, fix=fix)
    version = re.search(r"(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        return Item(name="git", health=Health.BAD, says=f"{said or 'no answer'}; {oldest} is needed", fix=fix)
    return Item(name="git", health=Health.OK, says=said.removeprefix("git version "))


def _state(terminal: Terminal) -> Item:
    folder = terminal.environment.state
    probe = folder / "doctor"
    try:
        write_durably(probe, b"")
        probe.unlink()
    except (BenchdogError, OSError) as error:
        return Item(
            name="state",
            health=Health.BAD,
            says=str(error),
            fix="set XDG_STATE_HOME to a directory that can be written",
        )
    return Item(name="state", health=Health.OK, says=f"{folder} can be written")


def _sandbox(terminal: Terminal) -> Item:
    """A command really runs in it."""
    try:
        sandbox = choose_sandbox(terminal.environment, unsafe=False)
        with tempfile.TemporaryDirectory(prefix="benchdog-doctor-") as folder:
            place = Path(folder).resolve()
            done = sandbox.run(SandboxedCommand(argv=("true",), timeout=20), Policy(tree=place, mount_at=place))
    except BenchdogError as error:
        return Item(name="sandbox", health=Health.BAD, says=error.message, fix=error.hint)
    if done.exit_status != 0:
        said = done.output.value().decode("utf-8", "replace").strip()
        return Item(name="sandbox", health=Health.BAD, says=f"{sandbox.name} starts, but `true` fails in it: {said}")
    return Item(name="sandbox", health=Health.OK, says=" · ".join((sandbox.name, *sandbox.layers)))


def _repository(terminal: Terminal) -> Item:
    environment = terminal.environment
    try:
        repository = open_repository(environment, environment.cwd, SystemClock())
        load(environment, repository.root)
    except BenchdogError as error:
        return Item(name="repository", health=Health.BAD, says=error.message, fix=error.hint)
    says = f"{repository.root}" + ("" if repository.is_git else " (no git repository: apply writes files)")
    if str(repository.root).startswith("/mnt/"):
        fix = "keep the repository on the Linux side: files under /mnt are slow from WSL"
        return Item(name="repository", health=Health.WARN, says=says, fix=fix)
    return Item(name="repository", health=Health.OK, says=says)


def _model(terminal: Terminal) -> Item:
    environment = terminal.environment
    try:
        settings = load(environment, environment.cwd).settings
    except BenchdogError:
        settings = Settings()  # the repository's own line has said what is wrong
    try:
        endpoint = connect(environment, settings.endpoints, clock=SystemClock(), cancel=terminal.interrupts.cancel)
    except BenchdogError as error:
        return Item(name="model", health=Health.BAD, says=error.message, fix=error.hint)
    facts = endpoint.facts
    endpoint.close()
    context = f"{facts.context:,} tokens in effect" if facts.context else "context length unknown"
    return Item(
        name="model",
        health=Health.OK,
        says=f"{facts.model} · {facts.server or facts.dialect} at {facts.url} · {context}",
    )


PROBES: dict[str, Callable[[Terminal], Item]] = {
    "Python": _python,
    "git": _git,
    "state": _state,
    "sandbox": _sandbox,
    "repository": _repository,
    "model": _model,
}
