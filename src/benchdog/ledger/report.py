"""From a run's log to its report: built from the folded state alone, written beside the log, read back.

Every fact in it points at an artefact (see `account.py`); `report_schema` publishes the form.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchdog.checks import CheckResult
from benchdog.errors import StoreError
from benchdog.events import RunStarted, RunState, SandboxReady, from_plain, to_plain
from benchdog.ledger.account import FORM, Counts, Outcome, Replies, Report, ReportedCheck, Tokens
from benchdog.ledger.evidence import FOLDER
from benchdog.ledger.log import Recorded
from benchdog.ledger.render import render
from benchdog.system.files import write_durably

REPORT_NAME = "report.json"
RENDERED_NAME = "report.md"


def build_report(state: RunState, recorded: Sequence[Recorded], head: str, place: Path | None = None) -> Report:
    """The report of a run from its folded state; `recorded` gives the times, `place` the paths."""
    started, verdict, tally = state.started, state.verdict, state.tally
    return Report(
        form=FORM,
        run=started.run if started else "",
        version=started.version if started else "",
        root=started.root if started else "",
        goal=started.goal if started else "",
        verdict=state.outcome,
        reason=verdict.reason if verdict else "",
        next_step=verdict.next_step if verdict else "",
        proof=state.proof,
        failure_class=state.failure_class,
        unsafe=_unsafe(recorded),
        findings=state.findings,
        changes=state.changes,
        diff=state.diff,
        checks=_checks(state),
        gates=state.gates,
        rounds=state.round,
        requests=tally.requests,
        tokens=Tokens(
            prompt=tally.prompt, cached=tally.cached, completion=tally.completion, unreported=tally.unreported
        ),
        replies=Replies(
            received=tally.replies,
            invalid=tally.invalid,
            recovered=tally.recovered,
            edits=tally.edits,
            refused=tally.refused,
            seconds=round(tally.model_seconds, 3),
        ),
        hosts=state.hosts,
        contract=state.contract,
        hints=state.hints,
        base=state.base,
        candidate=state.candidate,
        sandbox=state.sandbox,
        endpoint=state.endpoint,
        claims=state.claims,
        question=state.asked.question if state.asked else None,
        accepted=state.accepted,
        landing=state.landing,
        discarded=state.discarded,
        started=recorded[0].at.isoformat() if recorded else "",
        ended=recorded[-1].at.isoformat() if recorded and state.finished else None,
        events=len(recorded),
        head=head,
        report=str(place / REPORT_NAME) if place else "",
        evidence=str(place / FOLDER) if place else "",
    )


def _unsafe(recorded: Sequence[Recorded]) -> bool:
    """Whether anything ever ran without a sandbox: a later sitting with one does not undo it."""
    return any(isinstance(line.event, RunStarted | SandboxReady) and line.event.unsafe for line in recorded)


def _checks(state: RunState) -> tuple[ReportedCheck, ...]:
    base = {result.name: result for result in state.baseline}
    candidate = {result.name: result for result in state.checks}
    return tuple(_reported(name, candidate.get(name), base.get(name)) for name in dict.fromkeys((*base, *candidate)))


def _reported(name: str, result: CheckResult | None, base: CheckResult | None) -> ReportedCheck:
    told = result or base
    assert told is not None, "a check is known by a result"
    return ReportedCheck(
        name=name,
        run=told.run,
        status=result.status if result else None,
        exit_status=result.exit_status if result else None,
        seconds=result.seconds if result else 0.0,
        counts=_counts(result) if result else None,
        evidence=result.output if result else "",
        tests=result.report if result else "",
        distilled=result.distilled if result else "",
        fix=result.fix if result else None,
        baseline=_outcome(base) if base else None,
    )


def _outcome(result: CheckResult) -> Outcome:
    return Outcome(
        status=result.status,
        exit_status=result.exit_status,
        seconds=result.seconds,
        counts=_counts(result),
        output=result.output,
        tests=result.report,
        fix=result.fix,
        distilled=result.distilled,
    )


def _counts(result: CheckResult) -> Counts | None:
    tests = result.tests
    if tests is None:
        return None
    return Counts(
        runner=tests.runner,
        passed=tests.passed,
        failed=tests.failed,
        skipped=tests.skipped,
        complete=tests.complete,
    )


def report_json(report: Report) -> str:
    """The report as it lies in `report.json`: ASCII, so that file names of any bytes survive."""
    return json.dumps(to_plain(report), indent=2) + "\n"


def read_report(place: Path) -> Report:
    """The report in a run's folder. Raises StoreError where it is missing or is not one of this form."""
    path = place / REPORT_NAME
    try:
        return from_plain(Report, json.loads(path.read_bytes(), object_pairs_hook=_once))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not a report: {error!s:.200}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: of two equal ones, each reader would believe another. Raises ValueError."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r:.80} stands twice in one object")
        found[key] = value
    return found


def rendered_report(report: Report) -> bytes:
    """The report as it lies in `report.md`."""
    return render(report).encode("utf-8", "backslashreplace")


def write_report(place: Path, state: RunState, recorded: Sequence[Recorded], head: str) -> Report:
    """Writes `report.json` and `report.md` into the run's folder, durably. Raises StoreError."""
    report = build_report(state, recorded, head, place)
    write_durably(place / RENDERED_NAME, rendered_report(report))
    write_durably(place / REPORT_NAME, report_json(report).encode("ascii"))
    return report
