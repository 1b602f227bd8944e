"""What a person wants more, or answered, holds for as long as it takes; and they may say it at any time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from calc_world import CONTRACT, DONE, FILES, FIX, FIXED, at_bench, bench_at, make_calc, reply
from instants import events_of, interrupt_at

from benchdog.contract import Limits
from benchdog.events import RequestSent, RoundStarted
from benchdog.ledger.report import read_report
from benchdog.ledger.verify import verify_run
from benchdog.runner import answer, begin, carry_out, land, refine, take_back
from benchdog.system.places import run_place
from benchdog.testing.policy import Asked, ScriptedReply, always, play
from benchdog.testing.server import ScriptedServer
from benchdog.verdict import Verdict

WISH = "give double a comment"


def edit(search: str, instead: str) -> ScriptedReply:
    calls = reply("edit", path="ops.py", search=search, replace=instead).calls
    return ScriptedReply(calls=(*calls, DONE))


COMMENT = edit("def double(a):\n", "def double(a):\n    # twice\n")
COMMENTED = FIXED.replace("def double(a):\n", "def double(a):\n    # twice\n")
BREAK = edit("a + b", "b + a")
MEND = edit("b + a", "a + b")


def test_a_wish_lasts_over_bad_rounds_until_it_is_answered(tmp_path: Path) -> None:
    """One round breaks the work, the next only takes that back: neither is what was wished for."""
    contract = replace(CONTRACT, limits=Limits(rounds=3, turns=6))
    with at_bench(make_calc(tmp_path), play([FIX, BREAK, MEND, COMMENT])) as bench:
        run = begin(bench, contract)
        first = carry_out(bench, run)
        assert first.outcome is Verdict.PASSED
        refine(bench, run, WISH)
        state = carry_out(bench, run)
        assert (state.outcome, state.round, state.wish) == (Verdict.PASSED, 4, None)
        assert state.candidate is not None and state.candidate != first.candidate
        assert bench.repository.view(state.candidate).read("ops.py").decode() == COMMENTED
        wished = [
            [f.message for f in started.findings if f.gate == "refine"]
            for started in events_of(bench, run, RoundStarted)
        ]
        assert wished == [[], [WISH], [WISH], [WISH]]


def test_a_wish_that_only_led_back_is_not_answered(tmp_path: Path) -> None:
    with at_bench(make_calc(tmp_path), play([FIX, BREAK, MEND])) as bench:
        run = begin(bench, CONTRACT)
        assert carry_out(bench, run).outcome is Verdict.PASSED
        refine(bench, run, WISH)
        state = carry_out(bench, run)
        assert (state.outcome, state.round) == (Verdict.REJECTED, 3)
        assert state.verdict is not None and WISH in state.verdict.reason
        refine(bench, run, "something else")
        assert [f.message for f in carry_out(bench, run).round_findings if f.gate == "refine"] == ["something else"]


def test_an_answer_stays_a_hint_in_later_rounds(tmp_path: Path) -> None:
    seen: list[str] = []

    def policy(asked: Asked) -> ScriptedReply:
        seen.append(asked.text)
        script = {1: reply("read", path="ops.py"), 2: reply("ask", question="Which operator should add use?")}
        return script.get(len(seen), ScriptedReply(calls=(DONE,)))

    with at_bench(make_calc(tmp_path), policy) as bench:
        run = begin(bench, CONTRACT)
        assert carry_out(bench, run).outcome is Verdict.NEEDS_INPUT
        answer(bench, run, "ZEBRA plus")
        state = carry_out(bench, run)
        assert (state.outcome, state.round) == (Verdict.REJECTED, 3)
        assert [started.hint for started in events_of(bench, run, RoundStarted)] == ["", "ZEBRA plus", "ZEBRA plus"]
    assert ["ZEBRA" in text for text in seen[:3]] == [False, False, True]
    assert "ZEBRA" in seen[-1]


def test_refine_when_the_time_was_used_up(tmp_path: Path) -> None:
    """The limit counts model time since a person last spoke, so each wish has a limit's worth of its own."""
    contract = replace(CONTRACT, limits=Limits(rounds=1, turns=6, wall=0.000001))
    with at_bench(make_calc(tmp_path), play([reply("read", path="README.md"), FIX])) as bench:
        run = begin(bench, contract)
        state = carry_out(bench, run)
        assert (state.outcome, state.tally.requests) == (Verdict.STALLED, 1)
        refine(bench, run, "try again")
        state = carry_out(bench, run)
        assert (state.outcome, state.tally.requests) == (Verdict.PASSED, 2)


def test_refine_after_apply_lands_again(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, play([FIX, COMMENT])) as bench:
        run = begin(bench, CONTRACT)
        carry_out(bench, run)
        land(bench, run)
        assert (root / "ops.py").read_text() == FIXED
        refine(bench, run, WISH)
        assert carry_out(bench, run).outcome is Verdict.PASSED
        state = land(bench, run)
        assert state.landing is not None and state.landing.state == "landed"
        assert (root / "ops.py").read_text() == COMMENTED
        take_back(bench, run)
        assert (root / "ops.py").read_text() == FIXED
        assert verify_run(run_place(bench.environment.state, run), run).ok


def test_refine_after_apply_and_rollback_lands_the_whole(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, play([FIX, COMMENT])) as bench:
        run = begin(bench, CONTRACT)
        carry_out(bench, run)
        land(bench, run)
        take_back(bench, run)
        assert (root / "ops.py").read_text() == FILES["ops.py"]
        refine(bench, run, WISH)
        assert carry_out(bench, run).outcome is Verdict.PASSED
        land(bench, run)
    assert (root / "ops.py").read_text() == COMMENTED


def test_refine_of_an_interrupted_round_begins_a_new_one(tmp_path: Path) -> None:
    """The old round would go on without knowing what is wished."""
    root = make_calc(tmp_path)
    seen: list[str] = []

    def policy(asked: Asked) -> ScriptedReply:
        seen.append(asked.text)
        return FIX

    with ScriptedServer(policy) as server:
        with bench_at(root, server.url) as bench:
            interrupt_at(bench, RequestSent)
            run = begin(bench, CONTRACT)
            assert carry_out(bench, run).outcome is Verdict.CANCELLED
        seen.clear()
        with bench_at(root, server.url) as bench:
            refine(bench, run, WISH)
            state = carry_out(bench, run)
            assert (state.outcome, state.round) == (Verdict.PASSED, 2)
    assert [WISH in text for text in seen] == [True]


def test_refine_on_another_server_shows_its_host(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with ScriptedServer(always(FIX)) as first, ScriptedServer(always(COMMENT)) as second:
        with bench_at(root, first.url) as bench:
            run = begin(bench, CONTRACT)
            carry_out(bench, run)
            place = run_place(bench.environment.state, run)
            before = read_report(place)
        with bench_at(root, second.url) as bench:
            refine(bench, run, WISH)
            assert carry_out(bench, run).outcome is Verdict.PASSED
        report = read_report(place)
        assert before.endpoint is not None and report.endpoint is not None
        assert before.endpoint.url.startswith(first.url.rstrip("/"))
        assert report.endpoint.url.startswith(second.url.rstrip("/"))
        assert len(before.hosts) == 1 and len(report.hosts) == 2
        assert set(before.hosts) < set(report.hosts)
