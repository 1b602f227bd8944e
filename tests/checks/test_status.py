"""Broken, red or green; and what makes a green one doubtful."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.checks.compare import worse
from benchdog.checks.status import classify, suspicious

SHELL_SAYS = {
    "sh": (["sh", "-c", "no-such-program-here"], "'no-such-program-here' is not found"),
    "bash": (["bash", "-c", "no-such-program-here -q"], "'no-such-program-here' is not found"),
    "python": ([sys.executable, "-m", "no_such_module_here"], "install 'no_such_module_here'"),
    "pipe": (["sh", "-c", "cd / && no-such-program-here && true"], "'no-such-program-here' is not found"),
    "directory": (["sh", "-c", "/"], "'/' cannot be executed"),
}


@pytest.mark.parametrize("name", SHELL_SAYS)
def test_what_cannot_start_is_broken_and_the_way_out_named(name: str) -> None:
    argv, fix = SHELL_SAYS[name]
    # A PATH of the caller's may hold directories that this user cannot read: then a shell says something else.
    there = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=there)
    status, way_out = classify(done.returncode, False, done.stdout, None)
    assert status is CheckStatus.BROKEN
    assert way_out is not None and way_out.startswith(fix)


@pytest.mark.parametrize(
    ("exit_status", "output", "fix"),
    [
        (1, "/app/.venv/bin/python: No module named pytest\n", "install 'pytest'"),
        (1, "Traceback …\nModuleNotFoundError: No module named 'pytest'\n", "install 'pytest'"),
        (
            2,
            "make: pytest: No such file or directory\nmake: *** [Makefile:2: test] Error 127\n",
            "'pytest' is not found",
        ),
        (2, "sh: 1: jest: not found\nmake: *** [Makefile:2: test] Error 127\n", "'jest' is not found"),
        (
            4,
            "ERROR: usage: pytest\npytest: error: unrecognized arguments: --cov=app\n",
            "the runner does not know '--cov': install pytest-cov",
        ),
        (1, 'npm error Missing script: "test"\n', "package.json has no script 'test'"),
        (
            1,
            "Error: Cannot find module '/app/node_modules/jest/bin/jest.js'\n",
            "'/app/node_modules/jest/bin/jest.js' is missing: run `npm ci`",
        ),
        (
            101,
            "error: failed to fetch\n  Could not resolve host: static.example\n",
            "the check wants the network ('Could not resolve host')",
        ),
        (1, "curl: (7) connect: Network is unreachable\n", "the check wants the network"),
        (1, "go: dial tcp: lookup proxy.example: server misbehaving\n", "the check wants the network"),
        (127, "", "a program that the check starts is not found"),
        (126, "", "the program cannot be executed"),
        (None, "", "the check could not be started"),
    ],
)
def test_the_environment_is_to_blame(exit_status: int | None, output: str, fix: str) -> None:
    status, way_out = classify(exit_status, False, output, None)
    assert status is CheckStatus.BROKEN
    assert way_out is not None and way_out.startswith(fix)


@pytest.mark.parametrize(
    ("exit_status", "timed_out", "output", "report", "status"),
    [
        (0, False, "sh: 1: jest: not found\n", None, CheckStatus.GREEN),
        (1, False, "1 failed\n", TestReport(runner="pytest", failed=1), CheckStatus.RED),
        (1, False, "Network is unreachable\n", TestReport(runner="pytest", failed=1), CheckStatus.RED),
        (1, False, "E   ModuleNotFoundError: No module named 'app.new'\n", None, CheckStatus.RED),
        (1, False, "sh: 1: optional-tool: not found\n" + "AssertionError\n" * 60, None, CheckStatus.RED),
        (5, False, "no tests ran in 0.01s\n", TestReport(runner="pytest"), CheckStatus.RED),
        (-11, False, "", TestReport(runner="pytest", complete=False), CheckStatus.RED),
        (-9, True, "Network is unreachable\n", None, CheckStatus.TIMED_OUT),
        (None, True, "", None, CheckStatus.TIMED_OUT),
    ],
)
def test_the_code_is_judged(
    exit_status: int | None, timed_out: bool, output: str, report: TestReport | None, status: CheckStatus
) -> None:
    assert classify(exit_status, timed_out, output, report) == (status, None)


def result(status: CheckStatus = CheckStatus.GREEN) -> CheckResult:
    return CheckResult(name="tests", run="pytest", status=status, exit_status=0, seconds=1.0)


def told(passed: int = 0, failed: int = 0, skipped: int = 0, **more: object) -> TestReport:
    return TestReport(runner="pytest", passed=passed, failed=failed, skipped=skipped, **more)  # type: ignore[arg-type]  # fields by name


CUT = told(complete=False)
RED, GREEN = result(CheckStatus.RED), result()


@pytest.mark.parametrize(
    ("before", "before_tests", "after", "after_tests", "messages"),
    [
        (RED, told(41, 1), GREEN, told(42), ()),
        (RED, told(41, 1), GREEN, told(45), ()),
        (None, None, GREEN, told(3), ()),
        (None, None, GREEN, None, ()),
        (RED, None, GREEN, None, ()),
        (RED, told(41, 1), RED, CUT, ()),
        (RED, told(0, 1), GREEN, told(2), ()),
        (GREEN, CUT, GREEN, CUT, ()),
        (GREEN, told(), GREEN, told(), ()),
        (GREEN, told(1, skipped=3), GREEN, told(1, skipped=3), ()),
        (RED, told(41, 1), GREEN, told(41), ("the number of tests fell from 42 to 41",)),
        (
            RED,
            told(1, 1, passed_ids=("a",), failed_ids=("b",)),
            GREEN,
            told(1, passed_ids=("a",)),
            ("the number of tests fell from 2 to 1 (gone: b)",),
        ),
        (
            RED,
            told(1, 1, passed_ids=("a",), failed_ids=("b",)),
            GREEN,
            told(1, skipped=1, passed_ids=("a",), skipped_ids=("b",)),
            ("the number of skipped tests rose from 0 to 1 (now skipped: b)",),
        ),
        (RED, told(41, 1), GREEN, told(), ("no test ran",)),
        (None, None, GREEN, told(), ("no test ran",)),
        (RED, told(1, 1), GREEN, told(skipped=2), ("no test ran: all were skipped",)),
        (
            RED,
            told(41, 1),
            GREEN,
            CUT,
            ("pytest ended before its closing report: an exit status of 0 without it proves nothing",),
        ),
        (
            RED,
            CUT,
            GREEN,
            CUT,
            ("pytest ended before its closing report: an exit status of 0 without it proves nothing",),
        ),
        (
            RED,
            told(41, 1),
            GREEN,
            None,
            ("it told nothing of its tests, though pytest told of 42 on the base",),
        ),
    ],
)
def test_a_green_check_is_doubted(
    before: CheckResult | None,
    before_tests: TestReport | None,
    after: CheckResult,
    after_tests: TestReport | None,
    messages: tuple[str, ...],
) -> None:
    assert suspicious(before, before_tests, after, after_tests) == messages


BASE = told(2, 1, passed_ids=("a", "b"), failed_ids=("c",))


@pytest.mark.parametrize(
    ("base", "candidate", "lost"),
    [
        (BASE, told(3, passed_ids=("a", "b", "c")), ()),
        (BASE, told(2, 1, passed_ids=("b", "a"), failed_ids=("c",)), ()),
        (BASE, told(2, 2, passed_ids=("a", "b"), failed_ids=("c", "new")), ()),
        (BASE, told(2, 1, passed_ids=("a", "c"), failed_ids=("b",)), ("b",)),
        (BASE, told(2, passed_ids=("b", "c")), ("a",)),
        (BASE, told(1, 1, 1, passed_ids=("a",), failed_ids=("c",), skipped_ids=("b",)), ("b",)),
        (BASE, told(complete=False), ("a", "b")),
        (BASE, told(), ("a", "b")),
        (told(2, 1, failed_ids=("c",)), told(2, 1, failed_ids=("d",)), ("d",)),
        (told(2, 1, failed_ids=("c",)), told(3), ()),
        (told(2, 1), told(1, 1), ("(2 passed and 1 failed on the base, now 1 passed and 1 failed)",)),
        (
            told(2),
            told(2, complete=False),
            ("(2 passed and 0 failed on the base, now 2 passed and 0 failed, and it ended before its closing report)",),
        ),
    ],
)
def test_nothing_green_may_turn_red_or_vanish(base: TestReport, candidate: TestReport, lost: tuple[str, ...]) -> None:
    assert worse(base, candidate) == lost


def test_an_interpreter_below_a_path_with_spaces_is_known() -> None:
    said = "/home/ada/my work/.venv/bin/python3: No module named pytest\n"
    status, way_out = classify(1, False, said, None)
    assert status is CheckStatus.BROKEN
    assert way_out is not None and way_out.startswith("install 'pytest'")
