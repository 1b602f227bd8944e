"""unittest (and Django's runner): the closing lines, and the ids of `-v` and of failures.

test_ok (package.module.Class.test_ok) ... ok
FAIL: test_f (package.module.Class.test_f)
Ran 7 tests in 0.001s
FAILED (failures=2, errors=1, skipped=1, expected failures=1)
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_RAN = re.compile(r"^Ran (\d{1,9}) tests? in [\d.]+s$", re.MULTILINE)
_RESULT = re.compile(r"^(?:OK|FAILED|NO TESTS RAN)(?: \(([^\n)]*)\))?$", re.MULTILINE)
_RED = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\S+) \(([^\n)]+)\)", re.MULTILINE)
_STARTED = re.compile(r"^ *(\w+) \(([\w.<>]+)\)(.*)$")
_ENDED = re.compile(r" \.\.\. (ok|FAIL|ERROR|skipped|expected failure|unexpected success)\b")


def _named(argv: Argv) -> bool:
    return argv[0] == "unittest"


def _id(method: str, place: str) -> str:
    """Python 3.11 and later repeat the method in the parentheses, earlier ones do not."""
    return place if place.endswith(f".{method}") else f"{place}.{method}"


def _read(text: str, calls: int) -> TestReport | None:
    ran = list(_RAN.finditer(text))[-max(1, calls) :]
    if not ran:
        return None
    results = list(_RESULT.finditer(text, ran[0].end()))
    told: dict[str, int] = {}
    for result in results:
        for name, number in re.findall(r"([a-z ]+)=(\d{1,9})", result[1] or ""):
            told[name.strip()] = told.get(name.strip(), 0) + int(number)
    total = sum(int(match[1]) for match in ran)
    red = unique([_id(match[1], match[2]) for match in _RED.finditer(text)])
    failed = told.get("failures", 0) + told.get("errors", 0) + told.get("unexpected successes", 0)
    skipped = told.get("skipped", 0) + told.get("expected failures", 0)
    green, left_out = _verbose(text)
    return TestReport(
        runner="unittest",
        passed=max(0, total - skipped - min(failed, len(red) or failed)),
        failed=failed,
        skipped=skipped,
        passed_ids=tuple(each for each in unique(green) if each not in set(red)),
        failed_ids=red,
        skipped_ids=unique(left_out),
        complete=len(ran) >= calls and len(results) >= len(ran),
    )


def _verbose(text: str) -> tuple[list[str], list[str]]:
    """Ids of passed and of skipped tests; a docstring stands between a test's name and its result."""
    green: list[str] = []
    left_out: list[str] = []
    current: str | None = None
    for line in text.split("\n"):
        started = _STARTED.match(line)
        if started:
            current = _id(started[1], started[2])
        ended = _ENDED.search(line)
        if ended and current:
            if ended[1] == "ok":
                green.append(current)
            elif ended[1] in ("skipped", "expected failure"):
                left_out.append(current)
            current = None
    return green, left_out


UNITTEST = Runner(name="unittest", named=_named, began=_RAN, read=_read)
