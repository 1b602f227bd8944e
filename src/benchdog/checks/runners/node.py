"""`node --test` with its spec reporter: a tree of marks, then counts.

▶ group
  ✔ in (0.09ms)
  ✖ out (0.05ms)
✖ group (0.30ms)
﹣ later (0.07ms) # SKIP
ℹ tests 3
ℹ pass 1
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_COUNT = re.compile(r"^ℹ (tests|pass|fail|cancelled|skipped|todo) (\d{1,9})$", re.MULTILINE)
_MARK = re.compile(r"^( *)([▶✔✖﹣⚠]) (.*)$")
_TIME = re.compile(r" \(\d[\d.]*m?s\)")


def _named(argv: Argv) -> bool:
    return argv[0] == "node" and "--test" in argv[1:]


def _read(text: str, calls: int) -> TestReport | None:
    found: dict[str, int] = {}
    for name, number in _COUNT.findall(text):
        found[name] = found.get(name, 0) + int(number)
    if "tests" not in found:
        return None
    by = _tree(text[: _first_count(text)].split("\n"))
    red = set(by["✖"])
    return TestReport(
        runner="node",
        passed=found.get("pass", 0),
        failed=found.get("fail", 0) + found.get("cancelled", 0),
        skipped=found.get("skipped", 0) + found.get("todo", 0),
        passed_ids=tuple(each for each in unique(by["✔"]) if each not in red),
        failed_ids=unique(by["✖"]),
        skipped_ids=unique(by["﹣"]),
    )


def _first_count(text: str) -> int:
    match = _COUNT.search(text)
    return match.start() if match else len(text)


def _tree(lines: list[str]) -> dict[str, list[str]]:
    by: dict[str, list[str]] = {"✔": [], "✖": [], "﹣": [], "⚠": []}
    groups: list[tuple[int, str]] = []
    for line in lines:
        match = _MARK.match(line)
        if not match:
            continue
        depth, mark, rest = len(match[1]), match[2], match[3]
        name, _, note = rest.rpartition(" # ") if rest.endswith((" # SKIP", " # TODO")) else (rest, "", "")
        name = _TIME.sub("", name)
        groups = [group for group in groups if group[0] < depth or (group[0] == depth and group[1] == name)]
        if mark == "▶":
            groups.append((depth, name))
        elif groups and groups[-1] == (depth, name):
            groups.pop()  # the group's own result
        else:
            by["﹣" if note else mark].append(" > ".join([group[1] for group in groups] + [name]))
    return by


NODE_SPEC = Runner(name="node", named=_named, began=_COUNT, read=_read)
