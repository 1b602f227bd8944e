"""A run that is killed resumes to the same verdict and tree. A landing that is killed leaves the person's tree wholly
before or wholly after, or `--continue` and `--abort` bring it there. Processes are killed with SIGKILL at every event
and at random instants.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchdog.contract import Check, Contract, Limits, Scope
from benchdog.errors import UserError
from benchdog.events import RunState, fold
from benchdog.ledger.log import read_log
from benchdog.ledger.verify import verify_run
from benchdog.runner import Bench, begin, carry_out, finish_landing, land, open_bench, resume, take_back
from benchdog.system.environment import read_environment
from benchdog.system.places import run_place
from benchdog.testing.policy import Asked, ScriptedCall, ScriptedReply
from benchdog.testing.project import make_repository
from benchdog.testing.server import ScriptedServer

FILES = {
    "ops.py": "def add(a, b):\n    return a - b\n",
    "check.sh": "grep -q 'a + b' ops.py\n",
    "other.txt": "kept\n",
    "bin/tool": "#!/bin/sh\n",
}
CONTRACT = Contract(
    goal="ops.add must add, and NOTES.md must say so.",
    scope=Scope(allow=("ops.py", "NOTES.md")),
    checks=(Check(name="adds", run="sh check.sh"), Check(name="notes", run="test -s NOTES.md || test ! -e NOTES.md")),
    limits=Limits(rounds=2, turns=6),
)
DONE = ScriptedCall(name="done", arguments={"summary": "Done."})


def policy(asked: Asked) -> ScriptedReply:
    """Decides from the conversation alone, so that a resumed run meets the same model."""
    if "NOTES.md" in asked.text.replace(CONTRACT.goal, "") and "a + b" in asked.text:
        return ScriptedReply(calls=(DONE,))
    if "made the change" in str(asked.messages[-1]):
        return ScriptedReply(calls=(DONE,))
    notes = ScriptedCall(name="write", arguments={"path": "NOTES.md", "content": "add adds\n"})
    edit = ScriptedCall(name="edit", arguments={"path": "ops.py", "search": "a - b", "replace": "a + b"})
    return ScriptedReply(calls=(notes, edit, DONE))


Tree = dict[str, tuple[int, bytes]]


class Stage:
    """A repository, a scripted model, and processes that are killed."""

    def __init__(self, root: Path, url: str, zygote: subprocess.Popen[str]) -> None:
        self.root, self.url, self._zygote = root, url, zygote

    def bench(self) -> Bench:
        return open_bench(read_environment(cwd=self.root), endpoint_url=self.url, model="scripted")

    def begin(self) -> str:
        with self.bench() as bench:
            return begin(bench, CONTRACT)

    def killed(self, action: str, run: str, *, at: float | None = None, after: float | None = None) -> bool:
        """Whether the process was killed before it ended by itself."""
        assert self._zygote.stdin and self._zygote.stdout
        order = {"action": action, "root": str(self.root), "url": self.url, "run": run, "at": at}
        print(json.dumps(order), file=self._zygote.stdin, flush=True)
        process = int(self._zygote.stdout.readline())
        if after is not None:
            threading.Event().wait(after)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        status = int(self._zygote.stdout.readline())
        assert status in (0, -signal.SIGKILL), status
        return status != 0

    def state(self, run: str) -> RunState:
        place = run_place(read_environment().state, run)
        return fold(line.event for line in read_log(place, run))

    def tree(self) -> Tree:
        files = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(self.root)): (path.stat().st_mode, path.read_bytes()) for path in files}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    root = make_repository(tmp_path / "repository", FILES)
    (root / "bin/tool").chmod(0o755)
    (root / "ops.py").chmod(0o640)
    argv = [sys.executable, str(Path(__file__).with_name("zygote.py"))]
    with (
        ScriptedServer(policy) as server,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote,
    ):
        yield Stage(root, server.url, zygote)


def finished(stage: Stage, run: str) -> RunState:
    with stage.bench() as bench:
        try:
            return resume(bench, run)
        except UserError:
            return carry_out(bench, run)  # it had ended already: only its report is written again


def same(stage: Stage, run: str, reference: RunState) -> None:
    state = finished(stage, run)
    assert state.verdict and reference.verdict
    assert (state.outcome, state.proof, state.candidate) == (
        reference.outcome,
        reference.proof,
        reference.candidate,
    ), state.verdict
    verified = verify_run(run_place(read_environment().state, run), run)
    assert verified.ok, verified.first_problem


@pytest.fixture
def reference(stage: Stage) -> RunState:
    run = stage.begin()
    with stage.bench() as bench:
        state = carry_out(bench, run)
    assert state.outcome == "passed", state.verdict
    return state


def test_run_killed_at_every_event(stage: Stage, reference: RunState) -> None:
    at = 0
    while True:
        at += 1
        run = stage.begin()
        if not stage.killed("run", run, at=at):
            break
        same(stage, run, reference)
    assert at > 12, "the run has that many events at the least"


@pytest.mark.parametrize("part", range(4))
def test_run_killed_at_random_instants(stage: Stage, reference: RunState, part: int) -> None:
    kills = 0
    for seed in range(part * 20, part * 20 + 20):
        run = stage.begin()
        kills += stage.killed("run", run, after=random.Random(seed).uniform(0.01, 0.45))
        same(stage, run, reference)
    assert kills > 0


@pytest.mark.parametrize("part", range(4))
def test_landing_killed(stage: Stage, reference: RunState, part: int) -> None:
    before = stage.tree()
    after = {
        **before,
        "ops.py": (before["ops.py"][0], b"def add(a, b):\n    return a + b\n"),
        "NOTES.md": (0o100644, b"add adds\n"),
    }
    for seed in range(part * 12, part * 12 + 12):
        chance = random.Random(seed)
        run = stage.begin()
        with stage.bench() as bench:
            carry_out(bench, run)
        kill_landing(stage, run, chance)
        tree = stage.tree()
        assert tree in (before, after)
        with stage.bench() as bench:
            if tree == before:
                land(bench, run)
        landing = stage.state(run).landing
        assert (stage.tree(), landing and landing.state) == (after, "landed")
        stage.killed("take back", run, **instant(chance, events=2))
        with stage.bench() as bench:
            with suppress(UserError):
                finish_landing(bench, forward=True)  # of the roll-back, where it had begun
            if stage.tree() != before:
                take_back(bench, run)
        assert stage.tree() == before


def kill_landing(stage: Stage, run: str, chance: random.Random) -> None:
    """A landing that is killed, and brought to an end by `--continue` or `--abort` where it had begun to write."""
    stage.killed("land", run, **instant(chance, events=3))
    with stage.bench() as bench, suppress(UserError):
        finish_landing(bench, forward=chance.random() < 0.5)


def instant(chance: random.Random, events: int) -> dict[str, float | None]:
    """When to kill: at one of the first events, or after some time."""
    if chance.random() < 0.5:
        return {"at": chance.randint(1, events), "after": None}
    return {"at": None, "after": chance.uniform(0.01, 0.25)}
