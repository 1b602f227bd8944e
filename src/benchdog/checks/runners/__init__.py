"""The table of test runners whose output benchdog reads: one file each, one row each.

The order decides where two would claim the same lines: the more telling one stands first.
"""

from benchdog.checks.runners.cargo import CARGO
from benchdog.checks.runners.ctest import CTEST
from benchdog.checks.runners.go import GO
from benchdog.checks.runners.jest import JEST
from benchdog.checks.runners.mocha import MOCHA
from benchdog.checks.runners.node import NODE_SPEC
from benchdog.checks.runners.prove import PROVE
from benchdog.checks.runners.pytest import PYTEST
from benchdog.checks.runners.tap import TAP
from benchdog.checks.runners.unittest import UNITTEST
from benchdog.checks.runners.values import Runner
from benchdog.checks.runners.vitest import VITEST

RUNNERS: tuple[Runner, ...] = (
    PYTEST,
    UNITTEST,
    JEST,
    VITEST,
    MOCHA,
    NODE_SPEC,
    CARGO,
    GO,
    CTEST,
    PROVE,
    TAP,
)

__all__ = ["RUNNERS", "Runner"]
