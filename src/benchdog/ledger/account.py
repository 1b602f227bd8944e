"""The machine-readable account of a run, as values. `report.py` makes them from a run's state.

A string called `output`, `tests`, `diff`, `contract` or `evidence` inside is the digest of an artefact in the evidence
store; `tree` is a git tree id, `head` the hash of the log's last line, which binds them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchdog.checks import CheckStatus
from benchdog.events import Accepted, BaseTaken, EndpointPinned, Landing, SandboxReady
from benchdog.trees import Change
from benchdog.verdict import FailureClass, Finding, Proof, Verdict

FORM = "benchdog-report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a test runner told in numbers."""

    runner: str
    passed: int
    failed: int
    skipped: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One execution of a check: `output` and `tests` are evidence digests, empty where there was nothing.

    `distilled` is the output in short; empty where all was well.
    """

    status: CheckStatus
    exit_status: int | None
    seconds: float
    counts: Counts | None
    output: str
    tests: str
    fix: str | None
    distilled: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedCheck:
    """A check on the candidate and on the base; None where it did not run there."""

    name: str
    run: str
    status: CheckStatus | None
    exit_status: int | None
    seconds: float
    counts: Counts | None
    evidence: str
    tests: str
    distilled: str
    fix: str | None
    baseline: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """As the server counted them; `unreported` replies told no counts."""

    prompt: int
    cached: int
    completion: int
    unreported: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """What came of the model's replies: invalid ones were not kept, refused edits were not made."""

    received: int
    invalid: int
    recovered: int
    edits: int
    refused: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The account. A field is null where the run did not come to it. Times are ISO 8601 in UTC.

    `claims` are what the worker said of its work: shown as claims, and nothing in the verdict rests on them.
    `unsafe`: checks ran without a sandbox.
    """

    form: str
    run: str
    version: str
    root: str
    goal: str
    verdict: Verdict | None
    reason: str
    next_step: str
    proof: Proof
    failure_class: FailureClass | None
    unsafe: bool
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    diff: str
    checks: tuple[ReportedCheck, ...]
    gates: tuple[str, ...]
    rounds: int
    requests: int
    tokens: Tokens
    replies: Replies
    hosts: tuple[str, ...]
    contract: str
    hints: tuple[str, ...]
    base: BaseTaken | None
    candidate: str | None
    sandbox: SandboxReady | None
    endpoint: EndpointPinned | None
    claims: tuple[str, ...]
    question: str | None
    accepted: Accepted | None
    landing: Landing | None
    discarded: bool
    started: str
    ended: str | None
    events: int
    head: str
    report: str
    evidence: str
