from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchdog.errors import HostError
from benchdog.system.cancel import Cancel
from benchdog.system.process import (
    HEAD_BYTES,
    TAIL_BYTES,
    Command,
    Completed,
    Output,
    attach,
    kill_group,
    replace_process,
    run,
    start,
)

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def command(*argv: str, cwd: Path = Path("/"), stdin: bytes = b"", timeout: float | None = 60.0) -> Command:
    return Command(argv=argv, cwd=cwd, environment=ENVIRONMENT, stdin=stdin, timeout=timeout)


def shell(line: str, **options: object) -> Command:
    return command("/bin/sh", "-c", line, **options)  # type: ignore[arg-type]  # the options of `command`


def said(completed: Completed) -> tuple[int, bytes, bytes]:
    return completed.exit_status, completed.stdout.value(), completed.stderr.value()


@contextmanager
def lifeline(tmp_path: Path) -> Iterator[Path]:
    """A named pipe to be held open by a process; at the end of the block nobody may hold it."""
    path = tmp_path / "line"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield path
        assert os.read(reader, 10) == b"up\n", "the process that should be gone was never there"
        assert os.read(reader, 10) == b""
    finally:
        os.close(reader)


def test_both_streams_and_the_exit_status_arrive() -> None:
    assert said(run(shell("echo out; echo err >&2; exit 3"))) == (3, b"out\n", b"err\n")


def test_merged_streams_keep_their_order() -> None:
    merged = Command(
        argv=("/bin/sh", "-c", "echo 1; echo 2 >&2; echo 3"), cwd=Path("/"), environment=ENVIRONMENT, merge=True
    )
    assert said(run(merged)) == (0, b"1\n2\n3\n", b"")


def test_nothing_is_inherited() -> None:
    completed = run(Command(argv=("/usr/bin/env",), cwd=Path("/"), environment={"ONLY": "this"}))
    assert said(completed) == (0, b"ONLY=this\n", b"")


def test_descriptors_are_not_inherited_but_those_passed() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    try:
        line = f"for n in {reading} {writing}; do [ -e /proc/$$/fd/$n ] && echo $n; done; true"
        kept = Command(argv=("/bin/sh", "-c", line), cwd=Path("/"), environment=ENVIRONMENT, pass_fds=(writing,))
        assert said(run(shell(line))) == (0, b"", b"")
        assert said(run(kept)) == (0, f"{writing}\n".encode(), b"")
    finally:
        os.close(reading)
        os.close(writing)


def test_it_starts_in_its_directory(tmp_path: Path) -> None:
    assert run(command("/bin/pwd", cwd=tmp_path)).stdout.value() == f"{tmp_path}\n".encode()


def test_large_input_comes_through_while_output_is_drained() -> None:
    data = os.urandom(1024 * 1024)
    completed = run(command("/bin/cat", stdin=data))
    assert (completed.exit_status, completed.stdout.total) == (0, len(data))
    assert completed.stdout.value()[:HEAD_BYTES] == data[:HEAD_BYTES]
    assert completed.stdout.value()[-TAIL_BYTES:] == data[-TAIL_BYTES:]


def test_input_that_nobody_reads_is_lost() -> None:
    assert said(run(command("/bin/true", stdin=b"x" * 10_000_000))) == (0, b"", b"")


def test_input_half_read_does_not_hang() -> None:
    assert said(run(command("/usr/bin/head", "-c", "3", stdin=b"x" * 10_000_000))) == (0, b"xxx", b"")


def test_a_gigabyte_is_drained_in_bounded_memory() -> None:
    seen = 0

    def count(data: bytes) -> None:
        nonlocal seen
        seen += len(data)

    completed = run(shell("yes | head -c 1000000000; echo end"), on_output=count)
    kept = completed.stdout.value()
    assert (completed.exit_status, completed.stdout.total, seen) == (0, 1_000_000_004, 1_000_000_004)
    assert len(kept) < HEAD_BYTES + TAIL_BYTES + 100
    assert kept.endswith(b"y\nend\n")
    assert len(completed.stdout.tail) <= 2 * TAIL_BYTES


