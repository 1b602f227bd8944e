"""cargo test: one report for each test binary; an id names the binary, then the test.

     Running unittests src/lib.rs (target/debug/deps/…)
running 4 tests
test tests::bad ... FAILED
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.07s
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_BINARY = re.compile(r"^ +(?:Running (?:unittests )?(\S+)(?: \([^)]*\))?|Doc-tests (\S+))$")
_RUNNING = re.compile(r"^running (\d{1,9}) tests?$")
_TEST = re.compile(r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b")
_QUIET = re.compile(r"^(\S+) --- FAILED$")
_RESULT = re.compile(r"^test result: (?:ok|FAILED)\. (\d{1,9}) passed; (\d{1,9}) failed; (\d{1,9}) ignored;")
_BEGAN = re.compile(r"^running \d+ tests?$", re.MULTILINE)
_KIND = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}


def _named(argv: Argv) -> bool:
    words = [word for word in argv[1:] if not word.startswith(("-", "+"))]
    return argv[0] == "cargo" and words[:1] in (["test"], ["t"]) and not {"--no-run", "--help"}.intersection(argv)


def _read(text: str, calls: int) -> TestReport | None:
    by: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    numbers = [0, 0, 0]
    running = closed = 0
    binary = ""
    for line in text.split("\n"):
        heading = _BINARY.match(line)
        if heading:
            binary = f"{heading[1] or heading[2]} "
            continue
        running += bool(_RUNNING.match(line))
        test, quiet, result = _TEST.match(line), _QUIET.match(line), _RESULT.match(line)
        if test:
            by[_KIND[test[2]]].append(binary + test[1])
        elif quiet:
            by["failed"].append(binary + quiet[1])
        elif result:
            closed += 1
            numbers = [old + int(new) for old, new in zip(numbers, result.groups(), strict=True)]
    if not running and not closed:
        return None
    return TestReport(
        runner="cargo",
        passed=numbers[0],
        failed=numbers[1],
        skipped=numbers[2],
        passed_ids=unique(by["passed"]),
        failed_ids=unique(by["failed"]),
        skipped_ids=unique(by["skipped"]),
        complete=0 < running <= closed,
    )


CARGO = Runner(name="cargo", named=_named, began=_BEGAN, read=_read)
