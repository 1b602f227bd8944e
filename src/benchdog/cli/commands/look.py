"""`runs`, `show`, `diff`: what there is, what came of it, what it changed."""

from __future__ import annotations

from datetime import datetime

import click

from benchdog.cli.diffs import of_path, shown
from benchdog.cli.found import find_run, names_a_run, repository_root, state_of
from benchdog.cli.looking import page, remember_look
from benchdog.cli.options import json_option, run_argument
from benchdog.cli.reports import report_of
from benchdog.cli.terminal import LATEST, Terminal, bad, dim, good, warn
from benchdog.cli.view import plural_s
from benchdog.errors import UserError
from benchdog.events import to_plain
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.render import render
from benchdog.ledger.runs import RunSummary, list_runs, stats
from benchdog.system.clock import SystemClock
from benchdog.system.places import run_place
from benchdog.system.terminal import one_line, plain
from benchdog.verdict import Verdict

_ABORTED = "aborted"
_COLOURS = {Verdict.PASSED: good, Verdict.HELD: warn, Verdict.NEEDS_INPUT: warn}


@click.command()
@click.option("--all", "everywhere", is_flag=True, help="The runs of every repository.")
@click.option("--stats", "counted", is_flag=True, help="Count verdicts and classes of failure by model.")
@json_option
@click.pass_obj
def runs(terminal: Terminal, /, *, everywhere: bool, counted: bool) -> int:
    """List this repository's runs, the latest first."""
    listed = list_runs(terminal.environment.state, None if everywhere else repository_root(terminal))
    if counted:
        return _counted(terminal, listed)
    if terminal.json:
        terminal.document({"runs": [{**to_plain(each), "started": each.started.isoformat()} for each in listed]})
        return 0
    now = SystemClock().now()
    for each in listed:
        terminal.data(_row(each, now, everywhere=everywhere))
    if not listed:
        terminal.say('nothing has run here yet; try: benchdog run "what is to be done"')
    return 0


def _row(run: RunSummary, now: datetime, *, everywhere: bool) -> str:
    word = "unreadable" if run.problem else run.verdict.value if run.verdict else "unfinished"
    colour = _COLOURS.get(run.verdict, bad) if run.verdict else warn
    size = f"+{run.added} -{run.removed}" if run.files else ""
    place = f"  {one_line(run.root, 60)}" if everywhere else ""
    age = _age((now - run.started).total_seconds())
    text = one_line(run.problem or run.goal, 80)
    landing = "" if run.landing == _ABORTED else run.landing  # all is as before: nothing became of that
    return f"{run.run}  {age:>6}  {colour(f'{word:<11}')}  {size:<9}  {landing:<11}{place}  {text}".rstrip()


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"


def _counted(terminal: Terminal, listed: tuple[RunSummary, ...]) -> int:
    """How often each verdict came, and why runs failed, for every model."""
    table = stats(listed)
    if terminal.json:
        terminal.document({"models": to_plain(table)})
        return 0
    for each in table:
        verdicts = " · ".join(f"{verdict.value} {count}" for verdict, count in each.verdicts.items())
        classes = ", ".join(f"{kind.value} {count}" for kind, count in each.classes.items())
        terminal.data(
            f"{one_line(each.model, 60) or 'no model reached'}: {each.runs} run{plural_s(each.runs)} · {verdicts}"
            + (f" · why: {classes}" if classes else "")
        )
    if not table:
        terminal.say("no run has come to a verdict yet")
    return 0


@click.command()
@run_argument
@click.option("--evidence", metavar="DIGEST", help="Print one artefact instead: any unique beginning of its digest.")
@json_option
@click.pass_obj
def show(terminal: Terminal, /, run: str, evidence: str | None) -> int:
    """Show a run's report, or one artefact of its evidence."""
    run = find_run(terminal, run)
    if evidence is not None:
        return _artefact(terminal, run, evidence)
    report = report_of(terminal, run)
    if terminal.json:
        terminal.document(to_plain(report))
    else:
        terminal.data(render(report))
    return 0


def _artefact(terminal: Terminal, run: str, beginning: str) -> int:
    """Raw where a program reads it; without terminal sequences on a screen."""
    store = Evidence(run_place(terminal.environment.state, run))
    digest = store.find(beginning)
    data = store.get(digest)
    if terminal.json:
        text = data.decode("utf-8", "backslashreplace")
        terminal.document({"run": run, "evidence": digest, "file": str(store.path(digest)), "text": text})
    elif terminal.shows:
        page(terminal, plain(data.decode("utf-8", "replace")).rstrip("\n"), terminal.data)
    else:
        terminal.raw(data)
    return 0


@click.command()
@click.argument("words", metavar="[RUN] [PATH]", nargs=-1)
@json_option
@click.pass_obj
def diff(terminal: Terminal, /, words: tuple[str, ...]) -> int:
    """Show what a run changed: all of it, or below PATH. Piped, it is a patch for `git apply`."""
    run, path = _run_and_path(terminal, words)
    state = state_of(terminal, run)
    place = run_place(terminal.environment.state, run)
    data = Evidence(place).get(state.diff) if state.diff else b""
    if path is not None:
        data = of_path(data, path)
        if not data:
            raise UserError(f"run {run} did not change {path!r}", hint=f"benchdog diff {run}")
    if terminal.json:
        paths = [one_line(change.path) for change in state.changes]
        terminal.document({"run": run, "changes": paths, "diff": data.decode("utf-8", "backslashreplace")})
    elif terminal.shows:
        page(terminal, shown(data) if data else dim("no change"), terminal.data)
    else:
        terminal.raw(data)
    if terminal.shows and path is None:
        remember_look(place, state)
    return 0


def _run_and_path(terminal: Terminal, words: tuple[str, ...]) -> tuple[str, str | None]:
    """`[RUN] [PATH]`; a single word is a run where one is called so, else a path."""
    if len(words) > 2:
        raise UserError(f"{words[2]!r} is one word too many", hint="benchdog diff [RUN] [PATH]")
    if len(words) == 2:
        return find_run(terminal, words[0]), words[1]
    if not words or words[0] == LATEST:
        return find_run(terminal, LATEST), None
    if names_a_run(terminal, words[0]):
        return find_run(terminal, words[0]), None
    return find_run(terminal, LATEST), words[0]
