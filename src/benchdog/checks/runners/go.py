"""go test: packages, and with `-v` each test. An id is the package, then the test.

    --- FAIL: TestX (0.00s)
        x_test.go:12: got 1, want 2
    FAIL
    FAIL	example.com/app/calc	0.003s
    ok  	example.com/app/other	(cached)
    ?   	example.com/app	[no test files]

Without `-v` a package that passed counts as one test: go tells no more.
"""

from __future__ import annotations

import re

from benchdog.checks.command import Argv
from benchdog.checks.runners.values import Runner, unique
from benchdog.checks.values import TestReport

_PACKAGE = re.compile(r"^(ok  |FAIL|---)\t(\S+)(?:\t(.*)| (\[.*\]))?$")
_TEST = re.compile(r"^ *--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)$")
_BEGAN = re.compile(r"^(?:=== RUN +\S+|(?:ok  |FAIL)\t\S+[^\n]*)$", re.MULTILINE)
_KIND = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}


def _named(argv: Argv) -> bool:
    return argv[0] == "go" and argv[1:2] == ("test",) and not {"-c", "-list", "-h"}.intersection(argv)


def _read(text: str, calls: int) -> TestReport | None:
    verbose = "=== RUN" in text
    by: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    open_tests: list[tuple[str, str]] = []
    packages = started = ended = 0
    for line in text.split("\n"):
        started += line.startswith("=== RUN")
        test, package = _TEST.match(line), _PACKAGE.match(line)
        if test:
            ended += 1
            open_tests.append((_KIND[test[1]], test[2]))
        elif package and package[1] != "---":
            packages += 1
            for kind, name in open_tests:
                by[kind].append(f"{package[2]} {name}")
            told_failure = any(kind == "failed" for kind, _ in open_tests)
            if package[1] == "FAIL" and not told_failure:
                by["failed"].append(package[2])  # it did not build, or it panicked
            elif package[1] == "ok  " and not verbose:
                by["passed"].append(package[2])
            open_tests = []
    if not packages and not started:
        return None
    passed, failed, skipped = (unique(by[kind]) for kind in ("passed", "failed", "skipped"))
    return TestReport(
        runner="go",
        passed=len(passed),
        failed=len(failed),
        skipped=len(skipped),
        passed_ids=passed,
        failed_ids=failed,
        skipped_ids=skipped,
        complete=packages > 0 and not open_tests and (started <= ended or bool(failed)),
    )


GO = Runner(name="go", named=_named, began=_BEGAN, read=_read)
