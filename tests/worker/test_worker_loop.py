"""The loop, driven by hand-made replies."""

from __future__ import annotations

import pytest
from shop import CALC, FIX, GOAL, assignment, call, contract, drive, fixed, red, reply

from benchdog.contract import Scope
from benchdog.events import ClaimMade, EditApplied, EditRefused, Intervened, ReplyInvalid, ToolUsed
from benchdog.models.budget import MARGIN, estimate_request
from benchdog.models.values import Finish, Reply, Request, Role
from benchdog.testing.memory_workspace import MemoryWorkspace
from benchdog.verdict import FailureClass, Finding, Severity
from benchdog.worker.loop import STRIKES, TRIES
from benchdog.worker.steps import Finished, NeedsInput, Stalled, Verification


def desk(**more: str) -> MemoryWorkspace:
    return MemoryWorkspace({"ops.py": CALC, "package.json": "{}\n", "test_ops.py": "assert add(1, 2) == 3\n", **more})


def test_one_edit_that_mends_it_ends_the_round_without_a_word() -> None:
    workspace = desk()
    story = drive([reply(call("edit", FIX))], workspace)
    assert story.outcome == Finished()
    assert workspace.text("ops.py") == CALC.replace("a - b", "a + b")
    assert story.events == [EditApplied(path="ops.py", line=2, added=1, removed=1)]
    assert story.verified == [False]
    assert len(story.asks) == 1


def test_edit_and_done_in_one_reply() -> None:
    story = drive([reply(call("edit", FIX), call("done", {"summary": "fixed"}))], desk())
    assert story.outcome == Finished(claim="fixed")
    assert story.of(ClaimMade) == [ClaimMade(text="fixed")]
    assert story.verified == [True]


def test_done_ends_the_round_although_nothing_was_done() -> None:
    story = drive([reply(call("done", {"summary": "all tests pass"}))], desk())
    assert story.outcome == Finished(claim="all tests pass")
    assert story.verified == [True]


def test_what_still_fails_is_said_with_the_goal_at_the_very_end() -> None:
    wrong = FIX | {"replace": "return b - a"}
    right = {"path": "ops.py", "search": "return b - a", "replace": "return a + b"}
    story = drive([reply(call("edit", wrong)), reply(call("edit", right))], desk())
    assert story.outcome == Finished()
    said = story.requests[1].messages[-1].content
    assert "assert 1 == 3" in said
    assert said.endswith(f"The one thing: {GOAL}")


def test_requests_of_a_window_only_grow_at_the_end() -> None:
    looks = [reply(call("read", {"path": "test_ops.py", "start": n})) for n in (1, 2)]
    story = drive([*looks, reply(call("edit", FIX | {"search": "nowhere"})), reply(call("edit", FIX))], desk())
    for earlier, later in zip(story.requests, story.requests[1:], strict=False):
        assert later.messages[: len(earlier.messages)] == earlier.messages
        assert later.tools == earlier.tools
    assert story.outcome == Finished()


def test_an_edit_out_of_the_scope_is_refused_on_arrival_with_the_scope() -> None:
    workspace = desk()
    story = drive([reply(call("write", {"path": "package.json", "content": "x"})), reply(call("edit", FIX))], workspace)
    assert workspace.text("package.json") == "{}\n"
    (refused,) = story.of(EditRefused)
    assert (refused.path, refused.rule) == ("package.json", "scope")
    said = story.requests[1].messages[-1].content
    assert "ops.py" in said
    assert said.endswith(GOAL)
    assert story.outcome == Finished()


def test_a_closed_class_is_refused_by_its_own_rule() -> None:
    task = contract(scope=Scope(allow=("*",)))
    story = drive([reply(call("write", {"path": "package.json", "content": "x"}))], desk(), assignment(task=task))
    assert [event.rule for event in story.of(EditRefused)] == ["class"]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (reply(), "empty"),
        (reply(text="I have fixed it. All tests pass."), "prose"),
        (reply(call("edit", '{"path": "ops.py", "search": ')), "malformed"),
        (reply(call("bash", {"command": "ls"})), "unknown-tool"),
        (reply(call("edit", {"path": "ops.py"})), "wrong-arguments"),
        (reply(call("edit", FIX), finish=Finish.LENGTH), "cut"),
        (reply(call("edit", FIX), finish=Finish.BROKEN), "cut"),
        (reply(call("ask", {"question": "How can I help you today?"})), "question"),
        (reply(call("ask", {"question": "Should ops.add add, not subtract?"})), "question"),
    ],
)
def test_an_invalid_reply_is_not_kept_but_asked_again_otherwise(bad: Reply, fault: str) -> None:
    workspace = desk()
    story = drive([bad, reply(call("edit", FIX))], workspace)
    assert [event.fault for event in story.of(ReplyInvalid)] == [fault]
    first, second = story.asks
    assert first.request.messages == second.request.messages
    assert first.request.sampling != second.request.sampling
    assert (first.resample, second.resample) == (0, 1)
    assert story.outcome == Finished()
    assert len(workspace.writes) == 1


