"""The Test Anything Protocol, as `node --test` and many others print it; nested subtests are indented by four.

# Subtest: group
    ok 1 - in
    not ok 2 - out
    1..2
not ok 1 - group
  ---
  type: 'suite'
1..1
# tests 2          node's closing report
# pass 1
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_POINT = re.compile(r"^( *)(ok|not ok)\b(?: (\d+))?(?: - | )?(.*)$")
_SUBTEST = re.compile(r"^( *)# Subtest: (.*)$")
_PLAN = re.compile(r"^1\.\.(\d{1,9})(?:\s*#.*)?$")
_NODE = re.compile(r"^# (tests|pass|fail|cancelled|skipped|todo) (\d{1,9})$", re.MULTILINE)
_DIRECTIVE = re.compile(r"(?<!\\)# *(SKIP|TODO)\b", re.IGNORECASE)
_BEGAN = re.compile(r"^TAP version \d+$|^1\.\.\d+\s*$", re.MULTILINE)


def _named(argv: Argv) -> bool:
    return argv[0] == "node" and "--test" in argv[1:]


def _read(text: str, calls: int) -> TestReport | None:
    if not _BEGAN.search(text):
        return None
    lines = text.split("\n")
    outcomes, planned, top = _points(lines)
    node: dict[str, int] = {}
    for name, number in _NODE.findall(text):
        node[name] = node.get(name, 0) + int(number)
    by: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    for test, outcome in outcomes:
        by[outcome].append(test)
    is_node = calls > 0 or "cancelled" in node  # tape also counts tests, and nothing else the same way
    if is_node:
        numbers = (node.get("pass", 0), node.get("fail", 0) + node.get("cancelled", 0))
        skipped = node.get("skipped", 0) + node.get("todo", 0)
    else:
        numbers, skipped = (len(by["passed"]), len(by["failed"])), len(by["skipped"])
    red = set(by["failed"])
    return TestReport(
        runner="node" if is_node else "tap",
        passed=numbers[0],
        failed=numbers[1],
        skipped=skipped,
        passed_ids=tuple(each for each in unique(by["passed"]) if each not in red),
        failed_ids=unique(by["failed"]),
        skipped_ids=unique(by["skipped"]),
        complete=("tests" in node if is_node else planned is not None and planned <= top),
    )


def _points(lines: list[str]) -> tuple[list[tuple[str, str]], int | None, int]:
    """Each test's id and outcome; the plan and the number of points at the outermost level."""
    outcomes: list[tuple[str, str]] = []
    parents: list[tuple[int, str]] = []
    planned, top = None, 0
    for index, line in enumerate(lines):
        subtest = _SUBTEST.match(line)
        if subtest:
            depth = len(subtest[1])
            parents = [parent for parent in parents if parent[0] < depth]
            parents.append((depth, _name(subtest[2])))
            continue
        plan = _PLAN.match(line)
        if plan:
            planned = (planned or 0) + int(plan[1])
        point = _POINT.match(line)
        if not point:
            continue
        depth = len(point[1])
        top += depth == 0
        parents = [parent for parent in parents if parent[0] < depth]
        if any("type: 'suite'" in after for after in lines[index + 1 : index + 5]):
            continue
        path = [name for _, name in parents] + [_name(point[4]) or point[3] or ""]
        outcomes.append((" > ".join(path), _outcome(point)))
    return outcomes, planned, top


def _outcome(point: re.Match[str]) -> str:
    if _DIRECTIVE.search(point[4]):
        return "skipped"
    return "passed" if point[2] == "ok" else "failed"


def _name(text: str) -> str:
    return _DIRECTIVE.split(text)[0].strip().replace("\\#", "#").replace("\\\\", "\\")


TAP = Runner(name="node", named=_named, began=_BEGAN, read=_read)
