"""What came through a pipe: a goal in words, or what test runners printed, and whether anything failed in that."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchdog.contract.languages import plain_output

# Lines that only test runners print, whatever came of the tests.
_TESTED = re.compile(
    r"^=+ test session starts =+$"
    r"|^[.sxXFE]{2,}\s+\[ *\d{1,3}%\]$|^\S+\.py [.sxXFE]+\s+\[ *\d{1,3}%\]$"  # pytest's progress
    r"|^(?:=+ )?\d+ (?:passed|skipped|deselected|xfailed|failed)\b(?:, \d+ \w+)*(?: in [\d.]+m?s\b.*)?(?: =+)?$"
    r"|^Ran \d+ tests? in [\d.]+s$"
    r"|^Test Suites: |^Tests: +\d+ \w|^ *Test Files +\d+ \w|^ *\d+ passing\b"
    r"|^[#ℹ] (?:tests|pass|fail) +\d+$|^TAP version 1\d$|^(?:not )?ok \d+ "
    r"|^test result: |^ok  \t\S|^--- (?:PASS|FAIL): |^PASS$"
    r"|^\d+ examples?, \d+ failures?|^OK \(\d+ tests?, \d+ assertions?\)$"
    r"|^\d+% tests passed, \d+ tests? failed|^Result: (?:PASS|FAIL)$",
    re.MULTILINE,
)
# What nobody prints whose work is all well.
_WRONG = re.compile(
    r"\b[1-9]\d* (?:tests? )?(?:failed|failing|failures?|errors?|errored|problems?)\b"
    r"|\b(?:failed|failures|errors)=[1-9]|^[#ℹ] (?:fail|cancelled) +[1-9]"
    r"|^ *not ok \d+(?!.*# *(?:TODO|SKIP)\b)|^(?:FAILED|FAIL|ERROR)\b|^ *--- FAIL|^Traceback \(most recent"
    r"|^[.sxX]*[FE][.sxXFE]*\s+\[ *\d{1,3}%\]$|\bTests: [1-9]\d* failed|Result: FAIL|: error\b|^error\b|^E   "
    r"|\*\*\* |^\w*(?:Error|Exception)\b|exit(?:ed with)? (?:status|code) [1-9]|panicked at|^npm ERR!",
    re.MULTILINE,
)
_TAP_POINT = re.compile(r"^ *not ok \d+\b(?: - | )?(?P<name>.*)$")
_TAP_TITLE = re.compile(r"^ *# (?:Subtest: )?(?P<title>\S.*)$")
_TAP_DIRECTIVE = re.compile(r"(?<!\\)# *(?:SKIP|TODO)\b", re.IGNORECASE)
_TAP = re.compile(r"^(?:TAP version 1\d$| *not ok \d+\b)", re.MULTILINE)


def is_test_output(text: str) -> bool:
    """Whether a test runner printed this: then it is no goal in words."""
    return bool(_TESTED.search(plain_output(text)))


def nothing_failed(text: str) -> bool:
    """Whether a test runner printed this and speaks of nothing that failed."""
    plain = plain_output(text)
    return bool(_TESTED.search(plain)) and not _WRONG.search(plain)


def is_tap(text: str) -> bool:
    """Whether this speaks the Test Anything Protocol, as tape, tap and `node --test` do."""
    return bool(_TAP.search(plain_output(text)))


def tap_failures(text: str) -> Iterator[str]:
    """The names of failed points, below the title that tape prints before them; what is skipped or to do is none."""
    title = ""
    for line in text.split("\n"):
        if found := _TAP_TITLE.match(line):
            title = found["title"].strip()
        point = _TAP_POINT.match(line)
        if point and not _TAP_DIRECTIVE.search(point["name"]):
            name = point["name"].strip()
            yield name if not title or title == name else f"{title}: {name}" if name else title
