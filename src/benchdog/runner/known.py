"""Results of checks on base trees that are known from earlier runs.

A result belongs to a tree, a command and an environment. The environment is told by the sandbox, by what is lent and
when it last changed, and by what the settings pass through; a result that says nothing about the code (broken, timed
out) is never kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.contract import Check
from benchdog.events import from_plain, to_plain
from benchdog.runner.checks import CheckContext, CheckRun, report_bytes
from benchdog.sandbox.lending import is_dependency
from benchdog.sandbox.policy import Lent
from benchdog.system.files import write_durably


def environment_key(context: CheckContext) -> str:
    """The same for the same environment of checks: a SHA-256."""
    sandbox = context.sandbox
    passed = {name: context.environment.get(name) for name in context.pass_through}
    plain = [sandbox.name, sandbox.layers, passed, context.expose, [list(_marks(lent)) for lent in context.lent]]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()


def _marks(lent: Lent) -> Iterator[tuple[object, ...]]:
    """What changes when something lent does. Dependencies: by the directories and files that an installation touches;
    all else file by file, since an edit in place leaves its directory as it was.
    """
    yield (lent.path, lent.how.value)
    if is_dependency(lent.path):
        looked_at = [lent.source, *sorted(lent.source.glob("lib/python*/site-packages"))]
        looked_at.append(lent.source / ".package-lock.json")  # written by npm at the end
    else:
        below = os.walk(lent.source) if lent.source.is_dir() else ()
        looked_at = [lent.source, *sorted(Path(folder, name) for folder, _, names in below for name in names)]
    for path in looked_at:
        try:
            facts = path.lstat()
        except OSError:
            continue  # not there: nothing to tell
        yield (str(path.relative_to(lent.source)), facts.st_size, facts.st_mtime_ns)


class Known:
    """The results kept in `place` for one tree in one environment; artefacts go into the context's evidence."""

    def __init__(self, place: Path, context: CheckContext, tree: str, environment: str) -> None:
        self._place = place
        self._context = context
        self._tree = tree
        self._environment = environment

    def keep(self, check: Check, run: CheckRun) -> None:
        """Keeps a result for later runs, where it says something about the code. Raises StoreError."""
        if run.result.status not in (CheckStatus.GREEN, CheckStatus.RED):
            return
        output = self._context.evidence.get(run.result.output).decode("latin-1") if run.result.output else ""
        plain = {"result": to_plain(run.result), "tests": to_plain(run.tests), "output": output}
        write_durably(self._file(check), json.dumps(plain).encode())

    def get(self, check: Check) -> CheckRun | None:
        """A kept result, its artefacts put into the evidence; None where none reads. Raises StoreError."""
        try:
            plain: dict[str, Any] = json.loads(self._file(check).read_bytes())
            result = from_plain(CheckResult, {**plain["result"], "name": check.name})
            tests = from_plain(TestReport, plain["tests"]) if plain["tests"] else None
            output = plain["output"].encode("latin-1")
        except (OSError, ValueError, KeyError, TypeError):
            return None  # no cache, or one of another version: the check simply runs
        if result.output:
            self._context.evidence.put(output)
        if result.report and tests:
            self._context.evidence.put(report_bytes(tests))
        return CheckRun(result=result, tests=tests)

    def _file(self, check: Check) -> Path:
        key = json.dumps([self._tree, self._environment, check.run, check.cwd, check.git, check.timeout])
        return self._place / f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}.json"
