"""What a run comes to: findings, proof, verdict, class of failure."""

from benchdog.verdict.values import FailureClass, Finding, Proof, Severity, Verdict

__all__ = ["FailureClass", "Finding", "Proof", "Severity", "Verdict"]
