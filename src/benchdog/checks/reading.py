"""From what a check printed to a test report, whatever the runner."""

from __future__ import annotations

from dataclasses import replace

from benchdog.checks.command import programs
from benchdog.checks.runners import RUNNERS
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
    return _merged(printed, read_junit(junit), _calls(run).get("pytest", 0))


def _printed(run: str, text: str, exit_status: int) -> TestReport | None:
    """What the runners that the command names told; where it names none, what the first that knows its lines reads."""
    calls = _calls(run)
    if not calls:
        readers = (runner for runner in RUNNERS if runner.began.search(text))
        return next((report for runner in readers if (report := runner.read(text, 0))), None) or _begun(text)
    if exit_status in _NEVER_RAN:
        return None
    return _sum([_named(name, number, text) for name, number in calls.items()])


def _begun(text: str) -> TestReport | None:
    """A runner that nobody named began, but told nothing that reads."""
    begun = (TestReport(runner=runner.name, complete=False) for runner in RUNNERS if runner.began.search(text))
    return next(begun, None)


def _named(name: str, calls: int, text: str) -> TestReport:
    readers = (runner for runner in RUNNERS if runner.name == name)
    told = (report for runner in readers if (report := runner.read(text, calls)))
    return next(told, TestReport(runner=name, complete=False))


def _calls(run: str) -> dict[str, int]:
    """How often the command names each runner; printers of one runner count once."""
    commands = programs(run)
    found = {runner.name: sum(runner.named(argv) for argv in commands) for runner in RUNNERS}
    return {name: number for name, number in found.items() if number}


def _sum(reports: list[TestReport]) -> TestReport:
    """One report of several runners in one command: it is complete where each is."""
    if len(reports) == 1:
        return reports[0]
    return TestReport(
        runner=" + ".join(report.runner for report in reports),
        passed=sum(report.passed for report in reports),
        failed=sum(report.failed for report in reports),
        skipped=sum(report.skipped for report in reports),
        passed_ids=tuple(each for report in reports for each in report.passed_ids),
        failed_ids=tuple(each for report in reports for each in report.failed_ids),
        skipped_ids=tuple(each for report in reports for each in report.skipped_ids),
        complete=all(report.complete for report in reports),
    )


def _merged(printed: TestReport | None, told: TestReport | None, calls: int) -> TestReport | None:
    """The JUnit report's ids with the printed report's failures; several pytest calls overwrite one JUnit file."""
    if told is None or calls > 1:
        return printed
    if printed is None:
        return told
    if printed.complete and not (printed.passed or printed.failed or printed.skipped):
        return printed  # it ran no tests at all: what lies there is of another run
    return replace(told, failed=max(told.failed, printed.failed), complete=printed.complete)
