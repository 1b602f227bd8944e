"""A read-only question: the model looks, its answer is a claim, and what it cites is checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from calc_world import at_bench, make_calc, reply

from benchdog.errors import UserError
from benchdog.runner import Answer, ask_question
from benchdog.testing.policy import Asked, ScriptedReply, always, play
from benchdog.testing.project import git
from benchdog.worker.question import Citation


def test_an_answer_and_what_it_cites(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    said = "add subtracts at ops.py:2, as nowhere.py:1 and ops.py:99 say; see ../ops.py:1."
    with at_bench(root, play([reply("read", path="ops.py"), ScriptedReply(text=said)])) as bench:
        answer = ask_question(bench, " where is the bug? ")
    assert answer == Answer(
        text=said,
        citations=(
            Citation(path="ops.py", line=2, holds=True),
            Citation(path="nowhere.py", line=1, holds=False),
            Citation(path="ops.py", line=99, holds=False),
            Citation(path="../ops.py", line=1, holds=False),
        ),
        model="scripted",
    )
    assert git(root, "status", "--porcelain") == ""


def test_nothing_can_be_changed_by_asking(tmp_path: Path) -> None:
    root = make_calc(tmp_path)
    seen: list[tuple[str, ...]] = []

    def policy(asked: Asked) -> ScriptedReply:
        seen.append(asked.tools)
        if asked.number == 1:
            return reply("write", path="ops.py", content="gone")
        return ScriptedReply(text="I changed it.")

    with at_bench(root, policy) as bench:
        with pytest.raises(UserError, match="ask something"):
            ask_question(bench, " ")
        assert ask_question(bench, "what does ops do").citations == ()
    assert set(seen) == {("read", "search")}
    assert git(root, "status", "--porcelain") == ""


def test_a_model_that_only_looks_gives_no_answer(tmp_path: Path) -> None:
    with (
        at_bench(make_calc(tmp_path), always(reply("read", path="ops.py"))) as bench,
        pytest.raises(UserError, match="gave no answer"),
    ):
        ask_question(bench, "what does ops do")
