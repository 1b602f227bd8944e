"""What a check showed, and how to read it from what a test runner printed."""

from benchdog.checks.values import CheckResult, CheckStatus, TestReport

__all__ = ["CheckResult", "CheckStatus", "TestReport"]