def test_the_last_try_carries_a_correction_and_it_stays_in_the_window() -> None:
    bad = [reply(text="Sure, I will do that.")] * (TRIES - 1)
    story = drive([*bad, reply(call("read", {"path": "ops.py"})), reply(call("edit", FIX))], desk())
    last_try, after = story.requests[TRIES - 1], story.requests[TRIES]
    assert "Answer with a tool call" in last_try.messages[-1].content
    assert "Answer with a tool call" not in story.requests[TRIES - 2].messages[-1].content
    assert after.messages[: len(last_try.messages)] == last_try.messages
    assert story.outcome == Finished()


def test_a_model_that_never_calls_a_tool_stalls_by_tool_use() -> None:
    story = drive(lambda request: reply(text="I am done, everything works!"), desk())
    assert isinstance(story.outcome, Stalled)
    assert story.outcome.failure_class is FailureClass.TOOL_USE
    assert len(story.asks) == TRIES * STRIKES
    assert story.verified == []


def test_a_leaked_call_is_carried_out_and_kept_as_a_proper_call() -> None:
    text = '<tool_call>\n{"name": "read", "arguments": {"path": "ops.py"}}\n</tool_call>'
    story = drive([reply(text=text), reply(call("edit", FIX))], desk())
    assert story.outcome == Finished()
    answer = story.requests[1].messages[-2]
    assert (answer.role, answer.content, answer.calls[0].name) == (Role.ASSISTANT, "", "read")
    assert story.requests[1].messages[-1].call_id == answer.calls[0].id


def test_edits_of_one_file_in_one_reply_hold_all_or_none() -> None:
    workspace = desk()
    story = drive([reply(call("edit", FIX), call("edit", FIX | {"search": "no such line here"}))], workspace)
    assert workspace.text("ops.py") == CALC
    assert story.verified == []
    assert [event.rule for event in story.of(EditRefused)] == ["match", "match"]
    assert story.of(EditApplied) == []


def test_edits_of_other_files_stand_where_one_is_refused() -> None:
    task = contract(scope=Scope(allow=("ops.py", "new.py")))
    calls = (call("edit", FIX | {"search": "nowhere"}), call("write", {"path": "new.py", "content": "x = 1\n"}))
    workspace = desk()
    story = drive([reply(*calls)], workspace, assignment(task=task))
    assert workspace.text("new.py") == "x = 1\n"
    assert [type(event) for event in story.events] == [EditRefused, EditApplied]
    assert story.verified == [False]


def test_done_beside_a_refused_edit_is_not_taken() -> None:
    story = drive([reply(call("edit", FIX | {"search": "nowhere"}), call("done")), reply(call("edit", FIX))], desk())
    assert story.of(ClaimMade) == []
    assert "not taken" in story.requests[1].messages[-1].content
    assert story.outcome == Finished()


def test_a_question_is_taken_only_after_looking() -> None:
    question = {"question": "Which rounding does the ledger expect for halves?"}
    story = drive(
        [reply(call("ask", question)), reply(call("search", {"pattern": "round"})), reply(call("ask", question))],
        desk(),
    )
    assert "look first" in story.requests[1].messages[-1].content
    assert story.outcome == NeedsInput(question=question["question"])


def test_asking_for_a_wider_scope_ends_the_round_and_keeps_the_work() -> None:
    task = contract(scope=Scope(allow=("ops.py",)))
    wish = {"path": "./package.json", "reason": "it needs a dependency"}
    wrong = FIX | {"replace": "return b - a"}
    story = drive([reply(call("edit", wrong), call("ask_scope", wish))], desk(), assignment(task=task))
    assert story.outcome == NeedsInput(question="it needs a dependency", path="package.json")
    assert story.verified == [False]


def test_asking_for_what_is_allowed_already_is_answered() -> None:
    story = drive([reply(call("ask_scope", {"path": "ops.py", "reason": "x"})), reply(call("edit", FIX))], desk())
    assert "may be changed already" in story.requests[1].messages[-1].content
    assert story.outcome == Finished()


def test_the_same_call_again_and_again_is_told_once_and_then_stopped() -> None:
    story = drive(lambda request: reply(call("edit", FIX | {"search": "nowhere at all"})), desk())
    assert [event.action for event in story.of(Intervened)] == ["told", "stopped"]
    assert isinstance(story.outcome, Stalled)
    assert story.outcome.failure_class is FailureClass.LOST_THREAD
    assert len(story.asks) == 5
    assert [event.fault for event in story.of(ReplyInvalid)] == ["repeated"] * 3
    assert "answered twice already" in story.requests[-1].messages[-1].content
    assert story.requests[2].messages == story.requests[3].messages


def test_one_who_wants_nothing_but_out_of_the_scope_is_stopped_for_that() -> None:
    story = drive(lambda request: reply(call("write", {"path": "package.json", "content": "x"}), call("done")), desk())
    assert isinstance(story.outcome, Stalled)
    assert story.outcome.failure_class is FailureClass.SCOPE
    assert len(story.asks) == 5
    assert story.of(ClaimMade) == []


