"""From what a check printed to a test report, whatever the runner."""

from __future__ import annotations

from dataclasses import replace

from benchdog.checks.command import programs
from benchdog.checks.runners import RUNNERS, Runner
from benchdog.checks.runners.junit import read_junit
from benchdog.checks.text import clean
from benchdog.checks.values import TestReport

_NEVER_RAN = (126, 127)  # a shell's "cannot be executed" and "not found"


def read_output(run: str, output: str, exit_status: int, junit: bytes | None = None) -> TestReport | None:
    """What the check `run` told about its tests; None where it ran none that benchdog can read. Never raises.

    Where a runner is named in the command, or its lines are in the output, but its closing report is missing, the
    report is incomplete. `junit` is what pytest wrote beside its output; it gives the ids, but never fewer failures
    than were printed.
    """
    text = clean(output)
    printed = _printed(run, text, exit_status)
    if junit is None or (printed is not None and printed.runner != "pytest"):
        return printed
    return _merged(printed, read_junit(junit), _calls(run, "pytest"))


def _printed(run: str, text: str, exit_status: int) -> TestReport | None:
    commands = programs(run)
    silent: TestReport | None = None
    for runner in RUNNERS:
        calls = sum(runner.named(argv) for argv in commands)
        if not calls and not runner.began.search(text):
            continue
        report = runner.read(text, calls)
        if report is not None:
            return report
        if silent is None and exit_status not in _NEVER_RAN and _could_have_told(runner, calls, text):
            silent = TestReport(runner=runner.name, complete=False)
    return silent


def _could_have_told(runner: Runner, calls: int, text: str) -> bool:
    return calls > 0 or runner.began.search(text) is not None


def _calls(run: str, name: str) -> int:
    return sum(runner.named(argv) for runner in RUNNERS if runner.name == name for argv in programs(run))


def _merged(printed: TestReport | None, told: TestReport | None, calls: int) -> TestReport | None:
    """The JUnit report's ids with the printed report's failures; several pytest calls overwrite one JUnit file."""
    if told is None or calls > 1:
        return printed
    if printed is None:
        return told
    if printed.complete and not (printed.passed or printed.failed or printed.skipped):
        return printed  # it ran no tests at all: what lies there is of another run
    return replace(told, failed=max(told.failed, printed.failed), complete=printed.complete)
