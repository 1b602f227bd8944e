"""Which runs there are, found by reading their logs; which one a name means; what they came to, by model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchdog.errors import StoreError, UserError
from benchdog.events import RunState, fold
from benchdog.ledger.log import LOG_NAME, Recorded, read_first, read_log
from benchdog.system.places import run_place, runs_place
from benchdog.verdict import FailureClass, Proof, Verdict

LATEST = ("", "@")
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in a list. `verdict` None: not finished.

    `problem`: why its log does not read; then little else is known.
    """

    run: str
    root: str = ""
    goal: str = ""
    started: datetime
    verdict: Verdict | None = None
    proof: Proof = Proof.NONE
    failure_class: FailureClass | None = None
    model: str = ""
    rounds: int = 0
    requests: int = 0
    files: int = 0
    added: int = 0
    removed: int = 0
    landing: str = ""
    unsafe: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStats:
    """What a model's runs came to. `classes` counts those that did not pass, by class of failure."""

    model: str
    runs: int
    verdicts: Mapping[Verdict, int]
    classes: Mapping[FailureClass, int]


def list_runs(state: Path, root: Path | None = None) -> tuple[RunSummary, ...]:
    """The runs under the state directory, newest first; with `root`, those of that repository.

    A run whose log does not read is in the list, with its problem (in every list: its repository is not known). One
    that was killed before anything was recorded is no run.
    """
    runs = [_summary(run_place(state, name), name) for name in _names(state)]
    kept = [run for run in runs if run and (root is None or run.problem is not None or run.root == str(root))]
    return tuple(sorted(kept, key=lambda run: (run.started, run.run), reverse=True))


def find_run(state: Path, name: str | None, root: Path | None) -> str:
    """The run that a person means: a unique beginning of its id, or `@` or nothing for the repository's latest.

    Reads no more than the first lines of logs. Raises UserError where there is none, or more than one: then with the
    candidates.
    """
    if name is None or name in LATEST:
        latest = _latest(state, root)
        if latest is None:
            where = f" in {root}" if root else ""
            raise UserError(
                f"there is no run{where} yet", hint='start one: benchdog run "GOAL" --allow PATH --check CMD'
            )
        return latest
    names = _names(state)
    begun = [_beginning(state, each) for each in ([name] if name in names else names) if each.startswith(name)]
    found = sorted((each for each in begun if each), key=lambda each: (each.started, each.run), reverse=True)
    if not found:
        raise UserError(f"no run is called {name!r:.80}", hint="`benchdog runs` lists them")
    if len(found) > 1:
        shown = "\n".join(f"  {run.run}  {run.goal:.60}" for run in found[:_SHOWN])
        raise UserError(f"{name!r} could be {len(found)} runs:\n{shown}", hint="type one letter more")
    return found[0].run


def _names(state: Path) -> list[str]:
    """The runs with a log. Raises StoreError."""
    place = runs_place(state)
    try:
        return [entry.name for entry in place.iterdir() if (entry / LOG_NAME).is_file()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot read {place}: {error.strerror or error}") from error


def _latest(state: Path, root: Path | None) -> str | None:
    """The repository's run that was started last.

    A run's folder changes when the run starts or later. So where folders that changed earlier than the best start are
    all that is left, no later start is among them.
    """
    changed = sorted(((_file_time(run_place(state, name)), name) for name in _names(state)), reverse=True)
    best: RunSummary | None = None
    for time, name in changed:
        if best is not None and best.started > time:
            break
        run = _beginning(state, name)
        if run is None or run.problem is not None or (root is not None and run.root != str(root)):
            continue
        if best is None or (run.started, run.run) > (best.started, best.run):
            best = run
    return best.run if best else None


def _beginning(state: Path, run: str) -> RunSummary | None:
    """What the first line of a run's log tells; None where nothing is recorded."""
    place = run_place(state, run)
    try:
        first = read_first(place, run)
    except StoreError as error:
        return RunSummary(run=run, started=_file_time(place / LOG_NAME), problem=error.message)
    return summarise(run, fold([first.event]), (first,)) if first else None


def stats(runs: Iterable[RunSummary]) -> tuple[ModelStats, ...]:
    """Verdicts and classes of failure by model, most runs first. Runs that are not finished do not count."""
    by: dict[str, list[RunSummary]] = {}
    for run in runs:
        if run.verdict is not None:
            by.setdefault(run.model, []).append(run)
    found = [
        ModelStats(
            model=model,
            runs=len(group),
            verdicts=dict(Counter(run.verdict for run in group if run.verdict is not None)),
            classes=dict(Counter(run.failure_class for run in group if run.failure_class is not None)),
        )
        for model, group in by.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.runs, each.model)))


def _summary(place: Path, run: str) -> RunSummary | None:
    """None where nothing is recorded."""
    try:
        recorded = read_log(place, run)
    except StoreError as error:
        return RunSummary(run=run, started=_file_time(place / LOG_NAME), problem=error.message)
    return summarise(run, fold(line.event for line in recorded), recorded) if recorded else None


def summarise(run: str, state: RunState, recorded: tuple[Recorded, ...]) -> RunSummary:
    """A run's line in a list."""
    started = state.started
    return RunSummary(
        run=run,
        root=started.root if started else "",
        goal=started.goal if started else "",
        started=recorded[0].at,
        verdict=state.outcome,
        proof=state.proof,
        failure_class=state.failure_class,
        model=state.endpoint.model if state.endpoint else "",
        rounds=state.round,
        requests=state.tally.requests,
        files=len(state.changes),
        added=sum(change.added for change in state.changes),
        removed=sum(change.removed for change in state.changes),
        landing=state.landing.state if state.landing else "",
        unsafe=bool(started and started.unsafe),
    )


def _file_time(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)
