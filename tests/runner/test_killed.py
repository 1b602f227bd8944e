"""A run that is killed resumes to the same verdict and tree; a landing that is killed is wholly before, wholly after, or
`--continue` and `--abort` bring it there. Processes are killed with SIGKILL at every event and at random instants.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from benchdog.ledger.verify import verify_run

from benchdog.contract import Check, Contract, Limits, Scope
from benchdog.errors import UserError
from benchdog.events import RunState, fold
from benchdog.ledger.log import Recorded, read_log
from benchdog.runner import Nobody, begin, carry_out, finish_landing, land, open_bench, resume, take_back
from benchdog.runner.bench import Bench
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


class Killer(Nobody):
    """Kills its own process when the n-th event has been logged."""

    def __init__(self, at: int | None) -> None:
        self._left = at

    def event(self, recorded: Recorded) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


Action = Callable[[Bench, str], object]


def act(action: Action, root: str, home: dict[str, str], url: str, run: str, at: int | None) -> None:
    """In a process of its own: one action on one run, killed at an event where `at` says so."""
    os.environ.update(home)
    bench = open_bench(read_environment(cwd=Path(root)), watcher=Killer(at), endpoint_url=url, model="scripted")
    action(bench, run)


def land_files(bench: Bench, run: str) -> RunState:
    return land(bench, run)


class Stage:
    """A repository, a scripted model, and processes that are killed."""

    def __init__(self, root: Path, url: str) -> None:
        self.root, self.url = root, url
        self.context: ForkServerContext = multiprocessing.get_context("forkserver")
        self.home = {name: os.environ[name] for name in os.environ if name.startswith(("HOME", "XDG_", "GIT_", "TMP"))}

    def bench(self) -> Bench:
        return open_bench(read_environment(cwd=self.root), endpoint_url=self.url, model="scripted")

    def begin(self) -> str:
        return begin(self.bench(), CONTRACT)

    def killed(self, action: Action, run: str, *, at: int | None = None, after: float | None = None) -> bool:
        """Whether the process was killed before it ended by itself."""
        process = self.context.Process(
            target=act, args=(action, str(self.root), self.home, self.url, run, at), daemon=True
        )
        process.start()
        if after is not None:
            threading.Event().wait(after)
            process.kill()
        process.join()
        code = process.exitcode
        process.close()
        assert code in (0, -signal.SIGKILL), code
        return code != 0

    def state(self, run: str) -> RunState:
        place = run_place(read_environment().state, run)
        return fold(line.event for line in read_log(place, run))

    def tree(self) -> dict[str, tuple[int, bytes]]:
        files = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(self.root)): (path.stat().st_mode, path.read_bytes()) for path in files}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    root = make_repository(tmp_path / "repository", FILES)
    (root / "bin/tool").chmod(0o755)
    (root / "ops.py").chmod(0o640)
    with ScriptedServer(policy) as server:
        yield Stage(root, server.url)


def finished(stage: Stage, run: str) -> RunState:
    try:
        return resume(stage.bench(), run)
    except UserError:
        return carry_out(stage.bench(), run)  # it had ended already: only its report is written again


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
    state = carry_out(stage.bench(), run)
    assert state.outcome == "passed", state.verdict
    return state


def test_run_killed_at_every_event(stage: Stage, reference: RunState) -> None:
    at = 0
    while True:
        at += 1
        run = stage.begin()
        if not stage.killed(carry_out, run, at=at):
            break
        same(stage, run, reference)
    assert at > 12, "the run has that many events at the least"


@pytest.mark.parametrize("part", range(4))
def test_run_killed_at_random_instants(stage: Stage, reference: RunState, part: int) -> None:
    kills = 0
    for seed in range(part * 20, part * 20 + 20):
        run = stage.begin()
        kills += stage.killed(carry_out, run, after=random.Random(seed).uniform(0.01, 0.45))
        same(stage, run, reference)
    assert kills > 0


def landed(stage: Stage, run: str, before: dict[str, tuple[int, bytes]], forward: bool) -> dict[str, tuple[int, bytes]]:
    """After a landing that was killed: the tree is wholly before or after, or is brought there. Returns the tree."""
    try:
        finish_landing(stage.bench(), forward=forward)
    except UserError:
        pass  # it had not begun to write, or was complete
    return stage.tree()


@pytest.mark.parametrize("part", range(4))
def test_landing_killed(stage: Stage, reference: RunState, part: int) -> None:
    before = stage.tree()
    after = {
        **before,
        "ops.py": (before["ops.py"][0], b"def add(a, b):\n    return a + b\n"),
        "NOTES.md": (0o100644, b"add adds\n"),
    }
    for seed in range(part * 12, part * 12 + 12):
        run = stage.begin()
        carry_out(stage.bench(), run)
        chance = random.Random(seed)
        at, delay = (chance.randint(1, 3), None) if seed % 2 else (None, chance.uniform(0.01, 0.25))
        stage.killed(land_files, run, at=at, after=delay)
        tree = landed(stage, run, before, forward=chance.random() < 0.5)
        assert tree in (before, after)
        if tree == before:
            land(stage.bench(), run)
        elif stage.state(run).landing is None or stage.state(run).landing.state != "landed":  # type: ignore[union-attr]
            raise AssertionError("the files are there, but the log does not say so")
        assert stage.tree() == after
        chance = random.Random(seed + 1000)
        at, delay = (chance.randint(1, 2), None) if seed % 2 else (None, chance.uniform(0.01, 0.2))
        stage.killed(take_back, run, at=at, after=delay)
        if stage.tree() != before:
            take_back(stage.bench(), run)
        assert stage.tree() == before
