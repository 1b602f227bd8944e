"""`verify`, `log`: the run's own record, recomputed and read."""

from __future__ import annotations

import json

import click

from benchdog.cli.found import find_run
from benchdog.cli.options import json_option, run_argument
from benchdog.cli.terminal import Terminal, bad, dim, good
from benchdog.events import encode, to_plain
from benchdog.ledger.log import read_log
from benchdog.ledger.verify import verify_run
from benchdog.system.places import run_place
from benchdog.system.terminal import one_line, plain

_DOES_NOT_HOLD = 1


@click.command()
@run_argument
@click.option("--head", metavar="HASH", help="The log's head as you kept it elsewhere: no rewriting escapes it.")
@json_option
@click.pass_obj
def verify(terminal: Terminal, /, run: str, head: str | None) -> int:
    """Recompute a run's log and evidence, and name the first thing that does not hold."""
    run = find_run(terminal, run)
    found = verify_run(run_place(terminal.environment.state, run), run, head)
    if terminal.json:
        terminal.document({"run": run, **to_plain(found)})
    elif found.ok:
        open_end = "" if found.finished else "; the run is not finished"
        counts = f"{found.lines} lines of the log and {found.artefacts} artefacts hold"
        terminal.data(f"{good('✓')} run {run}: {counts}{open_end}\n  head {found.head}")
    else:
        terminal.data(f"{bad('✗')} run {run}: {plain(found.first_problem or '')}")
    return 0 if found.ok else _DOES_NOT_HOLD


@click.command()
@run_argument
@json_option
@click.pass_obj
def log(terminal: Terminal, /, run: str) -> int:
    """Print a run's events, one a line."""
    run = find_run(terminal, run)
    recorded = read_log(run_place(terminal.environment.state, run), run)
    if terminal.json:
        events = [
            {"seq": line.seq, "at": line.at.isoformat(), "event": encode(line.event), "hash": line.hash}
            for line in recorded
        ]
        terminal.document({"run": run, "events": events})
        return 0
    for line in recorded:
        body = encode(line.event)
        kind = body.pop("kind")
        fields = " ".join(f"{name}={json.dumps(value)}" for name, value in body.items() if value not in (None, "", []))
        when = dim(f"{line.seq:>4} {line.at:%H:%M:%S}")
        terminal.data(f"{when} {kind} {one_line(fields, 240 if terminal.shows else 10_000)}".rstrip())
    return 0
