"""Looking at a result before it lands: the diff on the screen, that it was seen, and the question that follows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchdog.cli.carry import watching
from benchdog.cli.diffs import shown
from benchdog.cli.found import state_of
from benchdog.cli.keys import ENTER, choose
from benchdog.cli.terminal import Terminal
from benchdog.events import RunState
from benchdog.ledger.evidence import Evidence
from benchdog.runner import Bench, accept, land
from benchdog.system.files import write_durably
from benchdog.system.places import run_place
from benchdog.system.process import attach
from benchdog.verdict import Verdict

_LOOKED = "looked"  # in a run's folder: the tree whose diff a person has seen
_SAFE_LESS = {"LESSSECURE": "1", "LESSHISTFILE": "-"}


def show_diff(terminal: Terminal, run: str) -> None:
    """The candidate's diff on the person's screen; that it was seen is remembered."""
    place = run_place(terminal.environment.state, run)
    state = state_of(terminal, run)
    diff = Evidence(place).get(state.diff) if state.diff else b""
    page(terminal, shown(diff) if diff else "no change", terminal.say)
    remember_look(place, state)


def page(terminal: Terminal, text: str, print_it: Callable[[str], None]) -> None:
    """Safe text for a person: printed where it fits the screen, shown in `less` where it does not."""
    rows = shutil.get_terminal_size().lines
    less = shutil.which("less", path=terminal.environment.get("PATH") or "")
    if not (terminal.interactive and less and text.count("\n") >= rows - 3):
        print_it(text)
        return
    terminal.settle()
    with tempfile.TemporaryDirectory(prefix="benchdog-") as folder:
        file = Path(folder) / "diff"
        file.write_text(text + "\n", encoding="utf-8")
        variables = {**terminal.environment.variables, **_SAFE_LESS}
        attach((less, "-R", "-F", "-X", str(file)), variables, Path(folder))


def remember_look(place: Path, state: RunState) -> None:
    """That the person has seen the diff of this candidate."""
    if state.candidate:
        write_durably(place / _LOOKED, state.candidate.encode())


def _has_looked(place: Path, state: RunState) -> bool:
    with suppress(OSError):
        return state.candidate is not None and (place / _LOOKED).read_bytes() == state.candidate.encode()
    return False


def confirmed(terminal: Terminal, bench: Bench, run: str) -> bool:
    """Whether the person wants this landed: what was not looked at is shown first; a held run asks for acceptance."""
    state = state_of(terminal, run)
    held = state.outcome is Verdict.HELD and not (state.accepted and state.accepted.tree == state.candidate)
    seen = _has_looked(run_place(terminal.environment.state, run), state)
    if not seen:
        show_diff(terminal, run)
    if not held:
        return seen or choose(terminal, "Apply this? [Enter] yes · q", "yn") in (ENTER, "y")
    question = "Nothing proves this work but your reading. Do you accept this diff? [y/N]"
    if choose(terminal, question, "yn") != "y":
        return False
    with watching(terminal, bench, state):
        accept(bench, run, tree=state.candidate)
    return True


def land_now(terminal: Terminal, bench: Bench, run: str, *, how: str = "files", name: str | None = None) -> RunState:
    """Lands the candidate, shown as it goes. Raises what `runner.land` raises."""
    with watching(terminal, bench, state_of(terminal, run)):
        return land(bench, run, how=how, name=name)
