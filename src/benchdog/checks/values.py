"""What a check showed, as values. Made by the runner from a finished process; read by gates and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """`broken`: the command could not do its work at all (127, a missing module): the environment, not the code."""

    GREEN = "green"
    RED = "red"
    TIMED_OUT = "timed-out"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """What a test runner told. Ids are the runner's own; they are empty where it tells only counts.

    `complete` is False where the runner ended before its closing report.
    """

    __test__ = False  # not a test class, whatever pytest thinks of the name

    runner: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    passed_ids: tuple[str, ...] = ()
    failed_ids: tuple[str, ...] = ()
    skipped_ids: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One execution of one check. `seconds` is wall time.

    `output` and `report` are evidence digests: the whole output (up to a bound), and the test report as JSON, ids
    included; `tests` in an event carries no ids of passed or skipped tests.
    `distilled` is what a model and a person need of a red output: first error, assertion, file:line.
    """

    name: str
    run: str
    status: CheckStatus
    exit_status: int | None
    seconds: float
    output: str = ""
    report: str = ""
    distilled: str = ""
    tests: TestReport | None = None
    fix: str | None = None
    """For `broken`: what the person can do about it."""
