"""Recomputing a run: the chain, every artefact, the seal, the report. Names the first thing that does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchdog.errors import CorruptLog, StoreError
from benchdog.events import RunState, Sealed, encode, fold
from benchdog.ledger.account import Report
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import LOG_NAME, Recorded, first_prev, parse_log
from benchdog.ledger.report import (
    RENDERED_NAME,
    REPORT_NAME,
    build_report,
    read_report,
    rendered_report,
    report_json,
)

_DIGESTS = frozenset({"contract", "request", "reply", "output", "report", "diff", "evidence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """`first_problem` names the place and what is wrong there; None where all holds.

    `lines` of the log and `artefacts` of the evidence were found to hold. `finished` is False for a run that has not
    come to its seal: then only a report of an earlier seal may lie beside it.
    """

    ok: bool
    first_problem: str | None = None
    lines: int = 0
    artefacts: int = 0
    finished: bool = False
    head: str = ""


def digests(event: Any) -> Iterator[str]:
    """Every digest that an event, as plain data, names: each is an artefact in the evidence store."""
    if isinstance(event, dict):
        for name, value in event.items():
            if name in _DIGESTS and isinstance(value, str) and value:
                yield value
            else:
                yield from digests(value)
    elif isinstance(event, list):
        for value in event:
            yield from digests(value)


def verify_run(place: Path, run: str, expected_head: str | None = None) -> Verification:
    """Recomputes all that can be recomputed of the run in `place`. Reads only; what it finds is no exception.

    `expected_head` is a head that was kept elsewhere; without it, somebody who rewrote the whole log and the report
    alike would not be noticed. Raises StoreError where there is no log to read.
    """
    path = place / LOG_NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        recorded, end = parse_log(data, run, str(path))
    except CorruptLog as error:
        return Verification(ok=False, first_problem=error.message, lines=error.line - 1)
    state = fold(line.event for line in recorded)
    head = recorded[-1].hash if recorded else first_prev(run)
    artefacts, problem = _artefacts(place, path, recorded)
    problem = problem or _ending(path, state, recorded, data[end:]) or _head(path, head, expected_head)
    problem = problem or _reports(place, recorded, sealed=state.sealed)
    return Verification(
        ok=problem is None,
        first_problem=problem,
        lines=len(recorded),
        artefacts=artefacts,
        finished=state.sealed,
        head=head,
    )


def _artefacts(place: Path, path: Path, recorded: tuple[Recorded, ...]) -> tuple[int, str | None]:
    evidence = Evidence(place)
    held: set[str] = set()
    for line in recorded:
        for digest in digests(encode(line.event)):
            if digest in held:
                continue
            try:
                evidence.get(digest)
            except StoreError as error:
                return len(held), f"{path}:{line.seq}: {error.message}"
            held.add(digest)
    return len(held), None


def _ending(path: Path, state: RunState, recorded: tuple[Recorded, ...], torn: bytes) -> str | None:
    for before, line in enumerate(recorded):
        if isinstance(line.event, Sealed) and line.event.events != before:
            return f"{path}:{line.seq}: the seal counts {line.event.events} events, but {before} stand before it"
    if state.sealed and torn:
        return f"{path}:{len(recorded) + 1}: {len(torn)} bytes stand behind the seal"
    if state.finished and not state.sealed:
        return f"{path}:{len(recorded)}: the run has a verdict, but the log does not end in a seal"
    return None


def _head(path: Path, head: str, expected: str | None) -> str | None:
    if expected is None or expected == head:
        return None
    return f"{path}: the log's head is {head}, expected was {expected}"


def _reports(place: Path, recorded: tuple[Recorded, ...], *, sealed: bool) -> str | None:
    """Both reports, byte for byte against what the log tells at its end, or, where it goes on, at one of its seals."""
    seals = [number for number, line in enumerate(recorded, start=1) if isinstance(line.event, Sealed)]
    seals = seals[-1:] if sealed else seals
    told, written, where = None, place / REPORT_NAME, place
    try:
        if sealed or written.exists():
            told = read_report(place)
            where = Path(told.report).parent  # the folder may have been moved since
    except StoreError as error:
        return error.message
    made = [build_report(fold(e.event for e in recorded[:n]), recorded[:n], recorded[n - 1].hash, where) for n in seals]
    problem = _told(written, told, made, sealed=sealed) if told else None
    return problem or _rendered(place / RENDERED_NAME, made, missing=not sealed)


def _told(path: Path, told: Report, made: list[Report], *, sealed: bool) -> str | None:
    same = next((report for report in made if report.head == told.head), None)
    if same is None:
        but = f"the log's is {made[0].head}" if sealed else "which is at no seal of the log"
        return f"{told.report or path}: the report names the head {told.head}, {but}"
    wrong = next((name for name in same.__slots__ if getattr(same, name) != getattr(told, name)), None)
    if wrong is not None:
        return f"{path}: {wrong!r} is not what the log tells"
    return _bytes_differ(path, (report_json(same).encode("ascii"),))


def _rendered(path: Path, made: list[Report], *, missing: bool) -> str | None:
    """`missing`: it need not be there."""
    if missing and not path.exists():
        return None
    return _bytes_differ(path, [rendered_report(report) for report in made])


def _bytes_differ(path: Path, possible: Sequence[bytes]) -> str | None:
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"cannot read {path}: {error.strerror or error}"
    if content in possible:
        return None
    if not possible:
        return f"{path}: there is a report, but the log has no seal"
    pairs = zip_longest(content.split(b"\n"), possible[-1].split(b"\n"))
    line = next(number for number, (one, other) in enumerate(pairs, start=1) if one != other)
    return f"{path}:{line}: the line is not what the log tells"
