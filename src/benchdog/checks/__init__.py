"""What a check showed, as values; how to read it from what a test runner printed is in this package's modules.

Those are not imported here: events need the values only, and every start-up would pay for the patterns.
"""

from benchdog.checks.values import CheckResult, CheckStatus, TestReport

__all__ = ["CheckResult", "CheckStatus", "TestReport"]
