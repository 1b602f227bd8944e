"""The runner's specification: each folder of tests/scenarios is a tree, a contract, a script and what comes of them.

tree.json      path -> text, committed as the repository
contract.toml  its first line says what the scenario shows
script.json    the model's replies, in turn; the last is repeated
expected.json  verdict, proof, class of failure, rounds, requests, changed paths, gates with blocking findings,
               kinds of events that must and must not occur
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchdog.contract.read import read_contract
from benchdog.events import RunState
from benchdog.ledger.log import read_log
from benchdog.ledger.verify import verify_run
from benchdog.runner import Bench, begin, carry_out, open_bench
from benchdog.system.environment import read_environment
from benchdog.system.places import run_place
from benchdog.testing.policy import ScriptedCall, ScriptedReply, play
from benchdog.testing.project import make_repository
from benchdog.testing.server import ScriptedServer
from benchdog.verdict import Severity

SCENARIOS = Path(__file__).parent.parent / "scenarios"


@pytest.mark.parametrize("name", sorted(path.name for path in SCENARIOS.iterdir() if path.is_dir()))
def test_scenario(name: str, tmp_path: Path) -> None:
    folder = SCENARIOS / name
    root = make_repository(tmp_path / "repository", json.loads((folder / "tree.json").read_text()))
    before = {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    with (
        ScriptedServer(play(_script(folder))) as server,
        open_bench(read_environment(cwd=root), endpoint_url=server.url, model="scripted") as bench,
    ):
        contract = read_contract((folder / "contract.toml").read_bytes(), "contract.toml")
        run = begin(bench, contract)
        state = carry_out(bench, run)
    expected = json.loads((folder / "expected.json").read_text())
    assert _shown(bench, run, state, expected) == expected
    assert {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()} == before
    verified = verify_run(run_place(bench.environment.state, run), run)
    assert verified.ok, verified.first_problem


def _script(folder: Path) -> list[ScriptedReply]:
    return [
        ScriptedReply(
            text=reply.get("text", ""),
            reasoning=reply.get("reasoning", ""),
            calls=tuple(ScriptedCall(**call) for call in reply.get("calls", ())),
            finish=reply.get("finish"),
        )
        for reply in json.loads((folder / "script.json").read_text())
    ]


def _shown(bench: Bench, run: str, state: RunState, expected: dict[str, Any]) -> dict[str, Any]:
    """What came of it, in the shape of expected.json."""
    assert state.verdict is not None
    kinds = {type(line.event).__name__ for line in read_log(run_place(bench.environment.state, run), run)}
    shown: dict[str, Any] = {
        "verdict": state.verdict.verdict.value,
        "proof": state.proof.value,
        "failure_class": state.failure_class.value if state.failure_class else None,
        "rounds": state.round,
        "changes": [change.path for change in state.changes],
        "findings": sorted({f.gate for f in state.findings if f.severity is Severity.BLOCK}),
        "has": [kind for kind in expected["has"] if kind in kinds],
        "lacks": [kind for kind in expected["lacks"] if kind not in kinds],
    }
    if "requests" in expected:
        shown["requests"] = state.tally.requests
    return shown
