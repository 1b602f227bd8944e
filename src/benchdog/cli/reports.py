"""A run's report for those who ask now, whether the run has ended or not."""

from __future__ import annotations

from benchdog.cli.terminal import Terminal
from benchdog.events import fold
from benchdog.ledger.account import Report
from benchdog.ledger.log import first_prev, read_log
from benchdog.ledger.report import build_report
from benchdog.system.places import run_place


def report_of(terminal: Terminal, run: str) -> Report:
    """The report that the run's log tells now. Raises CorruptLog, StoreError."""
    place = run_place(terminal.environment.state, run)
    recorded = read_log(place, run)
    head = recorded[-1].hash if recorded else first_prev(run)
    return build_report(fold(line.event for line in recorded), recorded, head, place)
