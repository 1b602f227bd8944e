"""mocha: closing counts, the list of failures, and the tree of its spec reporter.

✔ ok
1) bad one
grp
  ✔ in
2 passing (3ms)
1 pending
1 failing
1) grp
     in:
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_PASSING = re.compile(r"^ +(\d{1,9}) passing\b(?: \([^\n)]*\))?$", re.MULTILINE)
_OTHER = re.compile(r"^ +(\d{1,9}) (pending|failing)$", re.MULTILINE)
_MARK = re.compile(r"^( {2,})(?:(✔|✓|-) |(\d+)\) )(.*?)(?: \(\d+ms\))?$")
_GROUP = re.compile(r"^( {2,})(\S.*)$")


def _named(argv: Argv) -> bool:
    return argv[0] in ("mocha", "_mocha") and not {"--version", "--help", "--dry-run"}.intersection(argv[1:])


def _read(text: str, calls: int) -> TestReport | None:
    passing = list(_PASSING.finditer(text))
    if not passing:
        return None
    kept = passing[-max(1, calls) :]
    other = {"pending": 0, "failing": 0}
    for number, word in _OTHER.findall(text, kept[0].end()):
        other[word] += int(number)
    by = _tree(text[: passing[0].start()].split("\n"))
    return TestReport(
        runner="mocha",
        passed=sum(int(match[1]) for match in kept),
        failed=other["failing"],
        skipped=other["pending"],
        passed_ids=unique(by["passed"]),
        failed_ids=unique(by["failed"]),
        skipped_ids=unique(by["skipped"]),
        complete=len(passing) >= calls,
    )


def _tree(lines: list[str]) -> dict[str, list[str]]:
    by: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    groups: list[tuple[int, str]] = []
    for line in lines:
        group = _GROUP.match(line)
        if not group:
            continue
        while groups and groups[-1][0] >= len(group[1]):
            groups.pop()
        mark = _MARK.match(line)
        if not mark:
            groups.append((len(group[1]), group[2]))
            continue
        kind = "failed" if mark[3] else "skipped" if mark[2] == "-" else "passed"
        by[kind].append(" > ".join([name for _, name in groups] + [mark[4]]))
    return by


MOCHA = Runner(name="mocha", named=_named, began=_PASSING, read=_read)
