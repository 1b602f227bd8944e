"""What may land, and where: in the run's own repository, what a person or a check has seen, judged by today's tree."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from calc_world import CONTRACT, DONE, FILES, FIX, FIXED, at_bench, make_calc, reply

from benchdog.contract import Check, Expect
from benchdog.errors import Conflict, UserError
from benchdog.ledger.verify import verify_run
from benchdog.runner import Bench, accept, begin, carry_out, discard, land, resume, take_back
from benchdog.system.places import run_place
from benchdog.testing.policy import ScriptedReply, always
from benchdog.testing.project import make_repository
from benchdog.verdict import Proof, Verdict

COMMENT = reply("edit", path="ops.py", search="def double(a):\n", replace="def double(a):\n    # twice\n").calls
COMMENTED = FILES["ops.py"].replace("def double(a):\n", "def double(a):\n    # twice\n")


def test_another_clone_is_another_repository(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    clone = tmp_path / "clone"
    shutil.copytree(root, clone)
    with at_bench(root, always(FIX)) as bench:
        run = begin(bench, CONTRACT)
        carry_out(bench, run)
        log = run_place(bench.environment.state, run) / "log.jsonl"
        before = log.read_bytes()
    with at_bench(clone, always(FIX)) as bench:
        carry_out(bench, begin(bench, CONTRACT))  # the same contract ran there too
        for action in (land, take_back, resume, discard, carry_out, accept):
            with pytest.raises(UserError, match="belongs to") as caught:
                action(bench, run)
            assert str(root) in caught.value.message and str(root) in (caught.value.hint or "")
    assert ((clone / "ops.py").read_text(), (root / "ops.py").read_text()) == (FILES["ops.py"], FILES["ops.py"])
    assert log.read_bytes() == before
    with at_bench(root, always(FIX)) as bench:
        land(bench, run)
    assert (root / "ops.py").read_text() == FIXED


def test_a_run_is_not_resumed_in_another_repository(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    other = make_repository(tmp_path / "other", {**FILES, "ops.py": FILES["ops.py"] + "# other\n"})
    with at_bench(root, always(FIX)) as bench:
        run = begin(bench, CONTRACT)
    with at_bench(other, always(FIX)) as bench, pytest.raises(UserError, match="belongs to"):
        resume(bench, run)
    with at_bench(root, always(FIX)) as bench:
        state = resume(bench, run)
        assert state.outcome is Verdict.PASSED and state.candidate is not None
        assert bench.repository.view(state.candidate).read("ops.py").decode() == FIXED


def accepted(bench: Bench) -> str:
    """A run that nothing proves, and whose diff a person has read."""
    run = begin(bench, replace(CONTRACT, goal="Say in ops.double what it does.", checks=()))
    assert carry_out(bench, run).outcome is Verdict.HELD
    accept(bench, run)
    return run


def test_what_was_accepted_is_that_diff_and_no_merge_of_it(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, always(ScriptedReply(calls=(*COMMENT, DONE)))) as bench:
        run = accepted(bench)
        (root / "ops.py").write_text("import os\n\n\n" + FILES["ops.py"])
        with pytest.raises(Conflict, match="not the diff that was accepted") as caught:
            land(bench, run)
        assert caught.value.paths == ("ops.py",)
        assert (root / "ops.py").read_text() == "import os\n\n\n" + FILES["ops.py"]
        assert verify_run(run_place(bench.environment.state, run), run).ok


def test_what_was_accepted_lands_beside_unrelated_changes(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, always(ScriptedReply(calls=(*COMMENT, DONE)))) as bench:
        run = accepted(bench)
        (root / "README.md").write_text("# calc\n\nAnother line.\n")
        (root / "new.txt").write_text("new\n")
        state = land(bench, run)
        assert state.landing is not None and state.landing.state == "landed"
        assert state.proof is Proof.ACCEPTED
    assert (root / "ops.py").read_text() == COMMENTED
    assert (root / "README.md").read_text() == "# calc\n\nAnother line.\n"


def module_of(*bodies: str) -> str:
    """A unittest module: a test for each body, called by its number."""
    head = "import unittest, ops\n\n\nclass T(unittest.TestCase):\n"
    return head + "".join(f"    def test_{n}(self):\n        {body}\n" for n, body in enumerate(bodies))


STANDING = ("self.assertEqual(ops.add(2, 3), 5)", "self.assertEqual(ops.double(2), 4)")
NO_WORSE = (
    Check(name="adds", run="sh check.sh", witness=True),
    Check(name="all", run="python3 -m unittest -v", expect=Expect.NO_WORSE),
)


def passed_and_moved_on(bench: Bench, added: str) -> str:
    """A run that passed, in a repository to which a person has added a test since."""
    run = begin(bench, replace(CONTRACT, checks=NO_WORSE))
    assert carry_out(bench, run).outcome is Verdict.PASSED
    (bench.repository.root / "test_ops.py").write_text(module_of(*STANDING, added))
    return run


def test_a_merge_is_judged_against_todays_tree(tmp_path: Path) -> None:
    """The added test is green on today's tree, and only there: the run's base does not know it at all."""
    root = make_repository(tmp_path / "repository", {**FILES, "test_ops.py": module_of(*STANDING)})
    with at_bench(root, always(FIX)) as bench:
        run = passed_and_moved_on(bench, "self.assertEqual(ops.add(5, 3), 2)")
        with pytest.raises(UserError, match="no longer holds"):
            land(bench, run)
        assert (root / "ops.py").read_text() == FILES["ops.py"]
        assert verify_run(run_place(bench.environment.state, run), run).ok


def test_a_test_that_is_red_today_may_stay_red(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository", {**FILES, "test_ops.py": module_of(*STANDING)})
    with at_bench(root, always(FIX)) as bench:
        land(bench, passed_and_moved_on(bench, "self.assertEqual(ops.double(2), 5)"))
    assert (root / "ops.py").read_text() == FIXED
