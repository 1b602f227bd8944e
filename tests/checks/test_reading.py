"""Reading what test runners print. The files in `captured/` are what the real runners printed, paths made neutral."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.checks import CheckStatus, TestReport
from benchdog.checks.distil import distil
from benchdog.checks.reading import read_output
from benchdog.checks.runners import RUNNERS
from benchdog.checks.runners.junit import pytest_options, read_junit
from benchdog.checks.status import classify

CAPTURED = Path(__file__).parent / "captured"

RED = ("test_a.py::TestC::test_m", "test_a.py::test_err", "test_a.py::test_par[x/y]")
JS_RED = ("a.test.js > bad one", "a.test.js > grp > in", "b.test.js")
NODE = TestReport(
    runner="node",
    passed=2,
    failed=2,
    skipped=2,
    passed_ids=("group > in", "ok"),
    failed_ids=("bad", "group > in # hash"),
    skipped_ids=("skipped", "todo it"),
)
UNITTEST = TestReport(
    runner="unittest",
    passed=2,
    failed=3,
    skipped=2,
    failed_ids=("tu.T.test_e", "tu.T.test_f", "tu.T.test_sub"),
)
PYTEST = TestReport(runner="pytest", passed=4, failed=3, skipped=2, failed_ids=RED)
VITEST = TestReport(
    runner="vitest", passed=1, failed=2, skipped=2, failed_ids=("a.test.mjs > bad one", "a.test.mjs > grp > in")
)
CARGO_RED = TestReport(runner="cargo", passed=2, failed=1, skipped=1, failed_ids=("tests::bad",))

EXPECTED: dict[str, tuple[str, TestReport]] = {
    "pytest": ("pytest", PYTEST),
    "pytest_q": ("pytest -q", PYTEST),
    "pytest_qq": ("pytest -qq", PYTEST),
    "pytest_v": (
        "python -m pytest -rA -v",
        replace(
            PYTEST,
            passed_ids=(
                "test_a.py::test_ok",
                "test_a.py::test_par[[z]]",
                "test_a.py::test_par[a b]",
                "test_a.py::test_xp",
            ),
            skipped_ids=("test_a.py::test_s", "test_a.py::test_xf"),
        ),
    ),
    "pytest_green": ("pytest", TestReport(runner="pytest", passed=1)),
    "pytest_green_q": ("uv run pytest -q", TestReport(runner="pytest", passed=1)),
    "pytest_none": ("pytest -k nope", TestReport(runner="pytest")),
    "pytest_collection": ("pytest", TestReport(runner="pytest", failed=1, failed_ids=("test_b.py",))),
    "pytest_subtests": (
        "pytest",
        TestReport(
            runner="pytest",
            passed=4,
            failed=5,
            failed_ids=(
                "sub/pkg/test_bad.py",
                "test_sub.py::T::test_sub",
                "test_sub.py::test_st",
                "test_sub.py::test_td",
            ),
        ),
    ),
    "unittest": ("python -m unittest", UNITTEST),
    "unittest_v": (
        "python3 -m unittest -v",
        replace(UNITTEST, passed_ids=("tu.T.test_doc", "tu.T.test_ok"), skipped_ids=("tu.T.test_s", "tu.T.test_xf")),
    ),
    "node_tap": ("node --test", NODE),
    "node_spec": ("node --test", NODE),
    "jest": ("npx jest", TestReport(runner="jest", passed=1, failed=3, skipped=2, failed_ids=JS_RED)),
    "jestv": (
        "npx jest --verbose",
        TestReport(
            runner="jest",
            passed=1,
            failed=3,
            skipped=2,
            passed_ids=("a.test.js > ok",),
            failed_ids=JS_RED,
            skipped_ids=("a.test.js > later", "a.test.js > sk"),
        ),
    ),
    "vitest": ("vitest run", VITEST),
    "vitestv": (
        "npx vitest run --reporter=verbose",
        replace(VITEST, passed_ids=("a.test.mjs > ok",), skipped_ids=("a.test.mjs > later", "a.test.mjs > sk")),
    ),
    "mocha": (
        "mocha",
        TestReport(
            runner="mocha",
            passed=2,
            failed=2,
            skipped=1,
            passed_ids=("grp > deep > fine", "ok"),
            failed_ids=("bad one", "grp > in"),
            skipped_ids=("sk",),
        ),
    ),
    "mochadot": ("mocha -R dot", TestReport(runner="mocha", passed=2, failed=2, skipped=1)),
    "cargo_nff": (
        "cargo test --no-fail-fast",
        TestReport(
            runner="cargo",
            passed=4,
            failed=1,
            skipped=1,
            passed_ids=(
                "demo src/lib.rs - add (line 1)",
                "src/lib.rs tests::ok",
                "src/lib.rs tests::pan",
                "tests/integ.rs it",
            ),
            failed_ids=("src/lib.rs tests::bad",),
            skipped_ids=("src/lib.rs tests::ign",),
        ),
    ),
    "cargo_q": ("cargo test -q", CARGO_RED),
    "cargo_err": ("cargo test", TestReport(runner="cargo", complete=False)),
    "ctest": (
        "ctest",
        TestReport(runner="ctest", passed=1, failed=1, passed_ids=("one",), failed_ids=("two",)),
    ),
    "prove": (
        "prove",
        TestReport(runner="prove", passed=2, failed=1, skipped=1, passed_ids=("t/b.t",), failed_ids=("t/a.t",)),
    ),
    "prove_v": ("prove -v", TestReport(runner="prove", passed=2, failed=1, skipped=1, failed_ids=("t/a.t",))),
}


def captured(name: str) -> str:
    return (CAPTURED / f"{name}.txt").read_text(encoding="utf-8")


def in_order(report: TestReport | None) -> TestReport | None:
    """Runners shuffle; ids are compared as sets that keep what occurs twice."""
    if report is None:
        return None
    return replace(
        report,
        passed_ids=tuple(sorted(report.passed_ids)),
        failed_ids=tuple(sorted(report.failed_ids)),
        skipped_ids=tuple(sorted(report.skipped_ids)),
    )


def test_every_capture_is_expected() -> None:
    assert {path.stem for path in CAPTURED.glob("*.txt")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_runner_printed_is_read(name: str) -> None:
    run, report = EXPECTED[name]
    assert in_order(read_output(run, captured(name), 1)) == report


# Known only where the command names the runner: -qq and "no tests" print nothing of their own, a compiler no tests.
NAMELESS = sorted(set(EXPECTED) - {"pytest_qq", "pytest_none", "cargo_err"})


@pytest.mark.parametrize("name", NAMELESS)
def test_a_runner_behind_make_is_known_by_its_lines(name: str) -> None:
    assert in_order(read_output("make test", captured(name), 2)) == EXPECTED[name][1]


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"cargo_err"}))
def test_a_runner_that_is_cut_off_is_never_complete_and_green(name: str) -> None:
    run, whole = EXPECTED[name]
    lines = captured(name).splitlines(keepends=True)
    for cut in range(0, len(lines), 7):
        told = read_output(run, "".join(lines[:cut]), 0)
        assert told is not None
        assert not told.complete or (told.passed, told.failed, told.skipped) <= (
            whole.passed,
            whole.failed,
            whole.skipped,
        )
    assert read_output(run, "", 0) == TestReport(runner=whole.runner, complete=False)


@pytest.mark.parametrize("status", [126, 127])
def test_a_runner_that_was_not_found_told_nothing(status: int) -> None:
    assert read_output("pytest -q", "sh: 1: pytest: not found\n", status) is None


@pytest.mark.parametrize(
    "run",
    ["echo pytest", "pip install pytest", "pytest --version", "pytest --collect-only", "cat 'pytest", "ls # jest", ""],
)
def test_a_command_that_only_speaks_of_a_runner_is_none(run: str) -> None:
    assert read_output(run, "hello\n", 0) is None


@pytest.mark.parametrize(
    "run",
    [
        "pytest",
        "python -m pytest",
        "python3.12 -X dev -m pytest -q",
        "uv run --frozen pytest",
        "poetry run python -m pytest",
        "coverage run -m pytest",
        "PYTHONPATH=src FOO='a b' timeout 60 .venv/bin/pytest tests",
        "cd sub && pytest -q",
        "ruff check . ; (pytest)",
    ],
)
def test_a_named_runner_is_seen_through_its_wrappers(run: str) -> None:
    assert read_output(run, "", 0) == TestReport(runner="pytest", complete=False)


def test_each_of_two_calls_must_close() -> None:
    one, two = "3 passed in 0.10s\n", "2 failed, 1 passed in 0.20s\n"
    assert read_output("pytest a; pytest b", one + two, 1) == TestReport(runner="pytest", passed=4, failed=2)
    assert read_output("pytest a && pytest b", one, 0) == TestReport(runner="pytest", passed=3, complete=False)
    assert read_output("pytest", one + two, 1) == TestReport(runner="pytest", passed=1, failed=2)


def test_two_runners_in_one_command_must_both_close() -> None:
    command, first, second = "pytest -q && node --test", "3 passed in 0.10s\n", captured("node_tap")
    both = read_output(command, first + second, 1)
    assert both is not None
    assert (both.runner, both.passed, both.failed, both.complete) == ("pytest + node", 5, 2, True)
    cut = read_output(command, first, 0)
    assert cut is not None
    assert (cut.runner, cut.passed, cut.complete) == ("pytest + node", 3, False)


def test_xdist_lines_are_read() -> None:
    output = (
        "============================= test session starts ==============================\n"
        "[gw0] [ 50%] PASSED tests/test_a.py::test_one\n"
        "[gw1] [100%] FAILED tests/test_a.py::test_two[a - b]\n"
        "=========================== short test summary info ============================\n"
        "FAILED tests/test_a.py::test_two[a - b] - assert 0\n"
        "========================= 1 failed, 1 passed in 0.50s ==========================\n"
    )
    assert read_output("pytest -n 2 -v", output, 1) == TestReport(
        runner="pytest",
        passed=1,
        failed=1,
        passed_ids=("tests/test_a.py::test_one",),
        failed_ids=("tests/test_a.py::test_two[a - b]",),
    )


GO = "ok  \texample.com/app/other\t(cached)\n?   \texample.com/app\t[no test files]\n"
GO_RED = "--- FAIL: TestX (0.00s)\n    x_test.go:12: got 1, want 2\nFAIL\nFAIL\texample.com/app/calc\t0.003s\n"
GO_VERBOSE = (
    "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n    b_test.go:3: later\n--- SKIP: TestB (0.00s)\n"
    "=== RUN   TestC\n=== RUN   TestC/sub\n--- PASS: TestC (0.00s)\n    --- PASS: TestC/sub (0.00s)\nPASS\n"
    "ok  \texample.com/app\t0.002s\n"
)


def test_go_packages_and_tests_are_read() -> None:
    """The forms are those of the go command's own documentation (go help test) and testing's printer."""
    assert read_output("go test ./...", GO + GO_RED + "FAIL\n", 1) == TestReport(
        runner="go",
        passed=1,
        failed=1,
        passed_ids=("example.com/app/other",),
        failed_ids=("example.com/app/calc TestX",),
    )
    assert read_output("make", GO_VERBOSE, 0) == TestReport(
        runner="go",
        passed=3,
        skipped=1,
        passed_ids=("example.com/app TestA", "example.com/app TestC", "example.com/app TestC/sub"),
        skipped_ids=("example.com/app TestB",),
    )
    built = read_output("go test ./...", "FAIL\texample.com/app [build failed]\n", 2)
    assert built == TestReport(runner="go", failed=1, failed_ids=("example.com/app",))
    assert read_output("go test -v .", "=== RUN   TestA\n", 0) == TestReport(runner="go", complete=False)


def test_plain_tap_is_complete_when_its_plan_is() -> None:
    tap = "1..3\nok 1 - one\nnot ok 2 - two\nok 3 - three # SKIP later\n"
    report = TestReport(
        runner="tap", passed=1, failed=1, skipped=1, passed_ids=("one",), failed_ids=("two",), skipped_ids=("three",)
    )
    assert read_output("./run-tests", tap, 1) == report
    assert read_output("./run-tests", tap.replace("1..3", "1..4"), 1) == replace(report, complete=False)


# JUnit


def junit(name: str) -> bytes:
    return (CAPTURED / f"{name}.xml").read_bytes()


def test_junit_gives_exact_ids() -> None:
    report = read_junit(junit("pytest_subtests"))
    assert in_order(report) == TestReport(
        runner="pytest",
        passed=2,
        failed=4,
        passed_ids=("sub/pkg/test_q.py::test_q", "test_sub.py::TestA::TestB::test_deep"),
        failed_ids=(
            "sub/pkg/test_bad.py",
            "test_sub.py::T::test_sub",
            "test_sub.py::test_st",
            "test_sub.py::test_td",
        ),
    )


def test_junit_without_files_gives_the_same_ids() -> None:
    printed = EXPECTED["pytest_v"][1]
    assert in_order(read_output("pytest -q", captured("pytest_q"), 1, junit("pytest"))) == printed


def test_junit_never_hides_a_failure_that_was_printed() -> None:
    green = re.sub(rb"<(failure|error).*?</\1>", b"", junit("pytest"), flags=re.DOTALL)
    told = read_output("pytest -q", captured("pytest_q"), 1, green)
    assert told is not None and told.failed == 3


def test_junit_does_not_complete_a_runner_that_was_cut_off() -> None:
    """A conftest may write the file and leave with status 0."""
    told = read_output("pytest -q", "...", 0, junit("pytest"))
    assert told is not None and not told.complete


def test_one_junit_file_is_not_that_of_two_calls() -> None:
    both = "3 passed in 0.10s\n3 passed in 0.10s\n"
    assert read_output("pytest a && pytest b", both, 0, junit("pytest")) == TestReport(runner="pytest", passed=6)


def test_junit_alone_tells_of_a_runner_behind_a_script() -> None:
    told = read_output("./test.sh > /dev/null", "", 0, junit("pytest"))
    assert told is not None and (told.passed, told.failed, told.skipped) == (4, 3, 2)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(8))
    + b"]><testsuites><testsuite><testcase classname='&i;' name='x'/></testsuite></testsuites>"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"<",
        b"<a/>",
        b"\xff\xfe\x00",
        b"<testsuite>",
        BOMB,
        BOMB.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="cp037"?>\x4c',
        b'<!DOCTYPE t SYSTEM "file:///etc/passwd"><testsuite/>',
        b"<testsuite>" * 100_000,
        b"<testsuite><testcase classname='a' name='&undefined;'/></testsuite>",
    ],
    ids=range(12),
)
def test_hostile_xml_is_no_report(data: bytes) -> None:
    assert read_junit(data) is None


def test_deeply_nested_xml_ends() -> None:
    deep = b"<testsuite>" + b"<x>" * 200_000 + b"</x>" * 200_000 + b"</testsuite>"
    assert read_junit(deep) == TestReport(runner="pytest")


def test_pytest_itself_writes_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(
        "import pytest\n\nclass TestC:\n    @pytest.mark.parametrize('p', ['a b', 'c::d'])\n"
        "    def test_y(self, p): assert p == 'a b'\n\n@pytest.mark.skip\ndef test_s(): pass\n"
    )
    options = pytest_options(str(tmp_path / "junit.xml"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "tests"],
        cwd=tmp_path,
        env={"PYTEST_ADDOPTS": options, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = read_output("pytest -q tests", done.stdout, done.returncode, (tmp_path / "junit.xml").read_bytes())
    assert told == TestReport(
        runner="pytest",
        passed=1,
        failed=1,
        skipped=1,
        passed_ids=("tests/test_x.py::TestC::test_y[a b]",),
        failed_ids=("tests/test_x.py::TestC::test_y[c::d]",),
        skipped_ids=("tests/test_x.py::test_s",),
    )
    assert classify(done.returncode, False, done.stdout, told) == (CheckStatus.RED, None)


# Hostile output

RUNS = (
    "make",
    "pytest",
    "python -m unittest",
    "node --test",
    "jest",
    "vitest",
    "mocha",
    "cargo test",
    "go test",
    "ctest",
    "prove",
)
FRAGMENTS = [line for name in EXPECTED for line in captured(name).splitlines(keepends=True)]


@given(
    run=st.sampled_from(RUNS) | st.text(),
    output=st.text() | st.binary().map(lambda data: data.decode(errors="replace")),
)
def test_any_output_of_any_command_is_read_without_an_error(run: str, output: str) -> None:
    report = read_output(run, output, 1, output.encode(errors="replace"))
    assert len(distil(run, output, report)) <= 1200
    classify(1, False, output, report)


@given(run=st.sampled_from(RUNS), lines=st.lists(st.sampled_from(FRAGMENTS), max_size=30))
def test_any_mixture_of_real_lines_is_read_without_an_error(run: str, lines: list[str]) -> None:
    output = "".join(lines)
    report = read_output(run, output, 1)
    assert len(distil(run, output, report, 300)) <= 300
    classify(1, False, output, report)


N = 5_000_000
FLOODS = {
    "spaces": " " * N,
    "newlines": "\n" * N,
    "returns": "\r" * N,
    "escapes": "\x1b]" * (N // 2),
    "one verbose line": "a::b PASSED (" * (N // 13),
    "summary lines": "FAILED a::b - " * (N // 14),
    "long lines": ("x" * 3999 + "\n") * (N // 4000),
    "digits": ("1 passed, " * 399 + "\n") * (N // 3990),
    "tracebacks": "Traceback (most recent call last):\n" * (N // 36),
    "sections": "___ a ___\n" * (N // 10),
    "deeper and deeper": "".join(" " * (number % 900) + "# Subtest: a\n" for number in range(N // 450)),
    "dots": (". " * 1999 + "\n") * (N // 4000),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_read_within_a_second(name: str) -> None:
    """Processor time: other work on the machine does not count. Quadratic readers took minutes here."""
    for run in ("make", "pytest"):
        started = time.process_time()
        report = read_output(run, FLOODS[name], 1)
        assert time.process_time() - started < 1.0
        started = time.process_time()
        distil(run, FLOODS[name], report)
        assert time.process_time() - started < 1.0


def test_each_runner_stands_once_in_the_table_but_node_with_its_two_printers() -> None:
    names = [runner.name for runner in RUNNERS]
    assert names.count("node") == 2
    assert len(set(names)) == len(names) - 1
