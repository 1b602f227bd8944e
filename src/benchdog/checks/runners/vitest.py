"""vitest: closing counts, the ids of failures, and the lines of its verbose reporter.

✓ a.test.ts > ok 1ms
FAIL  a.test.ts > grp > in
Test Files  1 failed (1)
     Tests  2 failed | 1 passed | 1 skipped | 1 todo (5)
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, counts, unique
from benchdog.checks.values import TestReport

_FILES = re.compile(r"^ *Test Files +([^\n]+)$", re.MULTILINE)
_TESTS = re.compile(r"^ *Tests +([^\n]+)$", re.MULTILINE)
_FAIL = re.compile(r"^ *FAIL +(\S[^\n]*)$", re.MULTILINE)
_LINE = re.compile(r"^ *([✓×↓□]) (\S[^\n]*)$", re.MULTILINE)
_TIME = re.compile(r" +\d[\d.]*m?s$")
_BROKEN_FILE = re.compile(r"^(\S+) \[ \S+ \]$")
_NO_TESTS = {"--version", "--help", "list", "bench"}


def _named(argv: Argv) -> bool:
    return argv[0] == "vitest" and not _NO_TESTS.intersection(argv[1:])


def _read(text: str, calls: int) -> TestReport | None:
    if not _FILES.search(text):
        return None
    closings = _TESTS.findall(text)[-max(1, calls) :]
    found = counts(", ".join(closings))
    broken, red = _failures(text)
    by: dict[str, list[str]] = {"✓": [], "×": [], "↓": [], "□": []}
    for mark, rest in _LINE.findall(text):
        if " > " in rest:
            by[mark].append(_TIME.sub("", rest))
    return TestReport(
        runner="vitest",
        passed=found.get("passed", 0),
        failed=found.get("failed", 0) + len(broken),
        skipped=found.get("skipped", 0) + found.get("todo", 0),
        passed_ids=unique(by["✓"]),
        failed_ids=unique([*broken, *red, *by["×"]]),
        skipped_ids=unique(by["↓"] + by["□"]),
        complete=len(_FILES.findall(text)) >= calls,
    )


def _failures(text: str) -> tuple[tuple[str, ...], list[str]]:
    """Files that could not be run, and failed tests."""
    broken: list[str] = []
    red: list[str] = []
    for rest in _FAIL.findall(text):
        file = _BROKEN_FILE.match(rest)
        (broken if file else red).append(file[1] if file else rest.rstrip())
    return unique(broken), red


VITEST = Runner(name="vitest", named=_named, began=_FILES, read=_read)
