"""Results of checks had in another environment are never compared: another sandbox, other data lent, other variables.

Each worthless change here would pass as proven if a red of one environment were held against a green of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from calc_world import CONTRACT, DONE, FILES, FIX, at_bench, bench_at, make_calc
from instants import events_of, interrupt_at

from benchdog.contract import Check, Contract, Limits
from benchdog.events import CheckFinished, RequestSent, RunState, SandboxReady, Stage
from benchdog.ledger.report import read_report
from benchdog.ledger.verify import verify_run
from benchdog.runner import Bench, begin, carry_out, land, open_bench, refine, resume
from benchdog.system.environment import read_environment
from benchdog.system.places import run_place
from benchdog.testing.policy import ScriptedCall, ScriptedReply, always, play
from benchdog.testing.project import make_repository
from benchdog.testing.server import ScriptedServer
from benchdog.verdict import Proof, Verdict

COMMENT = ScriptedCall(
    name="edit",
    arguments={"path": "ops.py", "search": "def double(a):\n", "replace": "def double(a):\n    # twice\n"},
)
OTHER_COMMENT = ScriptedCall(name="edit", arguments={"path": "ops.py", "search": "# twice", "replace": "# two times"})
WORTHLESS = ScriptedReply(calls=(COMMENT, DONE))


def only(run: str) -> Contract:
    """A contract whose one check has nothing to do with the change."""
    return replace(CONTRACT, limits=Limits(rounds=1), checks=(Check(name="data", run=run),))


@contextmanager
def unsafe_bench(root: Path, url: str, model: str = "scripted") -> Iterator[Bench]:
    environment = read_environment(cwd=root)
    with open_bench(environment, endpoint_url=url, model=model, unsafe=True) as bench:
        yield bench


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that only a check without a sandbox sees."""
    path = tmp_path / "outside.txt"
    path.write_text("x")
    return path


def with_data(folder: Path, text: str) -> tuple[Path, Path]:
    """A repository, and a file in it that git ignores and checks are lent."""
    root = make_repository(folder / "repository", {**FILES, ".gitignore": "data/\n"})
    lent = root / "data/sub/db.txt"
    lent.parent.mkdir(parents=True)
    lent.write_text(text)
    return root, lent


def worth(state: RunState) -> tuple[Verdict | None, Proof]:
    return state.outcome, state.proof


def test_resumed_without_a_sandbox(tmp_path: Path, outside: Path) -> None:
    root = make_calc(tmp_path)
    with ScriptedServer(always(WORTHLESS)) as server:
        with bench_at(root, server.url) as bench:
            interrupt_at(bench, RequestSent)
            run = begin(bench, only(f"test -e {outside}"))
            state = carry_out(bench, run)
            assert state.outcome is Verdict.CANCELLED
            assert [result.status for result in state.baseline] == ["red"]
        with unsafe_bench(root, server.url) as bench:
            state = resume(bench, run)
            report = read_report(run_place(bench.environment.state, run))
    assert worth(state) == (Verdict.HELD, Proof.NONE)
    assert [result.status for result in state.baseline] == ["green"]
    assert report.unsafe


