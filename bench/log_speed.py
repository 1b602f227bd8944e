"""The run log: 10,000 events read, decoded and folded; durable appends, and how many fsyncs one costs.

The fsyncs are counted by strace in a second process; without strace that figure is left out, and the note says so.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.events import (
    CandidateTaken,
    CheckFinished,
    EditApplied,
    Event,
    GateFinished,
    ReplyReceived,
    RequestSent,
    RoundStarted,
    Stage,
    ToolUsed,
    fold,
)
from benchdog.ledger.log import RunLog, first_prev, make_line, read_log
from benchdog.system.clock import SystemClock
from benchdog.trees import Change, Entry, Mode
from benchdog.verdict import Finding, Severity

EVENTS = 10_000
APPENDS = 300
REPEATS = 5
DIGEST = "0" * 64


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        if sys.argv[1:2] == ["append"]:
            append(place, int(sys.argv[2]))
            return
        found = [
            {"name": f"{EVENTS:,} events read and folded", "value": folded(place), "unit": "s", "limit": 0.5},
            {"name": "durable appends", "value": round(append(place / "appends", APPENDS)), "unit": "per s"},
        ]
        counted = fsyncs()
        if counted is not None:
            found.append({"name": "fsyncs for one append", "value": counted, "unit": "", "limit": 1})
    note = "" if counted is not None else "fsyncs are not counted: strace is not installed, or may not trace here"
    sys.stdout.write(json.dumps({"figures": found, "note": note}) + "\n")


def happened() -> Iterator[Event]:
    """A run as it goes, over and over."""
    change = Change(path="src/app.py", before=Entry(Mode.FILE, DIGEST[:40]), after=Entry(Mode.FILE, DIGEST[:40]))
    tests = TestReport(runner="pytest", passed=41, failed=1, failed_ids=("tests/test_app.py::test_add",))
    result = CheckResult(
        name="tests", run="pytest -q", status=CheckStatus.RED, exit_status=1, seconds=0.8, output=DIGEST, tests=tests
    )
    finding = Finding(gate="checks", severity=Severity.BLOCK, message="tests is red", evidence=DIGEST)
    return cycle(
        (
            RoundStarted(round=1, tree=DIGEST[:40], findings=(finding,)),
            RequestSent(number=1, request=DIGEST),
            ReplyReceived(number=1, reply=DIGEST, finish="stop", calls=("edit",), prompt_tokens=600, seconds=2.0),
            ToolUsed(tool="read", detail="src/app.py"),
            EditApplied(path="src/app.py", line=12, added=1, removed=1),
            CandidateTaken(round=1, tree=DIGEST[:40], changes=(change,), diff=DIGEST),
            CheckFinished(stage=Stage.REPLY, tree=DIGEST[:40], result=result),
            GateFinished(gate="checks", findings=(finding,)),
        )
    )


def folded(place: Path) -> float:
    """Seconds from the file to the state, median. The file is written without fsyncs: they are measured elsewhere."""
    prev, lines = first_prev("bench"), []
    for number, event in enumerate(islice(happened(), EVENTS), start=1):
        line, recorded = make_line(event, number, SystemClock().now(), prev)
        lines.append(line)
        prev = recorded.hash
    (place / "log.jsonl").write_bytes(b"".join(lines))
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        fold(recorded.event for recorded in read_log(place, "bench"))
        seconds.append(time.perf_counter() - started)
    return round(statistics.median(seconds), 3)


def append(place: Path, count: int) -> float:
    """Durable appends per second."""
    with RunLog.create(place, "bench", SystemClock()) as log:
        started = time.perf_counter()
        for event in islice(happened(), count):
            log.append(event)
        return count / (time.perf_counter() - started) if count else 0.0


def fsyncs() -> float | None:
    """fsyncs for one append: those of a process that appends, less those of one that only opens the log."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    counts = []
    for number in (0, 100):
        argv = [strace, "-f", "-qq", "-e", "trace=fsync,fdatasync", sys.executable, __file__, "append", str(number)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
        counts.append(len(re.findall(r"\bf(?:data)?sync\(", done.stderr)))
    return (counts[1] - counts[0]) / 100


if __name__ == "__main__":
    main()
