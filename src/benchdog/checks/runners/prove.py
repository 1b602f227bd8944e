"""prove (Perl's TAP::Harness): test files are its ids.

t/a.t .. ok
Failed 1/3 subtests
Files=2, Tests=4,  0 wallclock secs ( … )
Result: FAIL
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_FILE = re.compile(r"^(\S+) \.\.+ *(ok|skipped)?\b")
_SUBTESTS = re.compile(r"^Failed (\d{1,9})/\d{1,9} subtests")
_SKIPPED = re.compile(r"\(less (\d{1,9}) skipped subtests?:")
_TOTAL = re.compile(r"^Files=\d+, Tests=(\d{1,9}),", re.MULTILINE)
_RESULT = re.compile(r"^Result: (?:PASS|FAIL|NOTESTS)$", re.MULTILINE)
_RED_FILE = re.compile(r"^(\S+) +\(Wstat: \d+", re.MULTILINE)


def _named(argv: Argv) -> bool:
    return argv[0] == "prove" and not {"--version", "--help", "-D"}.intersection(argv[1:])


def _read(text: str, calls: int) -> TestReport | None:
    results = _RESULT.findall(text)
    if not results:
        return None
    failed = skipped = 0
    files: list[str] = []
    left_out: list[str] = []
    for line in text.split("\n"):
        file, subtests = _FILE.match(line), _SUBTESTS.match(line)
        if file:
            (left_out if file[2] == "skipped" else files).append(file[1])
        elif subtests:
            failed += int(subtests[1])
        skipped += sum(int(number) for number in _SKIPPED.findall(line))
    red = unique(_RED_FILE.findall(text))
    total = sum(int(number) for number in _TOTAL.findall(text)[-max(1, calls) :])
    return TestReport(
        runner="prove",
        passed=max(0, total - failed - skipped),
        failed=max(failed, len(red)),
        skipped=skipped + len(left_out),
        passed_ids=tuple(each for each in unique(files) if each not in set(red)),
        failed_ids=red,
        skipped_ids=unique(left_out),
        complete=len(results) >= calls,
    )


PROVE = Runner(name="prove", named=_named, began=_RESULT, read=_read)
