"""Which run a person means, and where it stands."""

from __future__ import annotations

from pathlib import Path

from benchdog.cli.terminal import Terminal
from benchdog.contract import Contract
from benchdog.contract.read import read_contract
from benchdog.events import RunState, fold
from benchdog.ledger import runs
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import read_log
from benchdog.repo import open_repository
from benchdog.system.clock import SystemClock
from benchdog.system.places import run_place, runs_place


def repository_root(terminal: Terminal) -> Path:
    """The root of the repository in which the person stands. Raises UserError."""
    return open_repository(terminal.environment, terminal.environment.cwd, SystemClock()).root


def find_run(terminal: Terminal, name: str) -> str:
    """The id of the run that `name` means: a unique beginning of its id, or `@` for this repository's latest.

    Raises UserError where there is none, or more than one.
    """
    root = repository_root(terminal) if name in runs.LATEST else None
    terminal.run = runs.find_run(terminal.environment.state, name, root)
    return terminal.run


def state_of(terminal: Terminal, run: str) -> RunState:
    """The run's state, as its log tells it now. Raises CorruptLog, StoreError."""
    place = run_place(terminal.environment.state, run)
    return fold(recorded.event for recorded in read_log(place, run))


def names_a_run(terminal: Terminal, word: str) -> bool:
    """Whether a word is, or begins, the id of a run: commands that take other words too ask this."""
    try:
        names = [path.name for path in runs_place(terminal.environment.state).iterdir()]
    except OSError:
        return False  # nothing has run yet
    return len(word) >= 3 and any(name.startswith(word) for name in names)


def contract_of(terminal: Terminal, run: str) -> Contract:
    """The contract as the run holds it now. Raises StoreError."""
    place = run_place(terminal.environment.state, run)
    return read_contract(Evidence(place).get(state_of(terminal, run).contract), f"the contract of {run}")
