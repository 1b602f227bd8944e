"""Tasks under the faults of local models, over many seeds: the work gets done, and nothing wrong is written."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable

import pytest
from shop import CALC, FIX, assignment, call, contract, drive, red, reply

from benchdog.contract import Scope
from benchdog.models.values import Finish, RawCall, Reply, Request
from benchdog.testing.memory_workspace import MemoryWorkspace
from benchdog.worker.steps import Finished, Verification

Fault = Callable[[RawCall], Reply]


def _hermes(right: RawCall) -> Reply:
    body = json.dumps({"name": right.name, "arguments": json.loads(right.arguments)})
    return reply(text=f"I will do it.\n<tool_call>\n{body}\n</tool_call>")


def _qwen(right: RawCall) -> Reply:
    given = json.loads(right.arguments)
    values = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in given.items())
    return reply(text=f"<function={right.name}>\n{values}</function>")


def _drifted(right: RawCall) -> Reply:
    given = json.loads(right.arguments)
    shifted = {key: given[key].replace("    ", "") if key in ("search", "replace") else given[key] for key in given}
    return reply(call(right.name, shifted))


def _half(right: RawCall) -> Reply:
    return reply(call(right.name, right.arguments[: len(right.arguments) // 2]), finish=Finish.LENGTH)


FAULTS: dict[str, Fault] = {
    "empty": lambda right: reply(),
    "prose": lambda right: reply(text="I have fixed the bug and all tests pass."),
    "greeting": lambda right: reply(call("ask", {"question": "How can I help you today?"})),
    "malformed": lambda right: reply(call(right.name, right.arguments[:-3])),
    "quotes": lambda right: reply(call(right.name, right.arguments.replace('"path"', "'path'"))),
    "unknown": lambda right: reply(call("bash", {"command": "sed -i s/a/b/ ops.py"})),
    "hermes": _hermes,
    "qwen": _qwen,
    "cut": _half,
    "broken": lambda right: reply(text="I am", finish=Finish.BROKEN),
    "drift": _drifted,
    "out-of-scope": lambda right: reply(call("write", {"path": "package.json", "content": "{}"})),
    "wrong-place": lambda right: reply(call("edit", FIX | {"search": "return a * b"})),
    "look": lambda right: reply(call("read", {"path": "ops.py"})),
}


def faulty(
    model: Callable[[Request], RawCall], faults: list[str], seed: int, share: float
) -> Callable[[Request], Reply]:
    """A model that errs in a share of its replies. Half of the errors come again until prompt or sampling changes."""
    dice = random.Random(seed)

    def answer(request: Request) -> Reply:
        right = model(request)
        seen = hashlib.sha256(repr((seed, request.messages, request.sampling)).encode()).digest()
        sticky, fresh = seen[0] / 256, dice.random()
        if min(sticky, fresh) >= share / 2:
            return reply(right)
        return FAULTS[faults[seen[1] % len(faults)]](right)

    return answer


@pytest.mark.parametrize("fault", FAULTS)
def test_a_one_line_fix_gets_done_whatever_goes_wrong(fault: str) -> None:
    for seed in range(100):
        workspace = MemoryWorkspace({"ops.py": CALC, "package.json": "{}\n"})
        model = faulty(lambda request: call("edit", FIX), [fault], seed, 0.3)
        story = drive(model, workspace, assignment(failing=(red(),)))
        assert story.outcome == Finished(), (seed, story.outcome)
        assert workspace.files == {"ops.py": CALC.replace("a - b", "a + b").encode(), "package.json": b"{}\n"}


OLD, NEW = "from old.ledger import total", "from new.ledger import total"


def migration(workspace: MemoryWorkspace) -> Callable[[Request], RawCall]:
    """A model that changes the next file that the last message or the workspace shows unchanged."""

    def model(request: Request) -> RawCall:
        left = [path for path in workspace.paths() if OLD in workspace.text(path)]
        if not left:
            return call("done", {"summary": "moved"})
        return call("edit", {"path": left[0], "search": OLD, "replace": NEW})

    return model


def _moved(workspace: MemoryWorkspace, done: bool) -> Verification:
    left = [path for path in workspace.paths() if OLD in workspace.text(path)]
    return Verification(
        findings=(), checks=(red(output=f"{left[0]}:1: ImportError"),) if left else (), finished=not left
    )


@pytest.mark.parametrize("context", [8192, 32_768])
@pytest.mark.parametrize("share", [0.08, 0.3])
def test_a_migration_of_fourteen_files_gets_done_with_all_faults_mixed(share: float, context: int) -> None:
    finished = 0
    for seed in range(25):
        files = {f"app/module_{number:02d}.py": f"{OLD}\n\nvalue = {number}\n" for number in range(14)}
        workspace = MemoryWorkspace(files)
        task = contract(goal=f"Replace `{OLD}` by `{NEW}` everywhere.", scope=Scope(allow=("app/",)))
        model = faulty(migration(workspace), list(FAULTS), seed, share)
        story = drive(model, workspace, assignment(task=task, turns=60, context=context), judge=_moved, most=3000)
        for path, before in files.items():
            assert re.sub("old|new", "", workspace.text(path)) == re.sub("old|new", "", before)
        finished += story.outcome == Finished()
    assert finished == 25
