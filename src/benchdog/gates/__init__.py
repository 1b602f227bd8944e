"""The deterministic rules that decide whether a candidate may exist."""

from benchdog.gates.case import Case, CheckPair, Gate
from benchdog.gates.table import GATES, judge_all

__all__ = ["GATES", "Case", "CheckPair", "Gate", "judge_all"]
