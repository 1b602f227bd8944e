"""What a person does with a run: answer, refine, accept, land, take back, discard, interrupt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from calc_world import CONTRACT, DONE, FIX, FIXED, at_bench, make_calc, reply

from benchdog.contract import Scope
from benchdog.errors import Conflict, UserError
from benchdog.events import RequestSent
from benchdog.ledger.log import Recorded
from benchdog.runner import (
    Bench,
    Nobody,
    accept,
    answer,
    begin,
    carry_out,
    discard,
    land,
    refine,
    resume,
    take_back,
)
from benchdog.testing.policy import Asked, ScriptedReply, always, play
from benchdog.testing.project import git
from benchdog.verdict import Proof, Verdict


def passed(bench: Bench) -> str:
    run = begin(bench, CONTRACT)
    assert carry_out(bench, run).outcome is Verdict.PASSED
    return run


def test_an_answer_that_widens_the_scope_carries_the_run_on(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    script = play([reply("ask_scope", path="ops.py", reason="add is there"), FIX])
    with at_bench(root, script) as bench:
        run = begin(bench, replace(CONTRACT, scope=Scope(allow=("notes.txt",))))
        assert carry_out(bench, run).outcome is Verdict.NEEDS_INPUT
        with pytest.raises(UserError, match="waits for an answer"):
            resume(bench, run)
        answer(bench, run, "", ("ops.py",))
        state = carry_out(bench, run)
        assert (state.outcome, state.round) == (Verdict.PASSED, 2)
        with pytest.raises(UserError, match="asks nothing"):
            answer(bench, run, "more", ())


def test_refine_goes_on_from_the_candidate(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    wish = reply("edit", path="ops.py", search="def add(a, b):\n", replace='def add(a, b):\n    """a plus b."""\n')
    with at_bench(root, play([FIX, ScriptedReply(calls=(*wish.calls, DONE))])) as bench:
        run = passed(bench)
        first = carry_out(bench, run).candidate
        refine(bench, run, "give add a docstring")
        state = carry_out(bench, run)
        assert (state.outcome, state.round, state.proof) == (Verdict.PASSED, 2, Proof.WITNESS)
        assert state.candidate is not None and state.candidate != first
        assert bench.repository.view(state.candidate).read("ops.py").decode() == FIXED.replace(
            "def add(a, b):\n", 'def add(a, b):\n    """a plus b."""\n'
        )


def test_a_wish_is_not_answered_by_doing_nothing(tmp_path: Path) -> None:
    with at_bench(make_calc(tmp_path), play([FIX, ScriptedReply(calls=(DONE,))])) as bench:
        run = passed(bench)
        refine(bench, run, "give add a docstring")
        assert carry_out(bench, run).outcome is Verdict.REJECTED


def test_held_lands_only_when_a_person_has_accepted_it(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    comment = reply("edit", path="ops.py", search="def double(a):\n", replace="def double(a):\n    # twice\n")
    with at_bench(root, always(ScriptedReply(calls=(*comment.calls, DONE)))) as bench:
        run = begin(bench, replace(CONTRACT, goal="Say in ops.double what it does.", checks=()))
        assert carry_out(bench, run).outcome is Verdict.HELD
        with pytest.raises(UserError, match="a person must read"):
            land(bench, run)
        accept(bench, run)
        state = land(bench, run)
        assert state.proof is Proof.ACCEPTED
        assert "# twice" in (root / "ops.py").read_text()


def test_apply_and_rollback_leave_head_index_and_other_files_alone(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    (root / "README.md").write_text("# calc\n\nEdited, not committed.\n")
    (root / "staged.txt").write_text("staged\n")
    git(root, "add", "staged.txt")
    before = (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD"))
    index = (root / ".git/index").read_bytes()
    with at_bench(root, always(FIX)) as bench:
        run = passed(bench)
        land(bench, run)
        assert (root / "ops.py").read_text() == FIXED
        assert (root / "README.md").read_text() == "# calc\n\nEdited, not committed.\n"
        with pytest.raises(UserError, match="has been applied already"):
            land(bench, run)
        take_back(bench, run)
        with pytest.raises(UserError, match="has not been applied"):
            take_back(bench, run)
    assert (root / ".git/index").read_bytes() == index
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before


def test_a_repository_that_moved_on_is_merged_and_verified_again(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, always(FIX)) as bench:
        run = passed(bench)
        (root / "ops.py").write_text((root / "ops.py").read_text() + "\n\ndef half(a):\n    return a / 2\n")
        (root / "new.txt").write_text("new\n")
        land(bench, run)
        assert (root / "ops.py").read_text() == FIXED + "\n\ndef half(a):\n    return a / 2\n"
        take_back(bench, run)
        assert "a - b" in (root / "ops.py").read_text() and "half" in (root / "ops.py").read_text()


def test_a_merge_that_no_longer_holds_does_not_land(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, always(FIX)) as bench:
        run = passed(bench)
        (root / "check.sh").write_text("grep -q 'never there' ops.py\n")
        before = (root / "ops.py").read_bytes()
        with pytest.raises(UserError, match="no longer holds"):
            land(bench, run)
        assert (root / "ops.py").read_bytes() == before


def test_what_changed_in_the_same_place_is_never_overwritten(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    with at_bench(root, always(FIX)) as bench:
        run = passed(bench)
        (root / "ops.py").write_text("def add(a, b):\n    return sum((a, b))\n")
        with pytest.raises(Conflict) as caught:
            land(bench, run)
        assert caught.value.paths == ("ops.py",)
        assert (root / "ops.py").read_text() == "def add(a, b):\n    return sum((a, b))\n"


def test_commit_and_branch(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    head = git(root, "rev-parse", "HEAD").strip()
    with at_bench(root, always(FIX)) as bench:
        run = passed(bench)
        state = land(bench, run, how="branch", name="fix/add")
        assert state.landing is not None
        assert git(root, "show", "fix/add:ops.py") == FIXED
        assert git(root, "rev-parse", "HEAD", "fix/add~1").split() == [head, head]
        assert f"Benchdog-Run: {run}" in git(root, "log", "-1", "--format=%B", "fix/add")
        assert git(root, "status", "--porcelain") == ""
        run = passed(bench)
        land(bench, run, how="commit")
        assert (root / "ops.py").read_text() == FIXED
        assert git(root, "status", "--porcelain") == ""
        take_back(bench, run)
        assert git(root, "rev-parse", "HEAD").strip() == head
        assert git(root, "status", "--porcelain") == ""


def test_a_folder_without_git(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    (root / "ops.py").write_text("def add(a, b):\n    return a - b\n")
    (root / "check.sh").write_text("grep -q 'a + b' ops.py\n")
    with at_bench(root, always(FIX)) as bench:
        run = passed(bench)
        with pytest.raises(UserError, match="no git repository"):
            land(bench, run, how="commit")
        land(bench, run)
        assert (root / "ops.py").read_text() == "def add(a, b):\n    return a + b\n"
        take_back(bench, run)
    assert (root / "ops.py").read_text() == "def add(a, b):\n    return a - b\n"


def test_a_discarded_candidate_does_not_land(tmp_path: Path) -> None:
    with at_bench(make_calc(tmp_path), always(FIX)) as bench:
        run = passed(bench)
        discard(bench, run)
        with pytest.raises(UserError, match="was discarded"):
            land(bench, run)


def test_a_rejected_run_does_not_land(tmp_path: Path) -> None:
    with at_bench(make_calc(tmp_path), always(ScriptedReply(calls=(DONE,)))) as bench:
        run = begin(bench, CONTRACT)
        assert carry_out(bench, run).outcome is Verdict.REJECTED
        with pytest.raises(UserError, match="only a verified tree lands"):
            land(bench, run)


class Interrupter(Nobody):
    """Cancels the bench when the first request is about to be sent."""

    bench: Bench

    def event(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, RequestSent):
            self.bench.cancel.set()


def test_an_interrupted_run_is_cancelled_and_resumes(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    watcher = Interrupter()
    with at_bench(root, always(FIX), watcher) as bench:
        watcher.bench = bench
        run = begin(bench, CONTRACT)
        assert carry_out(bench, run).outcome is Verdict.CANCELLED
    with at_bench(root, always(FIX)) as bench:
        assert resume(bench, run).outcome is Verdict.PASSED
        with pytest.raises(UserError, match="ended as passed"):
            resume(bench, run)


def test_a_run_is_carried_out_by_one_process_at_a_time(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    seen: list[str] = []

    def intruder(asked: Asked) -> ScriptedReply:
        with pytest.raises(UserError, match="another process"):
            carry_out(bench, run)
        seen.append("refused")
        return FIX

    with at_bench(root, intruder) as bench:
        run = begin(bench, CONTRACT)
        assert carry_out(bench, run).outcome is Verdict.PASSED
    assert seen == ["refused"]


def test_a_path_that_git_filters_changes_only_when_named(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    (root / ".gitattributes").write_text("*.py ident\n")
    with at_bench(root, always(FIX)) as bench:
        run = begin(bench, replace(CONTRACT, scope=Scope(allow=("*.py",))))
        state = carry_out(bench, run)
        assert state.outcome is not Verdict.PASSED
        assert "filters" in {finding.gate for finding in state.findings}
        passed(bench)
