"""Carries out one check on one tree: its shell line in the sandbox, its output into the evidence, a result."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.checks.command import programs
from benchdog.checks.distil import distil
from benchdog.checks.reading import read_output
from benchdog.checks.runners import RUNNERS
from benchdog.checks.status import classify
from benchdog.contract import Check
from benchdog.errors import Cancelled, StoreError
from benchdog.events import to_plain
from benchdog.ledger.evidence import Evidence
from benchdog.sandbox.layers import own_folder
from benchdog.sandbox.policy import Lent, Policy, Sandbox, SandboxedCommand, SandboxedResult
from benchdog.system.cancel import Cancel
from benchdog.system.clock import Clock
from benchdog.system.environment import Environment
from benchdog.system.files import open_regular
from benchdog.system.process import TAIL_BYTES

OUTPUT_BYTES = 64 * 1024 * 1024  # of one check, kept whole; of more, the beginning and the end
JUNIT_BYTES = 32 * 1024 * 1024
DISTILLED = 1200  # characters
_FAILED_IDS = 500  # in an event; the report in the evidence holds all
_JUNIT = "junit.xml"
# pytest expands variables in this path itself; xunit1 is the family that tells file and line.
_PYTEST = f"--junitxml=$BENCHDOG_SCRATCH/{_JUNIT} -o junit_family=xunit1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What every check of a run shares. `expose` are host paths, `~` allowed; `pass_through` names of variables.

    `on_output` is called with the check's name and each piece of its output as it arrives.
    """

    sandbox: Sandbox
    mount_at: Path
    environment: Environment
    evidence: Evidence
    clock: Clock
    cancel: Cancel
    lent: tuple[Lent, ...] = ()
    expose: tuple[str, ...] = ()
    pass_through: tuple[str, ...] = ()
    on_output: Callable[[str, bytes], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """A result for the log, and the whole test report with all ids where the runner told them."""

    result: CheckResult
    tests: TestReport | None


def run_check(check: Check, *, tree: Path, context: CheckContext, git_directory: Path | None = None) -> CheckRun:
    """Runs `check` over the checkout `tree`, which stays as it is. `git_directory` is a made-up `.git` to lend.

    Raises Cancelled, SandboxUnavailable (nothing ran), StoreError (the evidence cannot be written).
    """
    context.cancel.check()
    if not _is_directory(tree, check.cwd):
        return _without_directory(check)
    with own_folder(tree.parent) as folder, _Whole.opened(folder / "output") as whole:
        scratch = folder / "scratch"
        scratch.mkdir()
        policy = _policy(check, tree, context, scratch, git_directory)

        def arrived(data: bytes) -> None:
            whole.add(data)
            if context.on_output:
                context.on_output(check.name, data)

        command = SandboxedCommand(argv=("/bin/sh", "-c", check.run), cwd=check.cwd, timeout=check.timeout)
        ended = context.sandbox.run(command, policy, cancel=context.cancel, on_output=arrived)
        if ended.cancelled:
            raise Cancelled()
        return _judged(check, ended, whole.value(ended), _read_bounded(scratch / _JUNIT, JUNIT_BYTES), context)


def report_bytes(tests: TestReport) -> bytes:
    """A test report as it lies in the evidence."""
    return json.dumps(to_plain(tests), sort_keys=True).encode()


def _policy(check: Check, tree: Path, context: CheckContext, scratch: Path, git_directory: Path | None) -> Policy:
    given = context.environment
    variables = {name: value for name in context.pass_through if (value := given.get(name)) is not None}
    if _calls_pytest(check.run):
        variables["PYTEST_ADDOPTS"] = f"{variables.get('PYTEST_ADDOPTS', '')} {_PYTEST}".strip()
    return Policy(
        tree=tree,
        mount_at=context.mount_at,
        lent=context.lent,
        expose=tuple(_host_path(each, given.home) for each in context.expose),
        scratch=scratch,
        git_directory=git_directory if check.git else None,
        environment=variables,
    )


def _calls_pytest(run: str) -> bool:
    """Whether the shell line itself calls pytest; a script or a Makefile that does is left alone."""
    return any(runner.named(argv) for runner in RUNNERS if runner.name == "pytest" for argv in programs(run))


def _host_path(given: str, home: Path) -> Path:
    return home / given[2:] if given.startswith("~/") else home if given == "~" else Path(given)


def _judged(
    check: Check, ended: SandboxedResult, output: bytes, junit: bytes | None, context: CheckContext
) -> CheckRun:
    """From how it ended to a result; what it printed and told goes into the evidence."""
    text = ended.output.value().decode(errors="replace")
    tests = read_output(check.run, text, ended.exit_status, junit)
    status, fix = classify(ended.exit_status, ended.timed_out, text, tests)
    distilled = (
        "" if status is CheckStatus.GREEN else distil(check.run, text, tests, DISTILLED, root=str(context.mount_at))
    )
    if status is CheckStatus.TIMED_OUT:
        distilled = f"did not end within {check.timeout:g} s\n{distilled}".rstrip()
    result = CheckResult(
        name=check.name,
        run=check.run,
        status=status,
        exit_status=None if ended.timed_out else ended.exit_status,
        seconds=ended.seconds,
        output=context.evidence.put(output) if output else "",
        report=context.evidence.put(report_bytes(tests)) if tests else "",
        distilled=distilled,
        tests=replace(tests, passed_ids=(), skipped_ids=(), failed_ids=tests.failed_ids[:_FAILED_IDS])
        if tests
        else None,
        fix=fix,
    )
    return CheckRun(result=result, tests=tests)


def _without_directory(check: Check) -> CheckRun:
    """The result of a check whose directory is not there: it cannot do its work."""
    message = f"the check's directory {check.cwd!r} is not in the tree"
    result = CheckResult(
        name=check.name,
        run=check.run,
        status=CheckStatus.BROKEN,
        exit_status=None,
        seconds=0.0,
        distilled=message,
        fix=f"correct `cwd` of [[check]] {check.name!r}, or keep that directory",
    )
    return CheckRun(result=result, tests=None)


def _is_directory(tree: Path, cwd: str) -> bool:
    """Whether `cwd` is a directory of the tree itself: no step of it a link, none leading up."""
    parts = PurePosixPath(cwd).parts
    if ".." in parts or cwd.startswith("/") or "\0" in cwd:
        return False
    here = tree
    for part in parts:
        here /= part
        try:
            if not stat.S_ISDIR(here.lstat().st_mode):
                return False
        except (FileNotFoundError, NotADirectoryError):
            return False
    return True


class _Whole:
    """A check's whole output up to OUTPUT_BYTES, on disk while it runs, where the check does not see it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._room = OUTPUT_BYTES - TAIL_BYTES
        self._total = 0

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[_Whole]:
        with path.open("x+b") as file:
            yield cls(file)

    def add(self, data: bytes) -> None:
        """Raises StoreError (no space)."""
        self._total += len(data)
        piece = data[: self._room]
        self._room -= len(piece)
        try:
            self._file.write(piece)
        except OSError as error:
            raise StoreError(f"cannot keep the check's output: {error.strerror or error}") from error

    def value(self, ended: SandboxedResult) -> bytes:
        """All of it, or the beginning and the end with a line between that says how many bytes are missing."""
        lost = self._total - (OUTPUT_BYTES - TAIL_BYTES - self._room)
        tail = bytes(ended.output.tail[-min(TAIL_BYTES, lost) :]) if lost else b""
        missing = lost - len(tail)
        gap = f"\n[... {missing} bytes not kept ...]\n".encode() if missing else b""
        try:
            self._file.write(gap + tail)
            self._file.seek(0)
            return self._file.read()
        except OSError as error:
            raise StoreError(f"cannot keep the check's output: {error.strerror or error}") from error


def _read_bounded(path: Path, limit: int) -> bytes | None:
    """A regular file that the check left; None where it is none, or too large to be what it should be."""
    file = open_regular(path)
    if file is None:
        return None
    with file:
        return file.read(limit) if os.fstat(file.fileno()).st_size <= limit else None
