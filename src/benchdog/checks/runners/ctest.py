"""CTest.

1/2 Test #1: one ..............................   Passed    0.00 sec
2/2 Test #2: two ..............................***Failed    0.00 sec
50% tests passed, 1 tests failed out of 2
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_TEST = re.compile(r"^ *\d+/\d+ Test +#\d+: (\S+) [. ]*(?:\*\*\*)?(\w[\w ]*?)(?: {2,}|: |$)", re.MULTILINE)
_CLOSING = re.compile(r"^\d+% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})$", re.MULTILINE)
_NONE = re.compile(r"^No tests were found!!!$", re.MULTILINE)
_BEGAN = re.compile(r"^(?:Test project \S|\d+% tests passed, )", re.MULTILINE)


def _named(argv: Argv) -> bool:
    return argv[0] == "ctest" and not {"-N", "--show-only", "--version", "--help"}.intersection(argv)


def _read(text: str, calls: int) -> TestReport | None:
    closings = list(_CLOSING.finditer(text))[-max(1, calls) :]
    none = _NONE.findall(text)
    if not closings and not none:
        return None
    by: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    for name, how in _TEST.findall(text):
        by["passed" if how == "Passed" else "skipped" if how in ("Skipped", "Not Run") else "failed"].append(name)
    failed = sum(int(match[1]) for match in closings)
    total = sum(int(match[2]) for match in closings)
    return TestReport(
        runner="ctest",
        passed=max(0, total - failed),
        failed=failed,
        skipped=len(by["skipped"]),
        passed_ids=unique(by["passed"]),
        failed_ids=unique(by["failed"]),
        skipped_ids=unique(by["skipped"]),
        complete=len(closings) + len(none) >= calls,
    )


CTEST = Runner(name="ctest", named=_named, began=_BEGAN, read=_read)
