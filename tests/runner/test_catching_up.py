"""A process killed between the end of a landing and its record in the log: the journal knows, the log catches up."""

from __future__ import annotations

from pathlib import Path

import pytest
from calc_world import CONTRACT, FILES, FIX, FIXED, at_bench, make_calc

from benchdog.ledger.verify import verify_run
from benchdog.runner import Bench, begin, carry_out, land, take_back
from benchdog.system.places import run_place
from benchdog.testing.policy import always


class Killed(BaseException):
    """Stands for SIGKILL: nothing between it and the test handles it."""


def dies_at_the_end(bench: Bench) -> None:
    def point(name: str) -> None:
        if name == "end":
            raise Killed

    bench.repository.point = point


def test_a_landing_that_was_complete(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, always(FIX)) as bench:
        run = begin(bench, CONTRACT)
        carry_out(bench, run)
        dies_at_the_end(bench)
        with pytest.raises(Killed):
            land(bench, run)
    assert (root / "ops.py").read_text() == FIXED
    with at_bench(root, always(FIX)) as bench:
        state = take_back(bench, run)
        assert state.landing is not None and state.landing.state == "rolled-back"
        assert verify_run(run_place(bench.environment.state, run), run).ok
    assert (root / "ops.py").read_text() == FILES["ops.py"]


def test_a_roll_back_that_was_complete(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, always(FIX)) as bench:
        run = begin(bench, CONTRACT)
        carry_out(bench, run)
        land(bench, run)
        dies_at_the_end(bench)
        with pytest.raises(Killed):
            take_back(bench, run)
    assert (root / "ops.py").read_text() == FILES["ops.py"]
    with at_bench(root, always(FIX)) as bench:
        land(bench, run)
        assert verify_run(run_place(bench.environment.state, run), run).ok
    assert (root / "ops.py").read_text() == FIXED
