"""What a check showed, and how to read it from what a test runner printed."""

from benchdog.checks.compare import worse
from benchdog.checks.distil import distil
from benchdog.checks.reading import read_output
from benchdog.checks.runners.junit import pytest_options
from benchdog.checks.status import classify, suspicious
from benchdog.checks.values import CheckResult, CheckStatus, TestReport

__all__ = [
    "CheckResult",
    "CheckStatus",
    "TestReport",
    "classify",
    "distil",
    "pytest_options",
    "read_output",
    "suspicious",
    "worse",
]
