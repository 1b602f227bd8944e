"""pytest: the closing line, the short summary, verbose lines, and `-qq`, which prints no closing line.

=== 2 failed, 3 passed, 1 skipped, 1 xfailed, 1 xpassed, 1 error in 0.44s ===
FAILED tests/test_x.py::TestC::test_m[a b] - AssertionError: …
tests/test_x.py::test_ok PASSED                       [ 22%]
[gw1] [ 22%] PASSED tests/test_x.py::test_ok
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, counts, unique
from benchdog.checks.values import TestReport

_NO_TESTS = {"--version", "-V", "--help", "-h", "--collect-only", "--co", "--fixtures", "--markers"}
_COUNT = r"\d{1,9} (?:failed|passed|skipped|deselected|xfailed|xpassed|warnings?|errors?|rerun|subtests \w+)"
_CLOSING = re.compile(
    rf"^(?:=+ )?((?:{_COUNT})(?:, {_COUNT}){{0,12}}|no tests ran|no tests collected[^\n]{{0,40}})"
    r" in \d[\d.]*s(?: \([\d:a-z, ]+\))?(?: =+)?$",
    re.MULTILINE,
)
_SUMMARY = re.compile(r"^(FAILED|ERROR|PASSED|XFAIL|XPASS|SUBFAILED)(?:(?<=SUBFAILED)\S*)? (\S[^\n]*)$", re.MULTILINE)
_VERBOSE = re.compile(r" (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?= |$)")
_AFTER_VERBOSE = re.compile(r"(?: \(.*\))?(?: +\[ *\d+%\])?")
_XDIST = re.compile(r"^\[gw\d+\] (?:\[ *\d+%\] )?(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (\S[^\n]*)$", re.MULTILINE)
_DOTS = re.compile(r"^(?:\S+\.py )?([.FEsxX]+)(?: +\[ *\d+%\])?$", re.MULTILINE)
_LAST_DOTS = re.compile(r"^(?:\S+\.py )?[.FEsxX]+ +\[100%\]$", re.MULTILINE)
_KIND = {
    "PASSED": "passed",
    "XPASS": "passed",
    "FAILED": "failed",
    "ERROR": "failed",
    "SUBFAILED": "failed",
    "SKIPPED": "skipped",
    "XFAIL": "skipped",
}


def _named(argv: Argv) -> bool:
    return argv[0] in ("pytest", "py.test") and not _NO_TESTS.intersection(argv[1:])


def _read(text: str, calls: int) -> TestReport | None:
    closings = list(_CLOSING.finditer(text))
    wanted = max(1, calls)
    if not closings:
        return _quietest(text)
    found = counts(", ".join(match[1] for match in closings[-wanted:]))
    ids = _ids(text)
    return TestReport(
        runner="pytest",
        passed=found.get("passed", 0) + found.get("xpassed", 0),
        failed=found.get("failed", 0) + found.get("error", 0) + found.get("errors", 0),
        skipped=found.get("skipped", 0) + found.get("xfailed", 0),
        passed_ids=unique(ids["passed"]),
        failed_ids=unique(ids["failed"]),
        skipped_ids=unique(ids["skipped"]),
        complete=len(closings) >= wanted,
    )


def _ids(text: str) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    for line in text.split("\n"):
        found = _VERBOSE.search(line) if "::" in line and not line.startswith(("[gw", " ")) else None
        if found and _AFTER_VERBOSE.fullmatch(line, found.end()) and "::" in line[: found.start()]:
            ids[_KIND[found[1]]].append(line[: found.start()])
    for match in _XDIST.finditer(text):
        ids[_KIND[match[1]]].append(match[2].rstrip())
    summary = text.rpartition("short test summary info")[2]
    for match in _SUMMARY.finditer(summary):
        ids[_KIND[match[1]]].append(_without_message(match[2]))
    red = set(ids["failed"])  # a test that passed and then failed in its teardown is red
    return {kind: [each for each in them if kind == "failed" or each not in red] for kind, them in ids.items()}


def _without_message(line: str) -> str:
    """`tests/x.py::test[a - b] - AssertionError` without the message; a parameter may hold the separator."""
    opening, end = line.find("["), line.find(" - ")
    if -1 < opening < end:
        closing = line.find("] - ", opening)
        return line[: closing + 1] if closing >= 0 else line.rstrip()
    return line[:end] if end >= 0 else line.rstrip()


def _quietest(text: str) -> TestReport | None:
    """`-qq`: nothing but dots; a failure's summary, but no closing line."""
    if not _LAST_DOTS.search(text):
        return None
    dots = "".join(match[1] for match in _DOTS.finditer(text))
    ids = _ids(text)
    return TestReport(
        runner="pytest",
        passed=dots.count(".") + dots.count("X"),
        failed=dots.count("F") + dots.count("E"),
        skipped=dots.count("s") + dots.count("x"),
        failed_ids=unique(ids["failed"]),
    )


PYTEST = Runner(
    name="pytest",
    named=_named,
    began=re.compile(rf"^={{3,}} test session starts ={{3,}}$|{_CLOSING.pattern}", re.MULTILINE),
    read=_read,
)
