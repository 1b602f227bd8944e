"""JUnit XML, which pytest writes beside its output. Hostile: no document type, no entities, bounded in size.

`pytest_options(path)` belongs into PYTEST_ADDOPTS: the family xunit1 tells each test's file, so ids are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.parsers import expat  # a document type is refused at its first byte, see _refuse

from benchdog.checks.values import TestReport

MAX_BYTES = 64 * 1024 * 1024


def pytest_options(path: str) -> str:
    """What makes pytest write its report to `path` (without spaces), in addition to what the command says."""
    return f"--junitxml={path} -o junit_family=xunit1"


def read_junit(data: bytes) -> TestReport | None:
    """The report; None where the bytes are no whole JUnit document."""
    if not data.strip() or len(data) > MAX_BYTES:
        return None
    seen = _Seen()
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = seen.start
    parser.EndElementHandler = seen.end
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, UnicodeError):
        return None
    return seen.report() if seen.suites else None


def _refuse(*declaration: object) -> None:
    raise ValueError("a JUnit report has no document type")


@dataclass(slots=True)
class _Seen:
    """What the elements so far told. A test's worst result counts: it may have several entries."""

    suites: int = 0
    current: str | None = None
    outcome: str = "passed"
    tests: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "testsuite":
            self.suites += 1
        elif name == "testcase":
            self.current, self.outcome = case_id(attributes), "passed"
        elif name in ("failure", "error"):
            self.outcome = "failed"
        elif name == "skipped" and self.outcome == "passed":
            self.outcome = "skipped"

    def end(self, name: str) -> None:
        if name != "testcase" or self.current is None:
            return
        worse = ("passed", "skipped", "failed")
        known = self.tests.get(self.current, self.outcome)
        self.tests[self.current] = max(known, self.outcome, key=worse.index)
        self.current = None

    def report(self) -> TestReport:
        by = {kind: tuple(each for each, how in self.tests.items() if how == kind) for kind in set(self.tests.values())}
        passed, failed, skipped = by.get("passed", ()), by.get("failed", ()), by.get("skipped", ())
        return TestReport(
            runner="pytest",
            passed=len(passed),
            failed=len(failed),
            skipped=len(skipped),
            passed_ids=passed,
            failed_ids=failed,
            skipped_ids=skipped,
        )


def case_id(attributes: dict[str, str]) -> str:
    """pytest's own id of a test case: `tests/test_x.py::TestC::test_y[param]`."""
    classname, name = attributes.get("classname", ""), attributes.get("name", "")
    file = attributes.get("file", "").replace("\\", "/")
    if not classname:  # a module that could not be collected
        return file or f"{name.replace('.', '/')}.py"
    module = str(PurePosixPath(file).with_suffix("")).replace("/", ".") if file else ""
    if not module or not (classname == module or classname.startswith(f"{module}.")):
        file, module = _guessed(classname)  # the test is inherited from another file, or the file is not told
    inner = classname[len(module) :].lstrip(".")
    return "::".join((file, *(inner.split(".") if inner else ()), name))


def _guessed(classname: str) -> tuple[str, str]:
    """File and module of a class name: what begins with a capital is a class."""
    parts = classname.split(".")
    while len(parts) > 1 and parts[-1][:1].isupper():
        parts.pop()
    return "/".join(parts) + ".py", ".".join(parts)
