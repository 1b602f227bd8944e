"""The demo: an ordinary run in a small project of its own, with a model that is scripted and says so."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from benchdog.cli.carry import carry_new, status_of, watching
from benchdog.cli.found import state_of
from benchdog.cli.looking import land_now, show_diff
from benchdog.cli.reports import report_of
from benchdog.cli.terminal import Terminal, dim, strong
from benchdog.cli.view import duration
from benchdog.contract import Check, Contract, Scope
from benchdog.errors import UserError
from benchdog.events import RunState, to_plain
from benchdog.runner import open_bench, take_back
from benchdog.runner.bench import Bench
from benchdog.system.environment import Environment
from benchdog.system.files import remove_tree
from benchdog.system.places import run_place
from benchdog.system.process import Command, run
from benchdog.testing import ScriptedServer, Traits
from benchdog.testing.demo import ALLOW, CHECK, GOAL, demo_policy, make_demo_project
from benchdog.verdict import Verdict

_PACE = 60.0  # tokens per second of the scripted model where somebody watches
_CONTRACT = Contract(goal=GOAL, scope=Scope(allow=ALLOW), checks=(Check(name="tests", run=CHECK, witness=True),))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """`live` asks the person's own endpoint; `directory` None: a temporary one."""

    keep: bool = False
    live: bool = False
    directory: Path | None = None
    endpoint: str | None = None
    model: str | None = None
    unsafe: bool = False


def run_demo(terminal: Terminal, options: DemoOptions) -> int:
    """Runs the demo and returns the run's exit status. Its project is removed unless it is to be kept."""
    with _project(terminal.environment, options) as directory:
        terminal.say(_opening(options, directory))
        terminal.environment = replace(terminal.environment, cwd=directory)
        if options.live:
            return _carry_out(terminal, options, options.endpoint, options.model)
        traits = Traits(decode=_PACE if terminal.watched and not terminal.json else None)
        with ScriptedServer(demo_policy(), traits) as server:
            return _carry_out(terminal, options, server.url, traits.model)


def _opening(options: DemoOptions, directory: Path) -> str:
    who = (
        "The model is your own."
        if options.live
        else "The model is scripted: no real one is asked, and it misbehaves on purpose, as local models do."
    )
    return f"{strong('A demo.')} {who}\nAll else is real. The project: {directory}\n"


@contextmanager
def _project(environment: Environment, options: DemoOptions) -> Iterator[Path]:
    if options.directory is not None:
        directory = options.directory.resolve()
        if directory.exists() and any(directory.iterdir()):
            raise UserError(f"{directory} is not empty", hint="name a directory that is not there yet")
    else:
        directory = Path(tempfile.mkdtemp(prefix="benchdog-demo-")).resolve()
    try:
        make_demo_project(directory, lambda arguments: _git(environment, directory, tuple(arguments)))
        yield directory
    finally:
        if not options.keep:
            remove_tree(directory)


def _git(environment: Environment, directory: Path, arguments: tuple[str, ...]) -> None:
    command = Command(argv=("git", *arguments), cwd=directory, environment=dict(environment.variables), timeout=60)
    done = run(command)
    if done.exit_status != 0:
        said = done.stderr.value().decode("utf-8", "replace").strip()
        raise UserError(f"git {arguments[0]} failed in {directory}: {said}")


def _carry_out(terminal: Terminal, options: DemoOptions, endpoint: str | None, model: str | None) -> int:
    bench = open_bench(
        terminal.environment,
        cancel=terminal.interrupts.cancel,
        unsafe=options.unsafe,
        endpoint_url=endpoint,
        model=model,
    )
    name, state = carry_new(terminal, bench, _CONTRACT)
    if options.live:
        terminal.say(_speed(state))
    report: dict[str, Any] = {}
    if state.outcome is Verdict.PASSED:
        report = _land_and_take_back(terminal, bench, name)
    if terminal.json:
        terminal.document({**to_plain(report_of(terminal, name)), **report})
    else:
        terminal.say(_ending(terminal, options, name))
    return status_of(state)


def _speed(state: RunState) -> str:
    """What the person's own endpoint did, in numbers."""
    tally = state.tally
    outcome = state.outcome.value if state.outcome else "unfinished"
    model = state.endpoint.model if state.endpoint else "the model"
    if not tally.completion or not tally.model_seconds:
        return f"\n{model}: {outcome}; the server told no token counts"
    speed = tally.completion / tally.model_seconds
    return (
        f"\n{model}: {outcome} · {tally.requests} requests in {duration(tally.model_seconds)} of model time · "
        f"{tally.completion:,} tokens written, {speed:.0f} a second prefill included"
    )


def _land_and_take_back(terminal: Terminal, bench: Bench, name: str) -> dict[str, bool]:
    """What comes after a run: the diff, `apply`, `rollback`. Both are checked on the file itself."""
    file = bench.repository.root / ALLOW[0]
    before = file.read_bytes()
    terminal.say(f"\n{dim('$ benchdog diff')}")
    show_diff(terminal, name)
    terminal.say(f"\n{dim('$ benchdog apply')}")
    land_now(terminal, bench, name)
    applied = file.read_bytes() != before
    terminal.say(f"\n{dim('$ benchdog rollback')}")
    with watching(terminal, bench, state_of(terminal, name)):
        take_back(bench, name)
    return {"applied": applied, "rolled_back": file.read_bytes() == before}


def _ending(terminal: Terminal, options: DemoOptions, name: str) -> str:
    report = run_place(terminal.environment.state, name) / "report.md"
    lines = ["", f"report: {report}"]
    if options.keep:
        where = quote(str(terminal.environment.cwd))
        lines += [
            f"The project stays in {where}. To play with it, serve the scripted model in another terminal:",
            f"  {quote(sys.executable)} -m benchdog.testing --policy demo --port 8099",
            f"  cd {where} && benchdog run {quote(GOAL)} --allow {ALLOW[0]} --check {quote(CHECK)} "
            "--endpoint http://127.0.0.1:8099/v1",
        ]
    if not options.live:
        lines.append("With your own model: benchdog demo --live")
    lines.append('Next, in your own repository: benchdog run "what is to be done"')
    return "\n".join(lines)