def test_resumed_in_the_same_environment_keeps_its_baseline(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with ScriptedServer(always(FIX)) as server:
        with bench_at(root, server.url) as bench:
            interrupt_at(bench, RequestSent)
            run = begin(bench, CONTRACT)
            assert carry_out(bench, run).outcome is Verdict.CANCELLED
        with bench_at(root, server.url) as bench:
            assert worth(resume(bench, run)) == (Verdict.PASSED, Proof.WITNESS)
            assert len({ready.environment for ready in events_of(bench, run, SandboxReady)}) == 1
            stages = [event.stage for event in events_of(bench, run, CheckFinished)]
            assert stages[:2] == [Stage.BASE, Stage.REPLY]


def test_refined_without_a_sandbox_and_with_another_model(tmp_path: Path, outside: Path) -> None:
    root = make_calc(tmp_path)
    script = play([WORTHLESS, ScriptedReply(calls=(OTHER_COMMENT, DONE))])
    with ScriptedServer(script) as server:
        with bench_at(root, server.url) as bench:
            run = begin(bench, only(f"test -e {outside}"))
            assert carry_out(bench, run).outcome is Verdict.REJECTED
            place = run_place(bench.environment.state, run)
            report = read_report(place)
            assert report.endpoint is not None
            assert (report.unsafe, report.endpoint.model) == (False, "scripted")
        with unsafe_bench(root, server.url, "another") as bench:
            refine(bench, run, "say it in other words")
            state = carry_out(bench, run)
            report = read_report(place)
            backend = bench.sandbox.name
    assert worth(state) == (Verdict.HELD, Proof.NONE)
    assert report.endpoint is not None and report.sandbox is not None
    assert (report.unsafe, report.sandbox.backend, report.endpoint.model) == (True, backend, "another")


def test_landed_without_a_sandbox(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with ScriptedServer(always(FIX)) as server:
        with bench_at(root, server.url) as bench:
            run = begin(bench, CONTRACT)
            before = carry_out(bench, run)
        (root / "new.txt").write_text("so that the merge is checked again\n")
        with unsafe_bench(root, server.url) as bench:
            state = land(bench, run)
            place = run_place(bench.environment.state, run)
    assert read_report(place).unsafe
    assert verify_run(place, run).ok
    assert (state.checks, state.baseline, state.verdict) == (before.checks, before.baseline, before.verdict)


def test_a_lent_file_that_was_edited_in_place(tmp_path: Path) -> None:
    root, lent = with_data(tmp_path, "bad\n")
    contract = only("grep -q good data/sub/db.txt")
    with at_bench(root, always(WORTHLESS)) as bench:
        assert carry_out(bench, begin(bench, contract)).outcome is Verdict.REJECTED
        lent.write_text("good\n")
    with at_bench(root, always(WORTHLESS)) as bench:
        assert worth(carry_out(bench, begin(bench, contract))) == (Verdict.HELD, Proof.NONE)


def test_a_lent_file_that_was_edited_before_the_run_was_resumed(tmp_path: Path) -> None:
    root, lent = with_data(tmp_path, "bad\n")
    with ScriptedServer(always(WORTHLESS)) as server:
        with bench_at(root, server.url) as bench:
            interrupt_at(bench, RequestSent)
            run = begin(bench, only("grep -q good data/sub/db.txt"))
            assert carry_out(bench, run).outcome is Verdict.CANCELLED
        lent.write_text("good\n")
        with bench_at(root, server.url) as bench:
            assert worth(resume(bench, run)) == (Verdict.HELD, Proof.NONE)


def test_a_variable_that_is_passed_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_calc(tmp_path)
    settings = read_environment().config
    settings.parent.mkdir(parents=True)
    settings.write_text('[sandbox]\nenvironment = ["MODE"]\n')
    contract = only('test "$MODE" = good')
    monkeypatch.setenv("MODE", "bad")
    with at_bench(root, always(WORTHLESS)) as bench:
        assert carry_out(bench, begin(bench, contract)).outcome is Verdict.REJECTED
    monkeypatch.setenv("MODE", "good")
    with at_bench(root, always(WORTHLESS)) as bench:
        assert worth(carry_out(bench, begin(bench, contract))) == (Verdict.HELD, Proof.NONE)


def test_an_exposed_file_that_was_edited(tmp_path: Path, outside: Path) -> None:
    root = make_calc(tmp_path)
    outside.write_text("bad\n")
    settings = read_environment().config
    settings.parent.mkdir(parents=True)
    settings.write_text(f'[sandbox]\nexpose = ["{outside}"]\n')
    contract = only(f"grep -q good {outside}")
    with at_bench(root, always(WORTHLESS)) as bench:
        assert carry_out(bench, begin(bench, contract)).outcome is Verdict.REJECTED
    outside.write_text("good\n")
    with at_bench(root, always(WORTHLESS)) as bench:
        assert worth(carry_out(bench, begin(bench, contract))) == (Verdict.HELD, Proof.NONE)


def test_a_dependency_that_was_edited_in_place(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository", {**FILES, ".gitignore": "node_modules/\n"})
    inside = root / "node_modules/tool/lib/index.js"
    inside.parent.mkdir(parents=True)
    inside.write_text("bad\n")
    contract = only("grep -q good node_modules/tool/lib/index.js")
    with at_bench(root, always(WORTHLESS)) as bench:
        assert carry_out(bench, begin(bench, contract)).outcome is Verdict.REJECTED
        inside.write_text("good\n")
        assert worth(carry_out(bench, begin(bench, contract))) == (Verdict.HELD, Proof.NONE)


def test_anything_that_was_edited_before_a_run_without_a_sandbox_was_resumed(tmp_path: Path, outside: Path) -> None:
    root = make_calc(tmp_path)
    outside.write_text("bad\n")
    with ScriptedServer(always(WORTHLESS)) as server:
        with unsafe_bench(root, server.url) as bench:
            interrupt_at(bench, RequestSent)
            run = begin(bench, only(f"grep -q good {outside}"))
            assert carry_out(bench, run).outcome is Verdict.CANCELLED
        outside.write_text("good\n")
        with unsafe_bench(root, server.url) as bench:
            assert worth(resume(bench, run)) == (Verdict.HELD, Proof.NONE)


def test_an_environment_that_was_mended(tmp_path: Path) -> None:
    """Two red checks, one for want of data: no model is asked until a person has mended that."""
    root, lent = with_data(tmp_path, "bad\n")
    checks = (
        Check(name="adds", run="sh check.sh", witness=True),
        Check(name="data", run="grep -q good data/sub/db.txt"),
    )
    contract = replace(CONTRACT, checks=checks)
    with at_bench(root, always(FIX)) as bench:
        run = begin(bench, contract)
        state = carry_out(bench, run)
        assert (state.outcome, state.tally.requests) == (Verdict.ERROR, 0)
        assert resume(bench, run).outcome is Verdict.ERROR
    lent.write_text("good\n")
    with at_bench(root, always(FIX)) as bench:
        assert worth(resume(bench, run)) == (Verdict.PASSED, Proof.WITNESS)
        assert worth(carry_out(bench, begin(bench, contract))) == (Verdict.PASSED, Proof.WITNESS)


def test_a_red_that_is_only_remembered_is_looked_at_again(tmp_path: Path, outside: Path) -> None:
    """What was mended lies where nothing tells that it changed: outside, seen by checks without a sandbox."""
    root = make_calc(tmp_path)
    outside.write_text("bad\n")
    checks = (Check(name="adds", run="sh check.sh", witness=True), Check(name="data", run=f"grep -q good {outside}"))
    contract = replace(CONTRACT, checks=checks)
    with ScriptedServer(always(FIX)) as server:
        with unsafe_bench(root, server.url) as bench:
            run = begin(bench, contract)
            assert carry_out(bench, run).outcome is Verdict.ERROR
        outside.write_text("good\n")
        with unsafe_bench(root, server.url) as bench:
            assert worth(carry_out(bench, begin(bench, contract))) == (Verdict.PASSED, Proof.WITNESS)
            assert worth(resume(bench, run)) == (Verdict.PASSED, Proof.WITNESS)
