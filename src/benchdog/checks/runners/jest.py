"""jest: closing counts, the ids of failures, and the tree that `--verbose` prints.

FAIL ./a.test.js
  ● grp › in
Test Suites: 2 failed, 2 total
Tests:       2 failed, 1 skipped, 1 todo, 1 passed, 5 total
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, counts, unique
from benchdog.checks.values import TestReport

_CLOSING = re.compile(r"^Tests: +([^\n]+)$", re.MULTILINE)
_SUITES = re.compile(r"^Test Suites: +[^\n]+$", re.MULTILINE)
_FILE = re.compile(r"^(PASS|FAIL) (\S.*?)(?: \([\d.]+ m?s\))?$")
_FAILURE = re.compile(r"^  ● (.*)$")
_MARK = re.compile(r"^( {2,})([✓✕○✎]) (?:skipped |todo )?(.*?)(?: \([\d.]+ m?s\))?$")
_GROUP = re.compile(r"^( {2,})(\S.*)$")
_BROKEN_SUITE = "Test suite failed to run"
_NO_TESTS = {"--version", "--help", "--listTests", "--showConfig"}


def _named(argv: Argv) -> bool:
    return argv[0] == "jest" and not _NO_TESTS.intersection(argv[1:])


def _read(text: str, calls: int) -> TestReport | None:
    closings = _CLOSING.findall(text)[-max(1, calls) :]
    if not closings or not _SUITES.search(text):
        return None
    found = counts(", ".join(closings))
    by, broken = _ids(text.split("\n"))
    red = set(by["✕"])
    return TestReport(
        runner="jest",
        passed=found.get("passed", 0),
        failed=found.get("failed", 0) + broken,
        skipped=found.get("skipped", 0) + found.get("todo", 0),
        passed_ids=tuple(each for each in unique(by["✓"]) if each not in red),
        failed_ids=unique(by["✕"]),
        skipped_ids=unique(by["○"] + by["✎"]),
        complete=len(closings) >= calls,
    )


def _ids(lines: list[str]) -> tuple[dict[str, list[str]], int]:
    """Ids by mark, and the number of files that could not be run at all."""
    by: dict[str, list[str]] = {"✓": [], "✕": [], "○": [], "✎": []}
    broken: set[str] = set()
    file, tree, in_tree = "", list[tuple[int, str]](), False
    for line in lines:
        heading, failure, mark = _FILE.match(line), _FAILURE.match(line), _MARK.match(line)
        if heading:
            file, tree, in_tree = heading[2].removeprefix("./"), [], True
        elif failure:
            in_tree = False
            if failure[1] == _BROKEN_SUITE:
                broken.add(file)
                by["✕"].append(file)
            else:
                by["✕"].append(" > ".join([file, *failure[1].split(" › ")]))
        elif in_tree and (mark or _GROUP.match(line)):
            tree = _place(by, file, tree, mark, line)
        elif line.strip():
            in_tree = False
    return by, len(broken)


def _place(
    by: dict[str, list[str]], file: str, tree: list[tuple[int, str]], mark: re.Match[str] | None, line: str
) -> list[tuple[int, str]]:
    """Records a line of the verbose tree; returns the groups that the next line may stand in."""
    depth = len(line) - len(line.lstrip(" "))
    tree = [group for group in tree if group[0] < depth]
    if mark is None:
        return [*tree, (depth, line.strip())]
    by[mark[2]].append(" > ".join([file, *(group[1] for group in tree), mark[3]]))
    return tree


JEST = Runner(name="jest", named=_named, began=re.compile(r"^Test Suites: ", re.MULTILINE), read=_read)
