"""The baseline: every check on the base, run in a thread beside the rest, taken from the cache where it can be.

A result belongs to a tree, a command and an environment. The environment is told by what is lent and when it last
changed, and by the sandbox; a result that says nothing about the code (broken, timed out) is never kept.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.contract import Check
from benchdog.errors import BenchdogError, StoreError
from benchdog.events import from_plain, to_plain
from benchdog.runner.bench import Bench
from benchdog.runner.checks import CheckContext, CheckRun, report_bytes
from benchdog.runner.cleanroom import check_in
from benchdog.sandbox.policy import Lent
from benchdog.system.files import write_durably


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseResult:
    """One check on the base. `cached`: it was taken from an earlier run over the same tree."""

    run: CheckRun
    cached: bool


class Baseline:
    """Runs checks on the base in a thread of its own; results are fetched by the run's thread, which logs them."""

    def __init__(self, bench: Bench, context: CheckContext, tree: str) -> None:
        self._bench = bench
        self._context = context
        self._tree = tree
        self._results: SimpleQueue[BaseResult | BenchdogError] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._waiting: list[str] = []

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of checks whose results have not been fetched yet."""
        return tuple(self._waiting)

    def start(self, checks: Sequence[Check]) -> None:
        """Begins with these checks, cheapest knowledge first: cached results are there at once."""
        if self._thread is not None or not checks:
            return
        self._waiting = [check.name for check in checks]
        self._thread = threading.Thread(target=self._work, args=(tuple(checks),), name="baseline", daemon=True)
        self._thread.start()

    def fetch(self, seconds: float) -> BaseResult | None:
        """The next result, waiting at most `seconds`; None where there is none yet.

        Raises what stopped the checks (SandboxUnavailable, StoreError, Cancelled).
        """
        if not self._waiting:
            return None
        try:
            result = self._results.get(timeout=seconds)
        except Empty:
            return None
        if isinstance(result, BenchdogError):
            self._waiting.clear()
            raise result
        self._waiting.remove(result.run.result.name)
        return result

    def stop(self) -> None:
        """Waits for the thread; cancelling the bench ends its check first."""
        if self._thread is not None:
            self._thread.join()

    def _work(self, checks: tuple[Check, ...]) -> None:
        try:
            missing = []
            for check in checks:
                if kept := self.known(check):
                    self._results.put(BaseResult(run=kept, cached=True))
                else:
                    missing.append(check)
            if missing:
                with self._bench.repository.checkout(self._tree) as checkout:
                    for check in missing:
                        self._bench.cancel.check()
                        run = check_in(
                            checkout, check, self._context, repository=self._bench.repository, base=self._tree
                        )
                        self.keep(check, run)
                        self._results.put(BaseResult(run=run, cached=False))
        except BenchdogError as error:
            self._results.put(error)

    def _place(self, check: Check) -> Path:
        key = json.dumps(
            [
                (self._tree, check.run, check.cwd, check.git, check.timeout),
                fingerprint(self._bench.lent),
                (self._context.sandbox.name, *self._context.sandbox.layers),
            ]
        )
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self._bench.repository.place / "baseline" / f"{name}.json"

    def keep(self, check: Check, run: CheckRun) -> None:
        """Keeps a result for later runs, where it says something about the code."""
        if run.result.status not in (CheckStatus.GREEN, CheckStatus.RED):
            return
        output = self._context.evidence.get(run.result.output).decode("latin-1") if run.result.output else ""
        plain = {"result": to_plain(run.result), "tests": to_plain(run.tests), "output": output}
        write_durably(self._place(check), json.dumps(plain).encode())

    def known(self, check: Check) -> CheckRun | None:
        """A kept result, its artefacts put into this run's own evidence; None where there is none that reads."""
        try:
            plain: dict[str, Any] = json.loads(self._place(check).read_bytes())
            result = from_plain(CheckResult, {**plain["result"], "name": check.name})
            tests = from_plain(TestReport, plain["tests"]) if plain["tests"] else None
            output = plain["output"].encode("latin-1")
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no cache, or one of another version: the check simply runs
        try:
            if result.output:
                self._context.evidence.put(output)
            if result.report and tests:
                self._context.evidence.put(report_bytes(tests))
        except OSError as error:
            raise StoreError(f"cannot keep the baseline's artefacts: {error}") from error
        return CheckRun(result=result, tests=tests)


def fingerprint(lent: Sequence[Lent]) -> list[list[object]]:
    """What tells one environment from another: each lent path and when it, or a package directory in it, changed."""
    marks: list[list[object]] = []
    for each in lent:
        for path in (
            each.source,
            *sorted(each.source.glob("lib/python*/site-packages")),
            each.source / ".package-lock.json",
        ):
            try:
                marks.append([each.path, path.name, path.lstat().st_mtime_ns])
            except OSError:
                continue  # not there: nothing to tell
    return marks
