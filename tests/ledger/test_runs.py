"""Finding runs: newest first, by a beginning of their name, and a corrupt one spoils no list."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import StoppedClock, failed_run, passed_run, record

from benchdog.errors import UserError
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import LOG_NAME, RunLog
from benchdog.ledger.runs import find_run, list_runs, stats
from benchdog.system.places import run_place
from benchdog.verdict import FailureClass, Proof, Verdict

CALC, OTHER = Path("/home/ada/calc"), Path("/home/ada/other")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Three runs on three days, the oldest of another repository."""
    for day, (run, root) in enumerate((("abc1", OTHER), ("abd2", CALC), ("xyz3", CALC)), start=1):
        place = run_place(tmp_path, run)
        clock = StoppedClock(datetime(2026, 1, day, tzinfo=UTC))
        if run == "xyz3":
            record(place, run, passed_run(Evidence(place), run, str(root)), clock)
        else:
            record(place, run, failed_run(Evidence(place), run, str(root), FailureClass.SCOPE), clock)
    return tmp_path


def test_the_newest_run_stands_first(state: Path) -> None:
    assert [run.run for run in list_runs(state)] == ["xyz3", "abd2", "abc1"]
    assert [run.run for run in list_runs(state, CALC)] == ["xyz3", "abd2"]
    newest = list_runs(state)[0]
    assert (newest.verdict, newest.proof, newest.model) == (Verdict.PASSED, Proof.WITNESS, "small-coder")
    assert (newest.files, newest.added, newest.removed, newest.rounds, newest.requests) == (1, 1, 1, 1, 1)
    assert (newest.goal, newest.root, newest.problem) == ("ops.add must add", str(CALC), None)


def test_nothing_has_run_yet(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == ()
    with pytest.raises(UserError, match="there is no run in /home/ada/calc yet"):
        find_run(tmp_path, "@", CALC)


@pytest.mark.parametrize(
    ("name", "root", "run"),
    [
        ("@", CALC, "xyz3"),
        (None, CALC, "xyz3"),
        ("@", OTHER, "abc1"),
        ("@", None, "xyz3"),
        ("x", OTHER, "xyz3"),
        ("abd2", CALC, "abd2"),
    ],
)
def test_a_name_means_one_run(state: Path, name: str | None, root: Path | None, run: str) -> None:
    assert find_run(state, name, root) == run


def test_a_whole_name_wins_over_a_beginning(state: Path) -> None:
    place = run_place(state, "xyz")
    record(place, "xyz", failed_run(Evidence(place), "xyz", str(CALC), FailureClass.SCOPE))
    assert find_run(state, "xyz", CALC) == "xyz"


def test_an_ambiguous_or_unknown_name_is_told_with_the_candidates(state: Path) -> None:
    with pytest.raises(UserError, match=r"'ab' could be 2 runs:\n  abd2  g\n  abc1  g"):
        find_run(state, "ab", CALC)
    with pytest.raises(UserError, match=r"no run is called '\.\./\.\./etc'"):
        find_run(state, "../../etc", CALC)


def test_a_corrupt_run_is_shown_as_such(state: Path) -> None:
    (run_place(state, "abd2") / LOG_NAME).write_bytes(b"nonsense\n")
    (run_place(state, "nolog")).mkdir()
    found = {run.run: run.problem for run in list_runs(state, CALC)}
    assert found.keys() == {"abd2", "xyz3"}
    assert found["abd2"] is not None and "log.jsonl:1: the hash is not that of the line" in found["abd2"]
    assert find_run(state, "@", CALC) == "xyz3"
    assert find_run(state, "abd", CALC) == "abd2"


@pytest.mark.parametrize("torn", [b"", b'{"at":"2026'])
def test_a_run_killed_before_anything_was_recorded_is_no_run(state: Path, torn: bytes) -> None:
    for name in ("new1", "xyz31"):
        RunLog.create(run_place(state, name), name, StoppedClock()).close()
        (run_place(state, name) / LOG_NAME).write_bytes(torn)
    assert [run.run for run in list_runs(state)] == ["xyz3", "abd2", "abc1"]
    assert find_run(state, "@", CALC) == "xyz3"
    assert find_run(state, "x", CALC) == "xyz3"
    for name in ("new1", "new"):
        with pytest.raises(UserError, match="no run is called"):
            find_run(state, name, CALC)


def test_finding_reads_first_lines_only(state: Path) -> None:
    """Whatever stands behind the first line, and however much, a name means the same run."""
    for run in ("abc1", "abd2", "xyz3"):
        path = run_place(state, run) / LOG_NAME
        path.write_bytes(path.read_bytes().splitlines(True)[0] + b"nonsense\n")
    assert [find_run(state, name, CALC) for name in ("@", "abd", "x")] == ["xyz3", "abd2", "xyz3"]
    with pytest.raises(UserError, match=r"'ab' could be 2 runs:\n  abd2  g\n  abc1  g"):
        find_run(state, "ab", CALC)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=5))
def test_the_latest_is_the_last_started_whatever_changed_last(
    tmp_path_factory: pytest.TempPathFactory, times: list[tuple[int, int]]
) -> None:
    """Each run starts at an hour, and its folder changes some hours later."""
    state = tmp_path_factory.mktemp("state")
    for number, (hour, later) in enumerate(times):
        run = f"run{number}"
        place, start = run_place(state, run), datetime(2026, 1, 1, hour, tzinfo=UTC)
        record(place, run, failed_run(Evidence(place), run, str(CALC), FailureClass.SCOPE), StoppedClock(start))
        changed = start.timestamp() + 60 + 3600 * later
        os.utime(place, (changed, changed))
    assert find_run(state, "@", CALC) == list_runs(state, CALC)[0].run


def test_failures_are_counted_by_model(state: Path) -> None:
    place = run_place(state, "big4")
    record(place, "big4", failed_run(Evidence(place), "big4", str(CALC), FailureClass.CONTEXT, model="large"))
    small, large = stats(list_runs(state))
    assert (small.model, small.runs) == ("small-coder", 3)
    assert small.verdicts == {Verdict.PASSED: 1, Verdict.REJECTED: 2}
    assert small.classes == {FailureClass.SCOPE: 2}
    assert (large.model, large.runs, large.classes) == ("large", 1, {FailureClass.CONTEXT: 1})
