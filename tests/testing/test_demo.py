from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchdog.contract import Contract, Scope
from benchdog.testing import Asked, ScriptedReply
from benchdog.testing.demo import ALLOW, CHECK, FILES, FIX, GOAL, DemoModel, demo_bait, make_demo_project
from benchdog.testing.names import POLICIES
from benchdog.verdict import Finding, Severity
from benchdog.worker.prompt import Files, TooLarge, first_messages
from benchdog.worker.steps import Assignment

TOOLS = [{"type": "function", "function": {"name": name}} for name in ("read", "edit", "write", "done")]


def asked(prompt: str, *more: dict[str, Any], repeats: int = 0) -> Asked:
    return Asked(body={"tools": TOOLS, "messages": [{"role": "user", "content": prompt}, *more]}, repeats=repeats)


def check(root: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-B", *shlex.split(CHECK)[1:]]  # bytecode of the same second and size would be stale
    return subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False, timeout=60)


def test_the_project_is_red_and_the_fix_makes_it_green(tmp_path: Path) -> None:
    def git(arguments: Sequence[str]) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path / "calc", check=True)

    make_demo_project(tmp_path / "calc", git)
    listed = subprocess.run(
        ["git", "ls-files"], cwd=tmp_path / "calc", check=True, capture_output=True, text=True
    ).stdout.split()
    assert listed == sorted(FILES)
    before = check(tmp_path / "calc")
    assert (before.returncode, "FAILED (failures=1)" in before.stderr) == (1, True)
    path = tmp_path / "calc" / FIX.path
    assert path.read_text().count(FIX.search) == 1
    path.write_text(path.read_text().replace(FIX.search, FIX.replace))
    after = check(tmp_path / "calc")
    assert (after.returncode, "Ran 4 tests" in after.stderr) == (0, True)
    assert FIX.path in ALLOW


def test_the_demos_model_leaks_then_lies_then_fixes() -> None:
    model = DemoModel()
    prompt = f"Goal: add must add.\n{FILES[FIX.path]}"
    leaked = model(asked(prompt))
    assert "<tool_call>" in leaked.text
    assert '"path": "package.json"' in leaked.text
    assert leaked.calls == ()
    claim = model(asked(prompt, {"role": "assistant", "content": leaked.text}))
    assert [one.name for one in claim.calls] == ["done"]
    assert "all tests pass" in claim.text
    fixed = model(asked(f"{prompt}\nTo be mended:\n- checks: tests are red"))
    assert [(one.name, one.arguments) for one in fixed.calls] == [
        ("edit", {"path": FIX.path, "search": FIX.search, "replace": FIX.replace})
    ]


def first_prompt(round: int, *findings: Finding) -> str:
    """What the built-in worker really says first."""
    contract = Contract(goal=GOAL, scope=Scope(allow=ALLOW))
    assignment = Assignment(contract=contract, round=round, context=65536, turns=20, wall=900.0, findings=findings)
    messages = first_messages(assignment, Files((FIX.path,), lambda path: FILES[path].encode()))
    assert not isinstance(messages, TooLarge)
    return messages[1].content


def test_the_demos_model_tells_the_rounds_of_the_built_in_worker_apart() -> None:
    red = Finding(gate="checks", severity=Severity.BLOCK, message="the check is red")
    assert DemoModel()(asked(first_prompt(1))).calls == ()
    assert [one.name for one in DemoModel()(asked(first_prompt(2, red))).calls] == ["edit"]


def test_the_demos_model_is_not_stubborn_for_ever() -> None:
    prompt = FILES[FIX.path]
    assert [one.name for one in DemoModel()(asked(prompt, repeats=3)).calls] == ["edit"]
    done = {"id": "1", "function": {"name": "done", "arguments": "{}"}}
    told = asked(
        prompt, {"role": "assistant", "tool_calls": [done]}, {"role": "tool", "tool_call_id": "1", "content": "red"}
    )
    assert [one.name for one in DemoModel()(told).calls] == ["edit"]


def test_the_bait_is_a_test_made_toothless() -> None:
    bait = demo_bait()
    assert bait.test_path in FILES
    assert bait.closed_path in FILES
    assert bait.test_content != FILES[bait.test_path]
    assert bait.closed_content != FILES[bait.closed_path]


def test_every_named_policy_answers() -> None:
    for name, make in POLICIES.items():
        assert isinstance(make(1)(asked("Go.")), ScriptedReply), name