def test_words_after_work_that_holds_end_the_round_and_prove_nothing() -> None:
    def judge(workspace: MemoryWorkspace, done: bool) -> Verification:
        return Verification(findings=(), finished=done)

    words = [reply(text="The addition is mended now.")] * TRIES
    story = drive([reply(call("edit", FIX)), *words], desk(), judge=judge)
    assert story.outcome == Finished()
    assert story.verified == [False, True]
    assert len(story.of(ReplyInvalid)) == TRIES


def test_an_explorer_is_narrowed_and_stopped_early() -> None:
    number = iter(range(1000))
    story = drive(lambda request: reply(call("search", {"pattern": f"word{next(number)}"})), desk())
    assert [event.action for event in story.of(Intervened)] == ["narrowed", "stopped"]
    assert isinstance(story.outcome, Stalled)
    assert story.outcome.failure_class is FailureClass.LOST_THREAD
    assert len(story.asks) <= 7
    assert "Now only edit" in story.requests[-1].messages[-1].content


def test_an_explorer_that_turns_to_work_is_let() -> None:
    looks = [reply(call("search", {"pattern": f"word{n}"})) for n in range(6)]
    story = drive([*looks, reply(call("edit", FIX))], desk())
    assert story.outcome == Finished()
    assert len(story.of(ToolUsed)) == 5


def test_the_turn_limit_ends_the_round() -> None:
    def endless(request: Request) -> Reply:
        text = workspace.text("ops.py")
        number = text.count("#")
        return reply(call("write", {"path": "ops.py", "content": f"{'#' * (number + 1)}\n"}))

    workspace = desk()
    story = drive(endless, workspace, assignment(turns=6))
    assert isinstance(story.outcome, Stalled)
    assert "6 turns" in story.outcome.reason
    assert len(story.asks) == 6


def test_the_wall_limit_counts_the_models_time() -> None:
    story = drive(lambda request: reply(text="hm", seconds=50.0), desk(), assignment(wall=120.0))
    assert isinstance(story.outcome, Stalled)
    assert len(story.asks) == 3


def test_a_goal_that_cannot_fit_says_so_and_names_the_largest_piece() -> None:
    task = contract(goal="add it. " * 6000)
    story = drive([], desk(), assignment(task=task, context=8192))
    assert isinstance(story.outcome, Stalled)
    assert story.outcome.failure_class is FailureClass.CONTEXT
    assert "the goal alone" in story.outcome.reason
    assert story.asks == []


@pytest.mark.parametrize("context", [4096, 8192])
def test_a_long_task_goes_on_in_fresh_windows(context: int) -> None:
    """Sixty turns with long results; every request fits the window, and the task is finished in the end."""
    counter = iter(range(1, 61))

    def model(request: Request) -> Reply:
        number = next(counter)
        if number == 60:
            return reply(call("edit", FIX))
        return reply(
            call("edit", {"path": "log.py", "search": f"mark = {number - 1}\n", "replace": f"mark = {number}\n"}),
            call("read", {"path": "big.py", "start": number}),
        )

    workspace = desk(**{"log.py": "mark = 0\n", "big.py": "value = 'x'  # a line of some length\n" * 3000})
    task = contract(scope=Scope(allow=("ops.py", "log.py")))
    story = drive(model, workspace, assignment(task=task, context=context, turns=120), most=2000)
    assert story.outcome == Finished()
    assert len(story.asks) == 60
    rebuilt = [event for event in story.of(Intervened) if event.action == "rebuilt"]
    assert rebuilt
    for request in story.requests:
        assert estimate_request(request) + request.max_tokens + MARGIN <= context
        assert GOAL in request.messages[-1].content.splitlines()[-1]


def test_findings_of_a_gate_reach_the_model_and_the_next_window() -> None:
    finding = Finding(gate="deliverables", severity=Severity.BLOCK, path="MINSTRAL.md", message="does not exist")

    def judge(workspace: MemoryWorkspace, done: bool) -> Verification:
        return Verification(findings=(finding,), finished=done)

    edit = FIX | {"replace": "return a + b"}
    story = drive([reply(call("edit", edit)), reply(call("done"))], desk(), judge=judge)
    said = story.requests[1].messages[-1].content
    assert "MINSTRAL.md: does not exist" in said


def test_nothing_fails_but_nothing_is_proven_asks_for_done() -> None:
    def judge(workspace: MemoryWorkspace, done: bool) -> Verification:
        return Verification(findings=(), finished=done)

    story = drive([reply(call("edit", FIX)), reply(call("done"))], desk(), judge=judge)
    assert "call done" in story.requests[1].messages[-1].content
    assert story.outcome == Finished(claim="done")


def test_failing_output_can_tell_the_first_prompt() -> None:
    given = assignment(failing=(red(output="FAILED ops.py:2: assert 1 == 3"),), hint="mind the sign")
    story = drive([], desk(), given)
    first = story.requests[0].messages
    assert [message.role for message in first] == [Role.SYSTEM, Role.USER]
    assert "assert 1 == 3" in first[1].content
    assert "mind the sign" in first[1].content
    assert CALC in first[1].content
    assert first[1].content.startswith(f"Goal: {GOAL}")
    assert first[1].content.endswith(f"The one thing: {GOAL}")
    assert fixed(desk(), False).checks
