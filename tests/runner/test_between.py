"""Between two steps: what is killed, dies or fails there leaves a run that can be told, verified and gone on with."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from calc_world import CONTRACT, FIX, FIXED, at_bench, bench_at, make_calc, reply
from instants import Killed, events_of, interrupt_at, kill_at

from benchdog.contract import Check, Limits
from benchdog.errors import StoreError, UserError
from benchdog.events import Asked, CheckFinished, Discarded, ReplyReceived, RequestSent, RunState, Sealed
from benchdog.ledger.account import Report
from benchdog.ledger.report import read_report
from benchdog.ledger.verify import verify_run
from benchdog.runner import Bench, Nobody, begin, carry_out, discard, land, resume
from benchdog.system.places import run_place
from benchdog.testing.policy import Asked as Question
from benchdog.testing.policy import ScriptedReply, always, play
from benchdog.testing.server import ScriptedServer
from benchdog.verdict import FailureClass, Verdict

NO_SPACE = OSError(28, "No space left on device")


def place(bench: Bench, run: str) -> Path:
    return run_place(bench.environment.state, run)


def holds(bench: Bench, run: str) -> None:
    """The log is whole and sealed, and the report says what it says."""
    verified = verify_run(place(bench, run), run)
    assert (verified.ok, verified.finished) == (True, True), verified.first_problem


def test_killed_between_the_seal_and_the_report(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with ScriptedServer(always(FIX)) as server:
        with bench_at(root, server.url) as bench:
            kill_at(bench, Sealed)
            run = begin(bench, CONTRACT)
            with pytest.raises(Killed):
                carry_out(bench, run)
            assert not (place(bench, run) / "report.json").exists()
        with bench_at(root, server.url) as bench:
            with pytest.raises(UserError, match="ended as passed"):
                resume(bench, run)
            holds(bench, run)
            assert read_report(place(bench, run)).verdict is Verdict.PASSED


def asked_then_killed(root: Path) -> tuple[RunState, Report]:
    """A run whose process dies as the worker asks; the round is carried out again, and then nothing is asked."""
    with ScriptedServer(play([reply("ask_scope", path="check.sh", reason="it is there"), FIX])) as server:
        with bench_at(root, server.url) as bench:
            kill_at(bench, Asked)
            run = begin(bench, CONTRACT)
            with pytest.raises(Killed):
                carry_out(bench, run)
        with bench_at(root, server.url) as bench:
            state = resume(bench, run)
            holds(bench, run)
            return state, read_report(place(bench, run))


def test_killed_when_the_worker_had_just_asked(tmp_path: Path) -> None:
    """The end of the round decides, not the question of its first half."""
    state, report = asked_then_killed(make_calc(tmp_path))
    assert (state.outcome, state.round, state.round_outcome) == (Verdict.PASSED, 1, "passed")
    assert report.verdict is Verdict.PASSED


def test_a_question_of_a_killed_half_of_a_round_is_void(tmp_path: Path) -> None:
    state, report = asked_then_killed(make_calc(tmp_path))
    assert (state.asked, report.question) == (None, None)


def test_a_resumed_round_has_the_turns_that_were_left(tmp_path: Path) -> None:
    """Of six turns only two were kept: replies that call nothing are asked for again, and are no turns."""
    root = make_calc(tmp_path)
    words = ScriptedReply(text="I think that I should look at it first.")
    looks = [reply("read", path="ops.py"), reply("read", path="check.sh")]
    with ScriptedServer(play([*[words] * 4, *looks, FIX])) as server:
        contract = replace(CONTRACT, limits=Limits(rounds=1, turns=6))
        with bench_at(root, server.url) as bench:
            kill_at(bench, ReplyReceived, nth=6)
            run = begin(bench, contract)
            with pytest.raises(Killed):
                carry_out(bench, run)
        with bench_at(root, server.url) as bench:
            state = resume(bench, run)
            assert (state.outcome, state.round) == (Verdict.PASSED, 1)
            assert state.tally.requests == 7


class Full(Nobody):
    """Who shows output on a device that is full. Called in the thread that runs the check."""

    def output(self, name: str, data: bytes) -> None:
        raise NO_SPACE


def test_a_baseline_that_dies_ends_the_run_instead_of_hanging_it(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    contract = replace(CONTRACT, checks=(Check(name="adds", run="echo look; sh check.sh"),))
    with ScriptedServer(always(FIX)) as server:
        with bench_at(root, server.url, Full()) as bench:
            run = begin(bench, contract)
            with pytest.raises(StoreError, match="No space left on device"):
                carry_out(bench, run)
        with bench_at(root, server.url) as bench:
            assert resume(bench, run).outcome is Verdict.PASSED
            holds(bench, run)


def test_a_server_that_fails_is_told_while_long_checks_run(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    contract = replace(CONTRACT, checks=(Check(name="first", run="sleep 60"), Check(name="second", run="sleep 60")))
    with bench_at(root, "http://127.0.0.1:9/v1") as bench:
        began = time.monotonic()
        run = begin(bench, contract)
        state = carry_out(bench, run)
        assert time.monotonic() - began < 20
        assert (state.outcome, state.failure_class) == (Verdict.ERROR, FailureClass.INFRASTRUCTURE)
        assert events_of(bench, run, CheckFinished) == []
        holds(bench, run)


def test_a_merge_that_failed_leaves_a_log_that_is_sealed(tmp_path: Path) -> None:
    with at_bench(root := make_calc(tmp_path), always(FIX)) as bench:
        run = begin(bench, CONTRACT)
        before = carry_out(bench, run)
        (root / "check.sh").write_text("grep -q 'never there' ops.py\n")
        with pytest.raises(UserError, match="no longer holds"):
            land(bench, run)
        holds(bench, run)
        report = read_report(place(bench, run))
        assert (report.verdict, report.landing, report.reason) == (
            Verdict.PASSED,
            None,
            before.verdict.reason if before.verdict else "",
        )


def test_discarded_then_resumed(tmp_path: Path) -> None:
    """Who resumes a run wants it after all."""
    root = make_calc(tmp_path)
    with ScriptedServer(always(FIX)) as server:
        with bench_at(root, server.url) as bench:
            interrupt_at(bench, RequestSent)
            run = begin(bench, CONTRACT)
            assert carry_out(bench, run).outcome is Verdict.CANCELLED
            assert discard(bench, run).discarded
        with bench_at(root, server.url) as bench:
            state = resume(bench, run)
            assert (state.outcome, state.discarded) == (Verdict.PASSED, False)
            assert len(events_of(bench, run, Discarded)) == 1
            land(bench, run)
            holds(bench, run)
    assert (root / "ops.py").read_text() == FIXED


def test_what_is_asked_again_is_the_same_question(tmp_path: Path) -> None:
    """A process killed after a request but before its reply: the same request is sent again, nothing is lost."""
    root = make_calc(tmp_path)
    seen: list[str] = []

    def policy(asked: Question) -> ScriptedReply:
        seen.append(asked.digest)
        return FIX

    with ScriptedServer(policy) as server:
        with bench_at(root, server.url) as bench:
            kill_at(bench, ReplyReceived)
            run = begin(bench, CONTRACT)
            with pytest.raises(Killed):
                carry_out(bench, run)
        with bench_at(root, server.url) as bench:
            assert resume(bench, run).outcome is Verdict.PASSED
    assert len(seen) == 2 and len(set(seen)) == 1
