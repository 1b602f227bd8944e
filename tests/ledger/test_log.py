"""The run log: what was appended is there, whatever happens in between, and nothing else passes for it."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import StoppedClock, passed_run, record

from benchdog.errors import CorruptLog, StoreError, UserError
from benchdog.events import Event, GoalLinted, Sealed, ToolUsed
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import LOG_NAME, RunLog, parse_log, read_log

APPEND = """
import sys
from itertools import count
from pathlib import Path
from benchdog.events import ToolUsed
from benchdog.ledger.log import RunLog
from benchdog.system.clock import SystemClock
with RunLog.create(Path(sys.argv[1]), "r1", SystemClock()) as log:
    for number in count():
        log.append(ToolUsed(tool="read", detail=str(number)))
        print(number, flush=True)
"""


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """A whole log and its head."""
    place = tmp_path_factory.mktemp("sealed") / "r1"
    head = record(place, "r1", passed_run(Evidence(place)))
    return (place / LOG_NAME).read_bytes(), head


def test_a_line_is_canonical_json_and_its_hash_that_of_the_rest(sealed: tuple[bytes, str]) -> None:
    data, head = sealed
    prev = hashlib.sha256(b"r1").hexdigest()
    for number, line in enumerate(data.splitlines(), start=1):
        plain = json.loads(line)
        told = plain.pop("hash")
        canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        assert hashlib.sha256(canonical.encode()).hexdigest() == told
        assert (plain["prev"], plain["seq"]) == (prev, number)
        prev = told
    assert prev == head


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    events = passed_run(Evidence(tmp_path / "r1"))
    seen: list[Event] = []
    with RunLog.create(tmp_path / "r1", "r1", StoppedClock()) as log:
        log.subscribe(lambda recorded: seen.append(recorded.event))
        recorded = tuple(log.append(event) for event in events)
        assert (log.recorded, log.events, log.head) == (recorded, tuple(events), recorded[-1].hash)
    assert read_log(tmp_path / "r1", "r1") == recorded
    assert seen == events
    with RunLog.open(tmp_path / "r1", "r1", StoppedClock()) as log:
        log.append(Sealed(events=len(events)))
        assert log.recorded[:-1] == recorded
    assert [line.seq for line in read_log(tmp_path / "r1", "r1")] == list(range(1, len(events) + 2))


def test_a_run_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    with RunLog.create(tmp_path / "r1", "r1", StoppedClock()) as log:
        log.append(GoalLinted(hints=()))
        with pytest.raises(UserError, match="run r1 is being carried out by another process"):
            RunLog.open(tmp_path / "r1", "r1", StoppedClock())
        assert len(read_log(tmp_path / "r1", "r1")) == 1
    with pytest.raises(UserError, match="exists already"):
        RunLog.create(tmp_path / "r1", "r1", StoppedClock())
    RunLog.open(tmp_path / "r1", "r1", StoppedClock()).close()


def test_a_closed_log_takes_nothing_more(tmp_path: Path) -> None:
    log = RunLog.create(tmp_path / "r1", "r1", StoppedClock())
    log.close()
    log.close()
    with pytest.raises(StoreError, match="closed"):
        log.append(GoalLinted(hints=()))


def test_there_must_be_a_log_to_open(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no log"):
        RunLog.open(tmp_path / "r1", "r1", StoppedClock())
    with pytest.raises(StoreError, match="cannot read"):
        read_log(tmp_path / "r1", "r1")


def test_a_log_belongs_to_its_run(sealed: tuple[bytes, str]) -> None:
    with pytest.raises(CorruptLog, match="log:1: the line does not follow"):
        parse_log(sealed[0], "r2", "log")


def test_a_torn_tail_is_cut_off_at_every_byte_of_the_last_line(tmp_path: Path) -> None:
    place = tmp_path / "r1"
    with RunLog.create(place, "r1", StoppedClock()) as log:
        kept = (log.append(GoalLinted(hints=("é",))), log.append(ToolUsed(tool="read")))
        end = (place / LOG_NAME).stat().st_size
        log.append(ToolUsed(tool="search"))
    whole = (place / LOG_NAME).read_bytes()
    for size in range(end, len(whole)):
        (place / LOG_NAME).write_bytes(whole[:size])
        assert read_log(place, "r1") == kept
        with RunLog.open(place, "r1", StoppedClock()) as log:
            assert log.recorded == kept
            assert (place / LOG_NAME).read_bytes() == whole[:end]
            log.append(ToolUsed(tool="read"))
        assert len(read_log(place, "r1")) == 3


@given(st.data())
def test_a_terminated_line_that_does_not_hold_is_corruption(sealed: tuple[bytes, str], data: st.DataObject) -> None:
    lines = sealed[0].splitlines(keepends=True)
    number = data.draw(st.integers(1, len(lines)))
    place = data.draw(st.integers(0, len(lines[number - 1]) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte not in (lines[number - 1][place], 10)))
    changed = bytearray(lines[number - 1])
    changed[place] = byte
    with pytest.raises(CorruptLog) as caught:
        parse_log(b"".join([*lines[: number - 1], bytes(changed), *lines[number:]]), "r1", "log")
    assert (caught.value.line, caught.value.path) == (number, "log")


@given(st.data())
def test_whoever_holds_the_head_sees_any_changed_removed_or_added_byte(
    sealed: tuple[bytes, str], data: st.DataObject
) -> None:
    whole, head = sealed
    place = data.draw(st.integers(0, len(whole)))
    how = data.draw(st.sampled_from(["change", "remove", "insert"]))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    tail = whole[place + (how != "insert") :]
    changed = whole[:place] + (b"" if how == "remove" else byte) + tail
    if changed == whole:
        return
    try:
        recorded, end = parse_log(changed, "r1", "log")
    except CorruptLog:
        return
    assert end < len(changed) or not recorded or recorded[-1].hash != head


@given(st.binary(max_size=400))
def test_any_bytes_are_a_log_or_a_corrupt_one(data: bytes) -> None:
    try:
        parse_log(data, "r1", "log")
    except CorruptLog as error:
        assert error.line >= 1


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{}", b'{"at":1}', b"\xff", b'{"a":NaN}'])
def test_a_forged_line_with_a_right_hash_is_still_corrupt(body: bytes) -> None:
    digest = hashlib.sha256(body[:-1] + b"}").hexdigest().encode()
    with pytest.raises(CorruptLog):
        parse_log(body[:-1] + b',"hash":"' + digest + b'"}\n', "r1", "log")


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the kernel writes a part of the line, then refuses."""
    place = tmp_path / "r1"
    with RunLog.create(place, "r1", StoppedClock()) as log:
        kept = log.append(ToolUsed(tool="read"))
        size = (place / LOG_NAME).stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
            with pytest.raises(StoreError, match="cannot append to"):
                log.append(ToolUsed(tool="read", detail="x" * 4000))
            assert (place / LOG_NAME).stat().st_size == size
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, old)
        after = log.append(ToolUsed(tool="search"))
    assert read_log(place, "r1") == (kept, after)


