"""A small repository, a scripted model and a bench, for tests of what a person does with a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchdog.contract import Check, Contract, Limits, Scope
from benchdog.runner import Bench, Watcher, open_bench
from benchdog.system.environment import read_environment
from benchdog.testing.policy import Policy, ScriptedCall, ScriptedReply
from benchdog.testing.project import make_repository
from benchdog.testing.server import ScriptedServer

FILES = {
    "ops.py": "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return a * 2\n",
    "check.sh": "grep -q 'a + b' ops.py\n",
    "README.md": "# calc\n\nOne line.\n",
}
FIXED = FILES["ops.py"].replace("a - b", "a + b")
CONTRACT = Contract(
    goal="ops.add must add, not subtract.",
    scope=Scope(allow=("ops.py",)),
    checks=(Check(name="adds", run="sh check.sh"),),
    limits=Limits(rounds=2, turns=6),
)
EDIT = ScriptedCall(name="edit", arguments={"path": "ops.py", "search": "a - b", "replace": "a + b"})
DONE = ScriptedCall(name="done", arguments={"summary": "All tests pass."})
FIX = ScriptedReply(calls=(EDIT, DONE))


def reply(name: str, **arguments: str) -> ScriptedReply:
    return ScriptedReply(calls=(ScriptedCall(name=name, arguments=arguments),))


def make_calc(folder: Path) -> Path:
    return make_repository(folder / "repository", FILES)


@contextmanager
def at_bench(root: Path, policy: Policy, watcher: Watcher | None = None) -> Iterator[Bench]:
    """A bench for the repository at `root` with a model that follows `policy`."""
    with ScriptedServer(policy) as server, bench_at(root, server.url, watcher) as bench:
        yield bench


def bench_at(root: Path, url: str, watcher: Watcher | None = None) -> Bench:
    return open_bench(read_environment(cwd=root), endpoint_url=url, model="scripted", watcher=watcher)
