"""The one door to child processes.

Argv lists, a complete environment, a time limit, capped output; the whole process group is gone at the end.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchdog.errors import HostError
from benchdog.system.cancel import Cancel

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 256 * 1024
_KILL_GRACE = 2.0  # seconds between SIGTERM and SIGKILL, and at most as long again for the wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start. `environment` is complete: nothing is inherited. `timeout` is in seconds."""

    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    stdin: bytes = b""
    timeout: float | None = None
    pass_fds: tuple[int, ...] = ()


@dataclass(slots=True)
class Output:
    """What a stream carried: the first HEAD_BYTES and the last TAIL_BYTES, and how many there were in all."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    total: int = 0

    def add(self, data: bytes) -> None:
        self.total += len(data)
        room = HEAD_BYTES - len(self.head)
        if room > 0:
            self.head += data[:room]
            data = data[room:]
        self.tail += data
        if len(self.tail) > TAIL_BYTES:
            del self.tail[:-TAIL_BYTES]

    @property
    def dropped(self) -> int:
        return self.total - len(self.head) - len(self.tail)

    def value(self) -> bytes:
        """The bytes kept, with a line between head and tail that says how many are missing."""
        gap = f"\n[... {self.dropped} bytes not kept ...]\n".encode() if self.dropped else b""
        return bytes(self.head) + gap + bytes(self.tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A finished process. `exit_status` is negative for a signal; output holds what was kept of each stream."""

    exit_status: int
    stdout: Output
    stderr: Output
    seconds: float
    timed_out: bool = False
    cancelled: bool = False


OnOutput = Callable[[bytes], None]


def run(command: Command, *, cancel: Cancel | None = None, on_output: OnOutput | None = None) -> Completed:
    """Runs to the end, to the time limit or to cancellation; the process group is gone when this returns.

    `on_output` sees each piece of either stream as it arrives. Raises HostError where it cannot be started.
    """
    started = time.monotonic()
    process = start(command)
    with cancel.ends(lambda: kill_group(process)) if cancel else nullcontext():
        try:
            stdout, stderr, timed_out = _pump(process, command, started, on_output)
        finally:
            kill_group(process)
            process.wait()
            _close(process)
    return Completed(
        exit_status=process.returncode,
        stdout=stdout,
        stderr=stderr,
        seconds=time.monotonic() - started,
        timed_out=timed_out,
        cancelled=cancel.is_set if cancel else False,
    )


def start(command: Command) -> subprocess.Popen[bytes]:
    """A running process with pipes on its three streams, in a process group of its own."""
    try:
        return subprocess.Popen(
            list(command.argv),
            cwd=command.cwd,
            env=dict(command.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=command.pass_fds,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise HostError(f"cannot start {command.argv[0]!r}: {error}") from error


def replace_process(argv: Sequence[str], environment: Mapping[str, str]) -> None:
    """Becomes another program (an editor, a pager's child); returns only where that fails."""
    os.execvpe(argv[0], list(argv), dict(environment))  # noqa: S606 - no shell on purpose


def attach(argv: Sequence[str], environment: Mapping[str, str], cwd: Path) -> int:
    """Runs a program on the person's own terminal (an editor, a pager) and returns its exit status."""
    return subprocess.run(list(argv), env=dict(environment), cwd=cwd, check=False).returncode


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and everything in its group: first asked, then killed. Safe to call again."""
    for number, grace in ((signal.SIGTERM, _KILL_GRACE), (signal.SIGKILL, _KILL_GRACE)):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            continue


def _pump(
    process: subprocess.Popen[bytes], command: Command, started: float, on_output: OnOutput | None
) -> tuple[Output, Output, bool]:
    """Feeds stdin and drains both outputs until they close, the process ends or the time is over."""
    outputs = {"out": Output(), "err": Output()}
    pending = memoryview(command.stdin)
    assert process.stdin and process.stdout and process.stderr
    with selectors.DefaultSelector() as selector:
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, name)
        if pending:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE, "in")
        else:
            process.stdin.close()
        while selector.get_map():
            left = None if command.timeout is None else started + command.timeout - time.monotonic()
            if left is not None and left <= 0:
                return outputs["out"], outputs["err"], True
            ready = selector.select(min(0.1, left) if left is not None else 0.1)
            for key, _ in ready:
                if key.data == "in":
                    pending = _feed(process.stdin, pending)
                    if not pending:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                elif not _drain(key.fileobj, outputs[key.data], on_output):  # type: ignore[arg-type]  # registered above
                    selector.unregister(key.fileobj)
            if not ready and process.poll() is not None:
                break  # ended, but a descendant holds the pipe: the group is killed by the caller
    left = None if command.timeout is None else max(0.0, started + command.timeout - time.monotonic())
    try:
        process.wait(left)
    except subprocess.TimeoutExpired:
        return outputs["out"], outputs["err"], True
    return outputs["out"], outputs["err"], False


def _feed(stream: IO[bytes], pending: memoryview) -> memoryview:
    try:
        return pending[os.write(stream.fileno(), pending[:65536]) :]
    except BlockingIOError:
        return pending
    except BrokenPipeError:
        return pending[:0]


def _drain(stream: IO[bytes], output: Output, on_output: OnOutput | None) -> bool:
    """Reads one piece; False at the end of the stream."""
    try:
        data = os.read(stream.fileno(), 65536)
    except BlockingIOError:
        return True
    if data:
        output.add(data)
        if on_output:
            on_output(data)
    return bool(data)


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            try:
                stream.close()
            except BrokenPipeError:
                continue  # what was not read any more is lost on purpose