def test_threads_append_one_after_the_other(tmp_path: Path) -> None:
    with RunLog.create(tmp_path / "r1", "r1", StoppedClock()) as log:
        order: list[int] = []
        log.subscribe(lambda recorded: order.append(recorded.seq))
        threads = [
            threading.Thread(target=lambda: [log.append(ToolUsed(tool="t")) for _ in range(20)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert order == list(range(1, 81))
    assert len(read_log(tmp_path / "r1", "r1")) == 80


@pytest.mark.parametrize("after", [0, 1, 7, 40])
def test_a_killed_process_leaves_a_prefix_with_all_that_it_was_told_is_durable(tmp_path: Path, after: int) -> None:
    place = tmp_path / "r1"
    process = subprocess.Popen([sys.executable, "-c", APPEND, str(place)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as told:
        acknowledged = [int(next(told)) for _ in range(after + 1)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in told.read().split("\n")[:-1]]
    process.wait()
    with RunLog.open(place, "r1", StoppedClock()) as log:
        details = [event.detail for event in log.events if isinstance(event, ToolUsed)]
    assert details == [str(number) for number in range(len(details))]
    assert len(details) >= len(acknowledged)


def test_no_space_is_told_with_the_way_on(tmp_path: Path) -> None:
    """/dev/full under the log's own descriptor: the write says ENOSPC, and what was written cannot be taken back."""
    place = tmp_path / "r1"
    with RunLog.create(place, "r1", StoppedClock()) as log:
        kept = log.append(ToolUsed(tool="read"))
        links = Path("/proc/self/fd").iterdir()
        (mine,) = [int(link.name) for link in links if link.exists() and link.readlink() == place / LOG_NAME]
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, mine)
        os.close(full)
        with pytest.raises(StoreError, match="No space left") as caught:
            log.append(ToolUsed(tool="read"))
        assert caught.value.hint is not None and "benchdog resume" in caught.value.hint
        with pytest.raises(StoreError, match="could not be taken back"):
            log.append(ToolUsed(tool="read"))
    assert read_log(place, "r1") == (kept,)
