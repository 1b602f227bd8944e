"""Makes cases for gates: two trees in memory, and what differs between them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.contract import Check, Contract, Scope
from benchdog.gates import Case, CheckPair
from benchdog.trees import Change, Entry, Mode

Content = str | bytes | tuple[Mode, str]


@dataclass(frozen=True)
class MemoryTree:
    """A tree of files in memory. A content with a mode stands for a symlink's target or a submodule's commit."""

    files: Mapping[str, Content] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return hashlib.sha1(repr(sorted(self.entries.items())).encode()).hexdigest()

    @property
    def entries(self) -> Mapping[str, Entry]:
        return {path: _entry(content) for path, content in sorted(self.files.items())}

    def read(self, path: str) -> bytes:
        return _data(self.files[path])


def _data(content: Content) -> bytes:
    if isinstance(content, tuple):
        content = content[1]
    return content.encode() if isinstance(content, str) else content


def _entry(content: Content) -> Entry:
    mode = content[0] if isinstance(content, tuple) else Mode.FILE
    return Entry(mode, hashlib.sha1(_data(content)).hexdigest())


def changes(base: MemoryTree, candidate: MemoryTree) -> tuple[Change, ...]:
    """What differs, with lines counted coarsely: all lines of the old and of the new file."""
    found = []
    for path in sorted({*base.files, *candidate.files}):
        before, after = base.entries.get(path), candidate.entries.get(path)
        if before == after:
            continue
        old = _data(base.files[path]) if before else b""
        new = _data(candidate.files[path]) if after else b""
        binary = b"\0" in old + new
        kept = set(old.splitlines()) & set(new.splitlines())
        found.append(
            Change(
                path=path,
                before=before,
                after=after,
                added=0 if binary else len([line for line in new.splitlines() if line not in kept]),
                removed=0 if binary else len([line for line in old.splitlines() if line not in kept]),
                binary=binary,
            )
        )
    return tuple(found)


def case(base: Mapping[str, Content], candidate: Mapping[str, Content], **more: Any) -> Case:
    """A case with a contract that allows everything, if nothing else is said."""
    old, new = MemoryTree(base), MemoryTree(candidate)
    task = more.pop("contract", None) or contract(**more.pop("task", {}))
    return Case(contract=task, base=old, candidate=new, changes=changes(old, new), **more)


def contract(**more: Any) -> Contract:
    values: dict[str, Any] = {"goal": "mend it", "scope": Scope(allow=("*",))}
    return Contract(**(values | more))


def result(status: CheckStatus = CheckStatus.GREEN, name: str = "tests", **more: Any) -> CheckResult:
    exit_status = {CheckStatus.GREEN: 0, CheckStatus.RED: 1, CheckStatus.BROKEN: 127}.get(status)
    return CheckResult(name=name, run="pytest -q", status=status, exit_status=exit_status, seconds=1.0, **more)


def report(passed: str = "", failed: str = "", skipped: str = "", **more: Any) -> TestReport:
    """A test report from ids in words."""
    green, red, idle = tuple(passed.split()), tuple(failed.split()), tuple(skipped.split())
    counts = {"passed": len(green), "failed": len(red), "skipped": len(idle)}
    values: dict[str, Any] = {**counts, "passed_ids": green, "failed_ids": red, "skipped_ids": idle, **more}
    return TestReport(runner="pytest", **values)


def pair(base: CheckResult | None, candidate: CheckResult | None, **more: Any) -> CheckPair:
    check = more.pop("check", None) or Check(name="tests", run="pytest -q", **more.pop("terms", {}))
    return CheckPair(check=check, base=base, candidate=candidate, **more)
