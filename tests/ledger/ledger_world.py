"""A clock that stands where it is put, and whole runs to record: one that passed, one that did not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.events import (
    BaseTaken,
    CandidateTaken,
    CheckFinished,
    ClaimMade,
    EndpointPinned,
    Event,
    GateFinished,
    ReplyReceived,
    RequestSent,
    RoundEnded,
    RoundStarted,
    RunStarted,
    SandboxReady,
    Sealed,
    Stage,
    VerdictReached,
    fold,
)
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import RunLog
from benchdog.ledger.report import write_report
from benchdog.trees import Change, Entry, Mode
from benchdog.verdict import FailureClass, Finding, Proof, Severity, Verdict

BASE, TREE = "1" * 40, "2" * 40
HOSTILE = "\x1b[31m`x` | <script>alert(1)</script> [a](http://evil.example) **b**\n# Not a heading"


class StoppedClock:
    """Each look at it is one second later; nothing else moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()


def passed_run(evidence: Evidence, run: str = "r1", root: str = "/home/ada/calc", unsafe: bool = False) -> list[Event]:
    """A run that turned a red check green, with hostile words in every place that is not benchdog's own."""
    red = TestReport(runner="pytest", passed=41, failed=1, failed_ids=("tests/test_ops.py::test_add",))
    green = TestReport(runner="pytest", passed=42)
    base = _check(evidence, CheckStatus.RED, 1, red, b"1 failed, 41 passed\n", "E   assert 3 == -1")
    now = _check(evidence, CheckStatus.GREEN, 0, green, b"42 passed\n", "")
    change = Change(
        path="src/ops.py", before=Entry(Mode.FILE, "3" * 40), after=Entry(Mode.FILE, "4" * 40), added=1, removed=1
    )
    return [
        RunStarted(
            run=run,
            root=root,
            goal="ops.add must add",
            contract=evidence.put(b"goal = 'add'\n"),
            version="0.1.0",
            unsafe=unsafe,
        ),
        BaseTaken(tree=BASE, files=3, head="5" * 40, uncommitted=("a\udc80b",), seconds=0.1),
        SandboxReady(environment="e1", backend="bubblewrap", layers=("no network",), lent=(".venv",), unsafe=unsafe),
        EndpointPinned(
            role="coder",
            url="http://127.0.0.1:8080",
            dialect="openai",
            model="small-coder",
            context=65_536,
            hosts=("127.0.0.1:8080",),
        ),
        CheckFinished(stage=Stage.BASE, tree=BASE, result=base),
        RoundStarted(round=1, tree=BASE),
        RequestSent(number=1, request=evidence.put(b'{"messages": []}')),
        ReplyReceived(
            number=1,
            reply=evidence.put(b"an edit"),
            finish="tool_calls",
            calls=("edit",),
            prompt_tokens=612,
            cached_tokens=100,
            completion_tokens=40,
            seconds=2.0,
        ),
        ClaimMade(text=HOSTILE),
        CandidateTaken(round=1, tree=TREE, changes=(change,), diff=evidence.put(b"--- a\n+++ b\n")),
        CheckFinished(stage=Stage.FINAL, tree=TREE, result=now),
        GateFinished(gate="scope"),
        GateFinished(
            gate="size",
            findings=(Finding(gate="size", severity=Severity.WARN, message=HOSTILE, path="src/`o`|ps.py", line=3),),
        ),
        RoundEnded(round=1, outcome="passed"),
        VerdictReached(verdict=Verdict.PASSED, proof=Proof.WITNESS, reason="tests turned green", tree=TREE),
    ]


def failed_run(
    evidence: Evidence, run: str, root: str, failure: FailureClass, model: str = "small-coder"
) -> list[Event]:
    return [
        RunStarted(run=run, root=root, goal="g", contract=evidence.put(b"goal"), version="0.1.0"),
        EndpointPinned(role="coder", url="http://127.0.0.1:1", dialect="openai", model=model),
        VerdictReached(verdict=Verdict.REJECTED, proof=Proof.NONE, reason="no", failure_class=failure),
    ]


def record(place: Path, run: str, events: list[Event], clock: StoppedClock | None = None) -> str:
    """Records the events, seals the log and writes the report; returns the head."""
    with RunLog.create(place, run, clock or StoppedClock()) as log:
        for event in events:
            log.append(event)
        log.append(Sealed(events=len(events)))
        write_report(place, fold(log.events), log.recorded, log.head)
        return log.head


def _check(
    evidence: Evidence, status: CheckStatus, exit_status: int, tests: TestReport, output: bytes, distilled: str
) -> CheckResult:
    return CheckResult(
        name="tests",
        run="python -m pytest -q",
        status=status,
        exit_status=exit_status,
        seconds=0.8,
        output=evidence.put(output),
        report=evidence.put(repr(tests).encode()),
        distilled=distilled,
        tests=tests,
    )
