"""Drives a worker in tests: hand-made replies in, events and outcome out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from benchdog.checks import CheckResult, CheckStatus
from benchdog.contract import Contract, Limits, Scope
from benchdog.contract.scope import Refusal, refusal
from benchdog.events import Event
from benchdog.models.values import Finish, RawCall, Reply, Request
from benchdog.testing.memory_workspace import MemoryWorkspace
from benchdog.worker.loop import work
from benchdog.worker.steps import Answer, Ask, Assignment, Outcome, Record, Verification, Verify

CALC = "def add(a, b):\n    return a - b\n"
GOAL = "ops.add must add, not subtract."
FIX = {"path": "ops.py", "search": "return a - b", "replace": "return a + b"}


def call(name: str, arguments: Any = None, identity: str = "") -> RawCall:
    text = arguments if isinstance(arguments, str) else json.dumps({} if arguments is None else arguments)
    return RawCall(id=identity or f"call_{name}", name=name, arguments=text)


def reply(*calls: RawCall, text: str = "", finish: Finish = Finish.STOP, **more: Any) -> Reply:
    numbered = tuple(
        RawCall(id=f"{each.id}{n}", name=each.name, arguments=each.arguments) for n, each in enumerate(calls)
    )
    return Reply(text=text, calls=numbered, finish=finish, **more)


def red(name: str = "tests", output: str = "FAILED test_ops.py:3: assert 1 == 3") -> CheckResult:
    return CheckResult(name=name, run="pytest -q", status=CheckStatus.RED, exit_status=1, seconds=0.5, distilled=output)


@dataclass
class Story:
    """What came of driving a worker to its end."""

    outcome: Outcome | None = None
    events: list[Event] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    verified: list[bool] = field(default_factory=list)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def requests(self) -> list[Request]:
        return [ask.request for ask in self.asks]


def contract(**more: Any) -> Contract:
    scope = more.pop("scope", Scope(allow=("ops.py",)))
    return Contract(goal=more.pop("goal", GOAL), scope=scope, limits=Limits(turns=20), **more)


def assignment(*, task: Contract | None = None, **more: Any) -> Assignment:
    values: dict[str, Any] = {"round": 1, "context": 16_384, "turns": 20, "wall": 900.0}
    return Assignment(contract=task or contract(), **(values | more))


Replies = Iterable[Reply] | Callable[[Request], Reply]
Judge = Callable[[MemoryWorkspace, bool], Verification]


def fixed(workspace: MemoryWorkspace, done: bool) -> Verification:
    """Finished when the story's bug is mended."""
    right = b"a + b" in workspace.files.get("ops.py", b"")
    return Verification(findings=(), checks=() if right else (red(),), finished=right or done)


def drive(
    replies: Replies, workspace: MemoryWorkspace, given: Assignment | None = None, judge: Judge = fixed, most: int = 200
) -> Story:
    """Runs a worker to its outcome, or until the replies are used up (outcome None)."""
    given = given or assignment()
    feed = None if callable(replies) else iter(replies)

    def may_edit(path: str) -> Refusal | None:
        return refusal(path, given.contract.scope)

    story, worker, answer = Story(), work(given, workspace, may_edit), None
    answer_for: Answer = answer
    for _ in range(most):
        try:
            step = next(worker) if answer_for is None else worker.send(answer_for)
        except StopIteration as stop:
            story.outcome = stop.value
            return story
        answer_for = None
        match step:
            case Ask(request=request):
                story.asks.append(step)
                try:
                    answer_for = replies(request) if callable(replies) else next(feed)  # type: ignore[arg-type]
                except StopIteration:
                    worker.close()
                    return story
            case Record(event=event):
                story.events.append(event)
            case Verify(done=done):
                story.verified.append(done)
                answer_for = judge(workspace, done)
    raise AssertionError("the worker does not come to an end")