def test_who_ignores_being_asked_is_killed(tmp_path: Path) -> None:
    with lifeline(tmp_path) as path:
        completed = run(shell(f"trap '' TERM; exec 3>{path}; echo up >&3; sleep 600", timeout=0.3))
    assert (completed.exit_status, completed.timed_out, completed.cancelled) == (-signal.SIGKILL, True, False)
    assert completed.seconds < 5


def test_who_heeds_being_asked_says_goodbye() -> None:
    line = "trap 'echo bye; exit 9' TERM; echo up; while :; do sleep 0.05; done"
    completed = run(shell(line, timeout=0.3))
    assert (completed.timed_out, completed.exit_status) == (True, 9)


def test_children_in_the_group_end_with_it(tmp_path: Path) -> None:
    with lifeline(tmp_path) as path:
        line = f"( exec 3>{path}; echo up >&3; touch {tmp_path}/ready; exec sleep 600 ) & "
        completed = run(shell(f"{line} while ! [ -e {tmp_path}/ready ]; do :; done"))
    assert said(completed) == (0, b"", b"")
    assert completed.seconds < 5


def test_a_daemon_that_holds_the_output_does_not_hold_us() -> None:
    """It left the group, so it lives on; but its pipe is not waited for, and what it writes is not drained for ever."""
    line = "setsid sh -c 'echo $$; trap \"\" PIPE; while :; do echo x; done' & read x < /dev/null; sleep 0.1"
    completed = run(shell(line))
    stray = int(completed.stdout.value().split(b"\n", 1)[0])
    os.kill(stray, signal.SIGKILL)
    assert (completed.exit_status, completed.timed_out) == (0, False)
    assert completed.seconds < 5


def test_a_handshake_is_no_output_and_comes_before_the_input() -> None:
    greets = Command(
        argv=("/bin/sh", "-c", "printf 'hi'; read go || exit 9; cat; echo end"),
        cwd=Path("/"),
        environment=ENVIRONMENT,
        stdin=b"data\n",
        handshake=b"hi",
    )
    seen: list[bytes] = []
    assert said(run(greets, on_output=seen.append)) == (0, b"data\nend\n", b"")
    assert b"".join(seen) == b"data\nend\n"


def test_who_does_not_greet_gets_no_input() -> None:
    silent = Command(
        argv=("/bin/sh", "-c", "echo oops; read go && exit 1; exit 9"),
        cwd=Path("/"),
        environment=ENVIRONMENT,
        stdin=b"data\n",
        handshake=b"hi",
    )
    assert said(run(silent)) == (9, b"oops\n", b"")


def test_who_is_killed_before_it_answers_starts_nothing(tmp_path: Path) -> None:
    """The child of a process that dies before the handshake finds no answer and ends."""
    with lifeline(tmp_path) as path:
        second = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        script = (
            "import os, sys\nfrom pathlib import Path\nfrom benchdog.system.process import Command, start\n"
            f'line = "exec 3>{path}; echo up >&3; printf hi; read go || exit 9; touch {tmp_path}/started"\n'
            "child = start(Command(argv=('/bin/sh', '-c', line), cwd=Path('/'), environment={}))\n"
            "os.read(child.stdout.fileno(), 2)\nos.kill(os.getpid(), 9)"
        )
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
        killed = run(Command(argv=(sys.executable, "-c", script), cwd=Path("/"), environment=environment))
        assert killed.exit_status == -signal.SIGKILL
        poll = select.poll()
        poll.register(second, 0)  # only the end of the last writer
        assert poll.poll(10_000), "somebody still holds it"
        os.close(second)
    assert not (tmp_path / "started").exists()


def test_closed_streams_are_no_end() -> None:
    completed = run(shell("exec >&- 2>&-; sleep 0.2; exit 4"))
    assert (completed.exit_status, completed.seconds > 0.2) == (4, True)


