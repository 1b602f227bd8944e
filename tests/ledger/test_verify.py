"""Recomputing a run names the first thing that does not hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import StoppedClock, failed_run, passed_run, record

from benchdog.errors import StoreError
from benchdog.events import Refined, Sealed, fold
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import LOG_NAME, RunLog, read_log
from benchdog.ledger.report import write_report
from benchdog.ledger.verify import digests, verify_run
from benchdog.verdict import FailureClass


@pytest.fixture
def place(tmp_path: Path) -> Path:
    record(tmp_path / "r1", "r1", passed_run(Evidence(tmp_path / "r1")))
    return tmp_path / "r1"


def test_a_whole_run_holds(place: Path) -> None:
    head = read_log(place, "r1")[-1].hash
    found = verify_run(place, "r1", head)
    assert (found.ok, found.first_problem, found.lines, found.finished, found.head) == (True, None, 16, True, head)
    assert found.artefacts == len(list((place / "evidence").glob("*/*")))


def test_a_folder_that_was_moved_holds(place: Path) -> None:
    moved = place.parent / "elsewhere"
    place.rename(moved)
    assert verify_run(moved, "r1").ok


def test_another_head_than_expected_is_named(place: Path) -> None:
    found = verify_run(place, "r1", "0" * 64)
    assert not found.ok
    assert found.first_problem is not None and "expected was 000" in found.first_problem


@given(st.data())
def test_any_byte_of_the_log_counts(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    place = tmp_path_factory.mktemp("any") / "r1"
    head = record(place, "r1", failed_run(Evidence(place), "r1", "/home/ada", FailureClass.SCOPE))
    whole = (place / LOG_NAME).read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    how = data.draw(st.sampled_from(["change", "remove", "insert"]))
    byte = b"" if how == "remove" else data.draw(st.binary(min_size=1, max_size=1))
    changed = whole[:at] + byte + whole[at + (how != "insert") :]
    (place / LOG_NAME).write_bytes(changed)
    assert verify_run(place, "r1", head).ok == (changed == whole)


def _artefact(place: Path) -> Path:
    """The output of the check on the base: named by line 5, as the first that is not the contract."""
    return Evidence(place).path(next(digests({"output": _line(place, 5)["event"]["result"]["output"]})))


def _line(place: Path, number: int) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = json.loads((place / LOG_NAME).read_bytes().splitlines()[number - 1])
    return found


def _edit_report(place: Path, **fields: object) -> None:
    plain = json.loads((place / "report.json").read_text())
    (place / "report.json").write_text(json.dumps({**plain, **fields}))


def _replace(place: Path, name: str, old: str, new: str) -> None:
    text = (place / name).read_text()
    assert old in text
    (place / name).write_text(text.replace(old, new, 1))


def _cut(place: Path, lines: int, *gone: str) -> None:
    for name in gone:
        (place / name).unlink()
    (place / LOG_NAME).write_bytes(b"".join((place / LOG_NAME).read_bytes().splitlines(True)[:lines]))


SPOILERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "artefact changed": (lambda place: _artefact(place).write_bytes(b"42 passed\n"), "log.jsonl:5: evidence"),
    "artefact gone": (lambda place: _artefact(place).unlink(), "log.jsonl:5: evidence"),
    "all evidence gone": (lambda place: shutil.rmtree(place / "evidence"), "log.jsonl:1: evidence"),
    "report gone": (lambda place: (place / "report.json").unlink(), "cannot read"),
    "report is nonsense": (lambda place: (place / "report.json").write_text("[]"), "is not a report"),
    "report of another head": (lambda place: _edit_report(place, head="0" * 64), "names the head 000"),
    "report with another verdict": (lambda place: _edit_report(place, verdict="held"), "'verdict' is not what"),
    "report with more tokens": (lambda place: _edit_report(place, requests=7), "'requests' is not what"),
    "key twice": (
        lambda place: _replace(place, "report.json", '"form"', '"verdict": "held", "form"'),
        "'verdict' stands twice",
    ),
    "report written otherwise": (_edit_report, "report.json:1: the line is not what"),
    "report with other paths": (lambda place: _edit_report(place, evidence="/tmp"), "'evidence' is not what"),
    "readable report gone": (lambda place: (place / "report.md").unlink(), "cannot read"),
    "readable report edited": (
        lambda place: _replace(place, "report.md", "# PASSED", "# HELD"),
        "report.md:1: the line is not what the log tells",
    ),
    "readable report longer": (lambda place: _replace(place, "report.md", "## Record", "yes\n## Record"), "report.md:"),
    "report of a longer log": (lambda place: _cut(place, 7), "which is at no seal of the log"),
    "only a readable report of a longer log": (
        lambda place: _cut(place, 7, "report.json"),
        "there is a report, but the log has no seal",
    ),
    "bytes behind the seal": (
        lambda place: (place / LOG_NAME).write_bytes((place / LOG_NAME).read_bytes() + b"x"),
        "log.jsonl:17: 1 bytes stand behind the seal",
    ),
    "seal cut off": (
        lambda place: (place / LOG_NAME).write_bytes(b"".join((place / LOG_NAME).read_bytes().splitlines(True)[:-1])),
        "the log does not end in a seal",
    ),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_what_does_not_hold_is_named(place: Path, name: str) -> None:
    spoil, message = SPOILERS[name]
    spoil(place)
    found = verify_run(place, "r1")
    assert not found.ok
    assert found.first_problem is not None and message in found.first_problem


def test_the_first_of_several_is_named(place: Path) -> None:
    _edit_report(place, verdict="held")
    _artefact(place).unlink()
    found = verify_run(place, "r1")
    assert found.first_problem is not None and "log.jsonl:5" in found.first_problem


def test_a_seal_that_counts_wrong_is_named(tmp_path: Path) -> None:
    place = tmp_path / "r1"
    with RunLog.create(place, "r1", StoppedClock()) as log:
        for event in failed_run(Evidence(place), "r1", "/home/ada", FailureClass.SCOPE):
            log.append(event)
        log.append(Sealed(events=99))
        write_report(place, fold(log.events), log.recorded, log.head)
    found = verify_run(place, "r1")
    assert found.first_problem is not None and "the seal counts 99 events, but 3 stand before it" in found.first_problem


def test_a_run_that_goes_on_holds_without_seal_and_report(tmp_path: Path) -> None:
    place = tmp_path / "r1"
    with RunLog.create(place, "r1", StoppedClock()) as log:
        for event in passed_run(Evidence(place))[:8]:
            log.append(event)
    with (place / LOG_NAME).open("ab") as file:
        file.write(b'{"at":"20')  # torn: the process was killed
    found = verify_run(place, "r1")
    assert (found.ok, found.lines, found.finished) == (True, 8, False)


def test_a_run_that_goes_on_holds_beside_the_report_of_its_last_seal(place: Path) -> None:
    with RunLog.open(place, "r1", StoppedClock()) as log:
        log.append(Refined(text="a docstring too"))
    assert verify_run(place, "r1").ok
    _replace(place, "report.md", "# PASSED", "# HELD")
    found = verify_run(place, "r1")
    assert found.first_problem is not None and "report.md:1: the line is not what" in found.first_problem


def test_killed_between_a_second_seal_and_its_reports_the_first_ones_hold(place: Path) -> None:
    before = (place / "report.json").read_bytes()
    with RunLog.open(place, "r1", StoppedClock()) as log:
        log.append(Refined(text="a docstring too"))
        log.append(Sealed(events=len(log.events)))
        write_report(place, fold(log.events), log.recorded, log.head)
        (place / "report.json").write_bytes(before)  # report.md is written first
        found = verify_run(place, "r1")
        assert found.first_problem is not None and "the report names the head" in found.first_problem
        log.append(Refined(text="and a test"))
    assert verify_run(place, "r1").ok


def test_there_must_be_a_log(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot read"):
        verify_run(tmp_path, "r1")
