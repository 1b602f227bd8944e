from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.contract import Check
from benchdog.errors import Cancelled
from benchdog.events import from_plain
from benchdog.ledger.evidence import Evidence
from benchdog.runner.checks import OUTPUT_BYTES, CheckContext, CheckRun, report_bytes, run_check
from benchdog.sandbox.choose import choose_sandbox
from benchdog.sandbox.policy import Lending, Lent, Sandbox
from benchdog.sandbox.unsafe import Unsafe
from benchdog.system.cancel import Cancel
from benchdog.system.clock import SystemClock
from benchdog.system.environment import Environment, read_environment

TESTS = """
import pytest
def test_passes(): pass
def test_fails(): assert 1 + 1 == 3
@pytest.mark.skip(reason="later")
def test_skipped(): pass
"""
IDS = ("test_it.py::test_passes",), ("test_it.py::test_fails",), ("test_it.py::test_skipped",)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "checkouts" / "1"
    (tree / "sub").mkdir(parents=True)
    return tree


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Surroundings in which the Python that runs the tests is on PATH, with pytest in it."""
    place = tmp_path_factory.mktemp("person")
    variables = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(place), "TOKEN": "SECRET"}
    return read_environment(variables, place)


@pytest.fixture(params=["bubblewrap", "none"])
def sandbox(request: pytest.FixtureRequest, person: Environment) -> Sandbox:
    return choose_sandbox(person, unsafe=request.param == "none")


@pytest.fixture
def context(sandbox: Sandbox, person: Environment, tmp_path: Path) -> CheckContext:
    return CheckContext(
        sandbox=sandbox,
        mount_at=tmp_path / "project",
        environment=person,
        evidence=Evidence(tmp_path / "run"),
        clock=SystemClock(),
        cancel=Cancel(),
    )


def execute(context: CheckContext, tree: Path, line: str, timeout: float = 60.0, cwd: str = ".") -> CheckRun:
    return run_check(Check(name="tests", run=line, timeout=timeout, cwd=cwd), tree=tree, context=context)


def output(context: CheckContext, run: CheckRun) -> bytes:
    return context.evidence.get(run.result.output) if run.result.output else b""


def test_a_green_check(context: CheckContext, tree: Path) -> None:
    run = execute(context, tree, "echo out; echo err >&2")
    assert run == CheckRun(
        result=CheckResult(
            name="tests",
            run="echo out; echo err >&2",
            status=CheckStatus.GREEN,
            exit_status=0,
            seconds=run.result.seconds,
            output=run.result.output,
        ),
        tests=None,
    )
    assert output(context, run) == b"out\nerr\n"
    assert os.listdir(tree.parent) == ["1"]


def test_tests_are_told_by_their_ids(context: CheckContext, tree: Path) -> None:
    """The event tells failures and counts, the evidence all; the tree stays as it was."""
    (tree / "test_it.py").write_text(TESTS)
    run = execute(context, tree, "python -m pytest -q")
    passed, failed, skipped = IDS
    counts = {"runner": "pytest", "passed": 1, "failed": 1, "skipped": 1}
    whole = TestReport(**counts, passed_ids=passed, failed_ids=failed, skipped_ids=skipped)  # type: ignore[arg-type]
    assert run.tests == whole
    assert run.result.tests == TestReport(**counts, failed_ids=failed)  # type: ignore[arg-type]
    assert (run.result.status, run.result.exit_status) == (CheckStatus.RED, 1)
    assert "assert (1 + 1) == 3" in run.result.distilled
    assert from_plain(TestReport, json.loads(context.evidence.get(run.result.report))) == whole
    assert context.evidence.get(run.result.report) == report_bytes(whole)
    assert sorted(os.listdir(tree)) == ["sub", "test_it.py"]


def test_the_persons_own_options_for_pytest_stay(context: CheckContext, tree: Path) -> None:
    (tree / "test_it.py").write_text(TESTS)
    (tree / "pytest.ini").write_text("[pytest]\naddopts = -k passes\n")
    assert execute(context, tree, "pytest").tests == TestReport(
        runner="pytest", passed=1, passed_ids=("test_it.py::test_passes",)
    )


def test_a_command_that_is_not_pytest_gets_no_options_for_it(context: CheckContext, tree: Path) -> None:
    run = execute(context, tree, 'echo "${PYTEST_ADDOPTS:-none}"')
    assert output(context, run) == b"none\n"


@pytest.mark.parametrize(
    "forge",
    [
        'ln -s /etc/passwd "$BENCHDOG_SCRATCH/junit.xml"',
        'mkfifo "$BENCHDOG_SCRATCH/junit.xml"',
        'mkdir "$BENCHDOG_SCRATCH/junit.xml"',
        'truncate -s 1T "$BENCHDOG_SCRATCH/junit.xml"',
        'head -c 1000000 /dev/urandom > "$BENCHDOG_SCRATCH/junit.xml"',
        'rm -r "$BENCHDOG_SCRATCH"; true',
    ],
)
def test_a_forged_report_neither_hangs_nor_counts(forge: str, context: CheckContext, tree: Path) -> None:
    run = execute(context, tree, f"pytest --version >/dev/null; {forge} 2>/dev/null; exit 1")
    assert run.result.status is not CheckStatus.GREEN
    assert run.tests is None or not run.tests.passed_ids


def test_what_is_not_there_is_broken_and_says_what_to_do(context: CheckContext, tree: Path) -> None:
    result = execute(context, tree, "no-such-tool --all").result
    assert (result.status, result.exit_status) == (CheckStatus.BROKEN, 127)
    assert result.fix is not None
    assert "'no-such-tool'" in result.fix


@pytest.mark.parametrize("cwd", ["gone", "link", "..", "/", "file", "sub/../..", "file/below"])
def test_a_directory_that_is_not_in_the_tree_is_broken(cwd: str, context: CheckContext, tree: Path) -> None:
    (tree / "link").symlink_to("/etc")
    (tree / "file").write_text("")
    result = execute(context, tree, "true", cwd=cwd).result
    assert (result.status, result.exit_status) == (CheckStatus.BROKEN, None)
    assert result.distilled == f"the check's directory {cwd!r} is not in the tree"


def test_a_check_runs_in_its_directory(context: CheckContext, tree: Path) -> None:
    (tree / "sub" / "here").write_text("here")
    assert output(context, execute(context, tree, "cat here", cwd="sub")) == b"here"


def test_a_hanging_check_times_out(context: CheckContext, tree: Path) -> None:
    result = execute(context, tree, "echo begun; sleep 600", timeout=0.3).result
    assert (result.status, result.exit_status) == (CheckStatus.TIMED_OUT, None)
    assert result.distilled.splitlines()[0] == "did not end within 0.3 s"
    assert result.seconds < 10


def test_a_gigabyte_is_kept_in_bounds(context: CheckContext, tree: Path) -> None:
    run = execute(context, tree, "yes | head -c 1000000000; echo end; exit 3")
    kept = output(context, run)
    missing = 1_000_000_004 - OUTPUT_BYTES
    gap = f"\n[... {missing} bytes not kept ...]\n".encode()
    assert (run.result.status, run.result.exit_status) == (CheckStatus.RED, 3)
    assert (len(kept), kept.endswith(b"y\nend\n"), gap in kept) == (OUTPUT_BYTES + len(gap), True, True)
    assert run.result.seconds < 30


def test_cancelling_leaves_no_result_and_nothing_behind(context: CheckContext, tree: Path, tmp_path: Path) -> None:
    watched = replace(context, on_output=lambda name, data: context.cancel.set())
    with pytest.raises(Cancelled):
        execute(watched, tree, "echo up; sleep 600")
    with pytest.raises(Cancelled):
        execute(watched, tree, "true")
    assert os.listdir(tree.parent) == ["1"]


def test_an_onlooker_sees_output_by_name(context: CheckContext, tree: Path) -> None:
    seen: list[tuple[str, bytes]] = []
    execute(replace(context, on_output=lambda name, data: seen.append((name, data))), tree, "echo shown")
    assert seen == [("tests", b"shown\n")]


def test_only_named_variables_pass(context: CheckContext, tree: Path) -> None:
    line = 'echo "${TOKEN:-none} ${MISSING:-none}"'
    assert output(context, execute(context, tree, line)) == b"none none\n"
    named = replace(context, pass_through=("TOKEN", "MISSING"))
    assert output(context, execute(named, tree, line)) == b"SECRET none\n"


def test_exposed_paths_are_seen_at_their_place(context: CheckContext, tree: Path, person: Environment) -> None:
    (person.home / "data").mkdir(exist_ok=True)
    (person.home / "data" / "file").write_text("exposed")
    shown = replace(context, expose=("~/data",))
    line = f"cat {person.home}/data/file"
    assert output(context, execute(shown, tree, line)) == b"exposed"


def test_a_made_up_git_is_lent_to_checks_that_ask(sandbox: Sandbox, context: CheckContext, tree: Path) -> None:
    made_up = tree.parent.parent / "made-up"
    made_up.mkdir()
    (made_up / "HEAD").write_text("ref: refs/heads/main\n")
    asks = Check(name="git", run="cat .git/HEAD; echo x 2>/dev/null > .git/planted", git=True)
    silent = Check(name="git", run="ls -A")
    assert output(context, run_check(asks, tree=tree, context=context, git_directory=made_up)).startswith(b"ref: ")
    assert output(context, run_check(silent, tree=tree, context=context, git_directory=made_up)) == b"sub\n"
    assert os.listdir(made_up) == ["HEAD"]


def test_lent_environments_come_first(context: CheckContext, tree: Path, tmp_path: Path) -> None:
    """The nearest environment's programs are found before those of the surroundings."""
    programs = tmp_path / "project" / "node_modules" / ".bin"
    programs.mkdir(parents=True)
    (programs / "tool").write_text("#!/bin/sh\necho lent\n")
    (programs / "tool").chmod(stat.S_IRWXU)
    lent = (Lent(path="node_modules", source=programs.parent, how=Lending.READ_ONLY),)
    assert output(context, execute(replace(context, lent=lent), tree, "tool", cwd="sub")) == b"lent\n"


def test_the_unsafe_backend_is_named() -> None:
    assert (Unsafe(read_environment()).name, Unsafe.unsafe) == ("none", True)