def test_closed_streams_do_not_escape_the_limit() -> None:
    completed = run(shell("exec >&- 2>&-; sleep 600", timeout=0.2))
    assert (completed.timed_out, completed.exit_status) == (True, -signal.SIGTERM)


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        (("/no/such/program",), "/", "cannot start '/no/such/program' in '/': "),
        (("/etc/passwd",), "/", "cannot start '/etc/passwd' in '/': "),
        (("/bin/true",), "/no/such/place", "cannot start '/bin/true' in '/no/such/place': "),
        (("/bin/echo", "a\0b"), "/", "cannot start '/bin/echo' in '/': "),
    ],
)
def test_what_cannot_start_is_named(argv: tuple[str, ...], cwd: str, message: str) -> None:
    with pytest.raises(HostError) as caught:
        run(command(*argv, cwd=Path(cwd)))
    assert caught.value.message.startswith(message)


def test_cancelling_ends_it_from_another_thread() -> None:
    cancel = Cancel()
    up = threading.Event()

    def late() -> None:
        up.wait()
        cancel.set()

    thread = threading.Thread(target=late)
    thread.start()
    completed = run(shell("echo up; sleep 600"), cancel=cancel, on_output=lambda _: up.set())
    thread.join()
    assert (completed.cancelled, completed.timed_out, completed.exit_status) == (True, False, -signal.SIGTERM)
    assert completed.seconds < 5


def test_cancelling_works_from_a_signal_handler() -> None:
    cancel = Cancel()
    before = signal.signal(signal.SIGUSR1, lambda number, frame: cancel.set())
    try:
        completed = run(
            shell("trap '' TERM; exec >&- 2>&-; kill -USR1 $PPID; while :; do sleep 1; done"), cancel=cancel
        )
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (completed.cancelled, completed.exit_status) == (True, -signal.SIGKILL)
    assert completed.seconds < 5


def test_cancelled_before_it_starts_it_ends_at_once() -> None:
    cancel = Cancel()
    cancel.set()
    completed = run(shell("sleep 600"), cancel=cancel)
    assert (completed.cancelled, completed.seconds < 5) == (True, True)


def test_an_error_of_the_onlooker_ends_the_process(tmp_path: Path) -> None:
    def broken(data: bytes) -> None:
        raise ValueError("onlooker")

    with lifeline(tmp_path) as path, pytest.raises(ValueError, match="onlooker"):
        run(shell(f"exec 3>{path}; echo up >&3; echo x; sleep 600"), on_output=broken)


def test_killing_twice_hits_nobody_else() -> None:
    process = start(shell("sleep 600"))
    kill_group(process)
    assert process.returncode == -signal.SIGTERM
    kill_group(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream
        stream.close()


def test_no_descriptor_is_left() -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(20):
        run(shell("cat; echo x >&2", stdin=b"x"))
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_attached_programs_tell_their_exit_status(tmp_path: Path) -> None:
    assert attach(("/bin/sh", "-c", "exit 7"), ENVIRONMENT, tmp_path) == 7


def test_replacing_the_process_gives_it_up() -> None:
    script = (
        "from benchdog.system.process import replace_process\n"
        "replace_process(('/bin/sh', '-c', 'echo $ONLY'), {'ONLY': 'this', 'PATH': '/bin'})"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    replaced = run(Command(argv=(sys.executable, "-c", script), cwd=Path("/"), environment=environment))
    assert said(replaced) == (0, b"this\n", b"")
    with pytest.raises(OSError, match="No such file"):
        replace_process(("/no/such/program",), {})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 300_000), max_size=12))
def test_output_keeps_head_and_tail_of_any_pieces(sizes: list[int]) -> None:
    whole = b"".join(bytes([65 + index]) * size for index, size in enumerate(sizes))
    output, place = Output(), 0
    for size in sizes:
        output.add(whole[place : place + size])
        place += size
    value = output.value()
    assert output.total == len(whole)
    if len(whole) <= HEAD_BYTES + TAIL_BYTES:
        assert (value, output.dropped) == (whole, 0)
    else:
        gap = f"\n[... {len(whole) - HEAD_BYTES - TAIL_BYTES} bytes not kept ...]\n".encode()
        assert value == whole[:HEAD_BYTES] + gap + whole[-TAIL_BYTES:]
