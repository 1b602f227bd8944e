"""What a run's events become for a person: whole lines compared, hostile text included."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.cli.describe import advance, describe
from benchdog.cli.view import View, duration
from benchdog.events import kinds
from benchdog.events.kinds import Stage
from benchdog.events.state import Landing, RunState
from benchdog.ledger.log import Recorded
from benchdog.trees import Change
from benchdog.verdict import FailureClass, Finding, Proof, Severity, Verdict

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TREE, OTHER = "a" * 40, "b" * 40


def tell(events: Iterable[kinds.Event], place: Path | None = None) -> list[str]:
    """The lines of a run whose events came a second apart."""
    view, told = View(place=place), []
    for number, event in enumerate(events, start=1):
        recorded = Recorded(seq=number, at=START + timedelta(seconds=number - 1), event=event, hash="0" * 64)
        told += [line.text for line in describe(recorded, view)]
        view = advance(view, recorded)
    return told


def result(status: CheckStatus, *, passed: int = 0, failed: int = 0) -> CheckResult:
    exit_status = 0 if status is CheckStatus.GREEN else 1
    tests = TestReport(runner="pytest", passed=passed, failed=failed)
    return CheckResult(name="tests", run="pytest -q", status=status, exit_status=exit_status, seconds=0.84, tests=tests)


def test_a_run_reads_as_the_design_shows_it() -> None:
    red, green = result(CheckStatus.RED, passed=41, failed=1), result(CheckStatus.GREEN, passed=42)
    change = Change(path="src/calc/ops.py", before=None, after=None, added=1, removed=1)
    events: list[kinds.Event] = [
        kinds.RunStarted(run="k3x9abcd", root="/r", goal="ops.add must add", contract="c" * 64, version="0.1.0"),
        kinds.BaseTaken(tree=TREE, files=12, head="3f2a91c" + "0" * 33, uncommitted=("a", "b")),
        kinds.SandboxReady(backend="bubblewrap", layers=("seccomp", "no network")),
        kinds.EndpointPinned(
            role="coder",
            url="http://127.0.0.1:8080/v1",
            dialect="openai",
            model="qwen3.6-35b-a3b",
            context=65536,
            server="llama.cpp b9731",
        ),
        kinds.CheckFinished(stage=Stage.BASE, tree=TREE, result=red),
        kinds.RoundStarted(round=1, tree=TREE),
        kinds.RequestSent(number=1, request="d" * 64),
        kinds.ReplyReceived(
            number=1,
            reply="e" * 64,
            finish="stop",
            recovered="hermes",
            prompt_tokens=612,
            completion_tokens=90,
            first_token_seconds=2.0,
        ),
        kinds.EditRefused(path="package.json", rule="scope", reason="outside of the scope (allow: src/calc/ops.py)"),
        kinds.EditApplied(path="src/calc/ops.py", line=12, added=1, removed=1),
        kinds.CandidateTaken(round=1, tree=OTHER, changes=(change,)),
        kinds.GateFinished(gate="scope"),
        kinds.GateFinished(gate="size"),
        kinds.CheckStarted(stage=Stage.REPLY, name="tests"),
        kinds.CheckFinished(stage=Stage.REPLY, tree=OTHER, result=green),
        kinds.RoundEnded(round=1, outcome="passed"),
        kinds.VerdictReached(
            verdict=Verdict.PASSED, proof=Proof.WITNESS, reason="all holds", tree=OTHER, next_step="benchdog apply @"
        ),
        kinds.Sealed(events=17),
    ]
    assert tell(events, Path("/state")) == [
        "run      k3x9abcd · ops.add must add",
        "base     3f2a91c + 2 uncommitted files",
        "sandbox  bubblewrap · no network · 1 more layer",
        "model    qwen3.6-35b-a3b · llama.cpp b9731 at 127.0.0.1:8080 · 65,536 tokens in effect",
        "base     tests ✗ 1 failed, 41 passed (0.8 s)",
        "round 1  implement",
        "         612 tokens in, first token after 2.0 s",
        "         ⟲ call leaked as text, recovered (hermes)",
        "         ✗ edit of package.json refused: outside of the scope (allow: src/calc/ops.py)",
        "         ✎ src/calc/ops.py:12  +1 -1",
        "         verify     scope ✓  size ✓  tests ✓ 42 passed (0.8 s)",
        "PASSED   1 file, +1 -1 · 1 request · 612 tokens prefilled · 16 s",
        "         look: benchdog diff @     land: benchdog apply @",
        "         report: /state/runs/k3x9abcd/report.md",
    ]


def test_a_rejected_run_names_the_gate_the_place_and_the_next_command() -> None:
    finding = Finding(gate="scope", severity=Severity.BLOCK, path="package.json", message="may not change")
    events: list[kinds.Event] = [
        kinds.RoundStarted(round=2, tree=TREE, findings=(finding,)),
        kinds.CandidateTaken(round=2, tree=OTHER, changes=()),
        kinds.GateFinished(gate="scope", findings=(finding,)),
        kinds.RoundEnded(round=2, outcome="findings", findings=(finding,)),
        kinds.VerdictReached(
            verdict=Verdict.REJECTED,
            proof=Proof.NONE,
            reason="package.json: scope: may not change",
            tree=OTHER,
            failure_class=FailureClass.SCOPE,
            next_step="benchdog refine @ HINT",
        ),
    ]
    assert tell(events) == [
        "round 2  implement",
        "         to answer: package.json: scope: may not change",
        "         verify     scope ✗",
        "         ✗ package.json: scope: may not change",
        "REJECTED no change · 4.0 s",
        "         package.json: scope: may not change",
        "         class of failure: scope",
        "         next: benchdog refine @ HINT",
    ]


def test_a_late_baseline_does_not_tear_a_verification_apart() -> None:
    green = result(CheckStatus.GREEN, passed=2)
    events: list[kinds.Event] = [
        kinds.CandidateTaken(round=1, tree=OTHER, changes=()),
        kinds.GateFinished(gate="scope"),
        kinds.CheckFinished(stage=Stage.BASE, tree=TREE, result=green, cached=True),
        kinds.CheckFinished(stage=Stage.REPLY, tree=OTHER, result=green),
        kinds.RequestSent(number=2, request="d" * 64),
    ]
    assert tell(events) == [
        "base     tests ✓ 2 passed (0.8 s) · known from an earlier run",
        "         verify     scope ✓  tests ✓ 2 passed (0.8 s)",
    ]


def test_a_run_without_sandbox_says_so_twice() -> None:
    events: list[kinds.Event] = [
        kinds.RunStarted(run="k3x9abcd", root="/r", goal="g", contract="c" * 64, version="0.1.0", unsafe=True),
        kinds.SandboxReady(backend="none", layers=(), unsafe=True),
    ]
    assert tell(events) == [
        "run      k3x9abcd · g",
        "UNSAFE   --unsafe-no-sandbox: checks run with your rights, your files and your network",
        "sandbox  none: nothing is kept from the checks",
    ]


HOSTILE = "\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2Jgone\x9b31m\u202eevil\r\n\x07"


@given(st.text(max_size=60) | st.just(HOSTILE))
def test_no_event_carries_a_terminal_sequence_to_the_screen(text: str) -> None:
    events: list[kinds.Event] = [
        kinds.RunStarted(run="k3x9abcd", root=text, goal=text, contract="c" * 64, version="0.1.0"),
        kinds.GoalLinted(hints=(text,)),
        kinds.SandboxReady(backend=text, layers=(text,), widened=(text,)),
        kinds.EndpointPinned(role="coder", url=text, dialect=text, model=text, server=text),
        kinds.ReplyReceived(number=1, reply="e" * 64, finish=text, recovered=text),
        kinds.ReplyInvalid(number=1, fault=text, detail=text),
        kinds.ToolUsed(tool=text, detail=text),
        kinds.EditApplied(path=text, line=1, added=1, removed=0, how=text),
        kinds.EditRefused(path=text, rule=text, reason=text),
        kinds.ClaimMade(text=text),
        kinds.Intervened(action=text, reason=text),
        kinds.GateFinished(gate=text, findings=(Finding(gate=text, severity=Severity.WARN, message=text, path=text),)),
        kinds.Asked(question=text, path=text),
        kinds.Answered(text=text, contract="c" * 64),
        kinds.Refined(text=text),
        kinds.VerdictReached(verdict=Verdict.ERROR, proof=Proof.NONE, reason=text, tree=TREE, next_step=text),
        kinds.Landed(how=text, tree=TREE, paths=(), ref=text),
        kinds.LandingAborted(reason=text),
    ]
    for line in tell(events):
        assert line.isprintable(), line
        assert "\u202e" not in line


def test_times_are_short() -> None:
    assert [duration(seconds) for seconds in (0.04, 9.94, 9.96, 59.4, 59.6, 200.2)] == [
        "0.0 s",
        "9.9 s",
        "10 s",
        "59 s",
        "1 min 0 s",
        "3 min 20 s",
    ]


def test_the_same_fault_is_told_once() -> None:
    again = kinds.ReplyInvalid(number=1, fault="repeated", detail="read src/a.py")
    other = kinds.ReplyInvalid(number=3, fault="empty")
    events: list[kinds.Event] = [again, again, other, kinds.RoundStarted(round=2, tree=TREE), other]
    assert tell(events) == [
        "         ⟲ reply not kept: the same call again: read src/a.py",
        "         ⟲ and again",
        "         ⟲ reply not kept: empty reply",
        "round 2  implement",
        "         ⟲ reply not kept: empty reply",
    ]


def test_a_reason_of_several_lines_stays_readable() -> None:
    reason = (
        "no model server answers. Looked for:\n  endpoint 'box' at http://box/v1: refused\n  at 127.0.0.1: Ollama 11434"
    )
    event = kinds.VerdictReached(verdict=Verdict.ERROR, proof=Proof.NONE, reason=reason, next_step="start one")
    assert tell([event]) == [
        "ERROR    no change · 0.0 s",
        "         no model server answers. Looked for:",
        "         endpoint 'box' at http://box/v1: refused",
        "         at 127.0.0.1: Ollama 11434",
        "         next: start one",
    ]


def test_a_branch_that_is_rolled_back_is_gone() -> None:
    landing = Landing(state="landed", how="branch", tree="t", ref="refs/heads/fixed\x1b[2J")
    view = View(state=RunState(landing=landing))
    recorded = Recorded(seq=1, at=START, event=kinds.RolledBack(paths=("a",)), hash="0" * 64)
    assert [line.text for line in describe(recorded, view)] == ["UNDONE   branch fixed is gone"]
