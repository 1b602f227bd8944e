"""The report: what the log tells and nothing else, in a published form, readable and harmless."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ledger_world import BASE, HOSTILE, TREE, StoppedClock, failed_run, passed_run, record

from benchdog.errors import StoreError
from benchdog.events import Accepted, Landed, LandingStarted, SandboxReady, fold
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import RunLog, read_log
from benchdog.ledger.render import render
from benchdog.ledger.report import build_report, read_report, report_json
from benchdog.ledger.report_schema import report_schema
from benchdog.verdict import FailureClass, Proof


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "r1"
    record(place, "r1", passed_run(Evidence(place)))
    return place


def test_the_report_tells_what_happened(place: Path) -> None:
    plain = json.loads((place / "report.json").read_text())
    evidence = Evidence(place)
    (check,) = plain["checks"]
    (change,) = plain["changes"]
    assert {name: plain[name] for name in ("run", "verdict", "proof", "failure_class", "rounds", "requests")} == {
        "run": "r1",
        "verdict": "passed",
        "proof": "witness",
        "failure_class": None,
        "rounds": 1,
        "requests": 1,
    }
    assert plain["tokens"] == {"prompt": 612, "cached": 100, "completion": 40, "unreported": 0}
    assert plain["hosts"] == ["127.0.0.1:8080"]
    assert (plain["base"]["tree"], plain["candidate"]) == (BASE, TREE)
    assert (check["status"], check["exit_status"], check["baseline"]["status"]) == ("green", 0, "red")
    assert check["counts"] == {"runner": "pytest", "passed": 42, "failed": 0, "skipped": 0, "complete": True}
    assert evidence.get(check["evidence"]) == b"42 passed\n"
    assert evidence.get(check["baseline"]["output"]) == b"1 failed, 41 passed\n"
    assert evidence.get(plain["diff"]).startswith(b"---")
    assert (change["path"], change["before"]["blob"], change["added"]) == ("src/ops.py", "3" * 40, 1)
    assert plain["claims"] == [HOSTILE]
    assert plain["head"] == read_log(place, "r1")[-1].hash
    assert plain["report"] == str(place / "report.json")
    assert Path(plain["evidence"]).is_dir()
    assert plain["started"] < plain["ended"]
    assert plain["unsafe"] is False


def test_the_report_reads_back(place: Path) -> None:
    recorded = read_log(place, "r1")
    report = build_report(fold(line.event for line in recorded), recorded, recorded[-1].hash, place)
    assert read_report(place) == report
    assert report_json(report) == (place / "report.json").read_text()


def test_an_unfinished_run_has_a_report_too(tmp_path: Path) -> None:
    empty = build_report(fold([]), (), "0" * 64)
    assert (empty.verdict, empty.ended, empty.base, empty.checks, empty.proof) == (None, None, None, (), Proof.NONE)
    assert render(empty).startswith("# NOT FINISHED: ")
    assert_valid(json.loads(report_json(empty)), report_schema())


def test_a_later_acceptance_and_landing_are_in_it(tmp_path: Path) -> None:
    place = tmp_path / "r1"
    events = passed_run(Evidence(place))
    events += [
        Accepted(tree=TREE, diff="d" * 64),
        LandingStarted(how="files", tree=TREE, journal="/home/ada/journal"),
        Landed(how="files", tree=TREE, paths=("src/ops.py",)),
    ]
    record(place, "r1", events)
    report = read_report(place)
    assert report.proof is Proof.ACCEPTED
    assert report.landing is not None
    assert (report.landing.state, report.landing.paths) == ("landed", ("src/ops.py",))
    assert "landing: landed (files)" in (place / "report.md").read_text()


def test_the_schema_describes_the_report(place: Path) -> None:
    schema = report_schema()
    assert json.loads(json.dumps(schema)) == schema
    plain = json.loads((place / "report.json").read_text())
    assert_valid(plain, schema)
    with pytest.raises(AssertionError):
        assert_valid({**plain, "verdict": "fine"}, schema)
    with pytest.raises(AssertionError):
        assert_valid({name: value for name, value in plain.items() if name != "head"}, schema)
    fields = schema["$defs"]["Report"]["required"]
    wanted = (
        "run goal verdict reason proof failure_class findings changes checks rounds requests tokens hosts base "
        "candidate sandbox endpoint claims events head landing started ended report evidence"
    )
    assert set(wanted.split()) <= set(fields)


def test_what_came_from_outside_stays_text(place: Path) -> None:
    text = (place / "report.md").read_text()
    outside_code = _without_code(text)
    assert "\x1b" not in text
    assert "<script>" not in outside_code
    assert not re.search(r"(?<!\\)\]\(", outside_code)
    assert "http://evil" not in outside_code
    assert "\n# Not a heading" not in outside_code
    headings = [line for line in outside_code.splitlines() if line.startswith("#")]
    assert headings[0] == "# PASSED: ops.add must add"
    assert set(headings[1:]) == {
        "## In short",
        "## Findings",
        "## Checks",
        "## Changes",
        "## Claims",
        "## Around it",
        "## Record",
    }
    (row,) = [line for line in text.splitlines() if line.startswith("| tests ")]
    assert row.replace("\\|", "").count("|") == 6
    assert "red: 1 failed, 41 passed | green: 0 failed, 42 passed (0.8 s)" in row


def test_an_unsafe_run_says_so_first(tmp_path: Path) -> None:
    place = tmp_path / "r1"
    record(place, "r1", passed_run(Evidence(place), unsafe=True))
    assert "UNSAFE" in "\n".join((place / "report.md").read_text().splitlines()[:3])
    assert read_report(place).unsafe is True


def test_a_later_sandbox_does_not_undo_an_unsafe_sitting(tmp_path: Path) -> None:
    place = tmp_path / "r1"
    events = passed_run(Evidence(place))
    record(
        place,
        "r1",
        [
            events[0],
            SandboxReady(environment="e1", backend="none", layers=(), unsafe=True),
            SandboxReady(environment="e1", backend="bubblewrap", layers=("no network",)),
            *events[1:],
        ],
    )
    assert read_report(place).unsafe is True


def test_a_failure_names_its_class(tmp_path: Path) -> None:
    place = tmp_path / "r2"
    record(place, "r2", failed_run(Evidence(place), "r2", "/home/ada/calc", FailureClass.SCOPE))
    text = (place / "report.md").read_text()
    assert text.startswith("# REJECTED: g")
    assert "class: scope" in text


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"form": "benchdog-report/1"}'])
def test_what_is_no_report_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "report.json").write_bytes(data)
    with pytest.raises(StoreError, match="is not a report"):
        read_report(tmp_path)


def test_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot read"):
        read_report(tmp_path)


def test_a_log_that_goes_on_is_sealed_again(place: Path) -> None:
    with RunLog.open(place, "r1", StoppedClock()) as log:
        log.append(Accepted(tree=TREE, diff="d" * 64))
        assert fold(log.events).sealed is False


def _without_code(text: str) -> str:
    """Markdown without its code blocks and code spans: what a viewer would interpret."""
    kept: list[str] = []
    fence = ""
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line.removesuffix("text")
        else:
            kept.append(line)
    joined = "\n".join(kept)
    while "`" in joined.replace("\\`", ""):
        start = joined.replace("\\`", "\0\0").index("`")
        ticks = joined[start:][: len(joined[start:]) - len(joined[start:].lstrip("`"))]
        end = joined.index(ticks, start + len(ticks))
        joined = joined[:start] + joined[end + len(ticks) :]
    return joined


def assert_valid(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> None:
    """Exactly the keywords that the published schema uses (JSON Schema, draft 2020-12)."""
    root = root or schema
    if "$ref" in schema:
        assert_valid(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    elif "anyOf" in schema:
        assert any(_valid(value, each, root) for each in schema["anyOf"]), (value, schema)
    elif "enum" in schema:
        assert value in schema["enum"]
    elif schema["type"] == "object":
        assert isinstance(value, dict)
        assert set(schema["required"]) == set(value) == set(schema["properties"])
        for name, each in value.items():
            assert_valid(each, schema["properties"][name], root)
    elif schema["type"] == "array":
        assert isinstance(value, list)
        for each in value:
            assert_valid(each, schema["items"], root)
    else:
        kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
        assert isinstance(value, kinds[schema["type"]])  # type: ignore[arg-type]  # types and tuples of types


def _valid(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    try:
        assert_valid(value, schema, root)
    except AssertionError:
        return False
    return True
