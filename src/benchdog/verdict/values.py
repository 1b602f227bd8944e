"""Findings, proof, verdict and classes of failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a gate found. `message` says what is wrong and what would satisfy the gate.

    `evidence` is the digest of an artefact, or empty where the candidate tree itself is the evidence.
    """

    gate: str
    severity: Severity
    message: str
    path: str | None = None
    line: int | None = None
    evidence: str = ""


class Proof(StrEnum):
    """Why a green candidate may be believed."""

    WITNESS = "witness"
    DELIVER = "deliver"
    ACCEPTED = "accepted"
    NONE = "none"


class Verdict(StrEnum):
    PASSED = "passed"
    HELD = "held"
    REJECTED = "rejected"
    STALLED = "stalled"
    NEEDS_INPUT = "needs_input"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def exit_status(self) -> int:
        return _EXIT[self]


_EXIT = {
    Verdict.PASSED: 0,
    Verdict.REJECTED: 1,
    Verdict.STALLED: 3,
    Verdict.ERROR: 4,
    Verdict.NEEDS_INPUT: 5,
    Verdict.HELD: 6,
    Verdict.CANCELLED: 130,
}


class FailureClass(StrEnum):
    """Why a run did not pass."""

    TOOL_USE = "tool-use"
    CONTEXT = "context"
    LOST_THREAD = "lost-thread"
    SCOPE = "scope"
    FALSE_CLAIM = "false-claim"
    WRONG_WORK = "wrong-work"
    ENVIRONMENT = "environment"
    INFRASTRUCTURE = "infrastructure"
