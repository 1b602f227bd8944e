"""The one door to child processes.

Argv lists, a complete environment, a time limit, capped output; the whole process group is gone at the end.
A descendant that left the group on purpose (setsid) is out of reach here: only a sandbox ends those.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from benchdog.errors import HostError
from benchdog.system.cancel import Cancel

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 256 * 1024
_PIECE = 64 * 1024  # bytes read at once: what a pipe holds
_KILL_GRACE = 2.0  # seconds between SIGTERM and SIGKILL
_REAP_SECONDS = 10.0  # a killed process that is not gone by then hangs in the kernel
_LINGER_SECONDS = 0.5  # how long output is still read when the process has ended and a descendant holds the pipe
_CAN_PEEK = hasattr(os, "waitid")  # macOS has it only from Python 3.13 on; there a dead process is reaped at once
_TICK = 0.1  # seconds between two looks at cancellation, and at the end of the process where there are no pidfds


Process: TypeAlias = subprocess.Popen[bytes]
"""A running child, for those who hold one but do not start any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start. `environment` is complete: nothing is inherited. `timeout` is in seconds.

    `merge`: stderr goes into the same pipe as stdout, in the order in which both were written.
    `handshake`: the process first writes these bytes, which are no output, and reads a line from its stdin before it
    does anything: it goes on only if this process still lives by then.
    """

    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    stdin: bytes = b""
    timeout: float | None = None
    pass_fds: tuple[int, ...] = ()
    merge: bool = False
    handshake: bytes = b""


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
        if len(self.tail) > 2 * TAIL_BYTES:  # cut rarely: each cut moves the whole tail
            del self.tail[:-TAIL_BYTES]

    @property
    def dropped(self) -> int:
        return max(0, self.total - len(self.head) - TAIL_BYTES)

    def value(self) -> bytes:
        """The bytes kept, with a line between head and tail that says how many are missing."""
        gap = f"\n[... {self.dropped} bytes not kept ...]\n".encode() if self.dropped else b""
        return bytes(self.head) + gap + bytes(self.tail[-TAIL_BYTES:])


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

    `on_output` sees each piece of either stream as it arrives. Raises HostError where it cannot be started, or
    cannot be ended.
    """
    started = time.monotonic()
    process = start(command)
    # The callback only asks: it may run inside a signal handler, where waiting for the process could lock up.
    with cancel.ends(lambda: _signal_group(process, signal.SIGTERM)) if cancel else nullcontext():
        try:
            with closing(_Pump(process, command, started, cancel, on_output)) as pump:
                timed_out = pump.drain()
        finally:
            kill_group(process)
            _close(process)
    return Completed(
        exit_status=process.returncode,
        stdout=pump.stdout,
        stderr=pump.stderr,
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
            stderr=subprocess.STDOUT if command.merge else subprocess.PIPE,
            pass_fds=command.pass_fds,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise HostError(f"cannot start {command.argv[0]!r} in {str(command.cwd)!r}: {error}") from error


def replace_process(argv: Sequence[str], environment: Mapping[str, str]) -> None:
    """Becomes another program (an editor, a pager's child); returns only where that fails."""
    os.execvpe(argv[0], list(argv), dict(environment))  # noqa: S606 - no shell on purpose


def attach(argv: Sequence[str], environment: Mapping[str, str], cwd: Path) -> int:
    """Runs a program on the person's own terminal (an editor, a pager) and returns its exit status."""
    return subprocess.run(list(argv), env=dict(environment), cwd=cwd, check=False).returncode


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and everything in its group: first asked, then killed; reaped when this returns.

    Safe to call again. Raises HostError where a killed process does not go (it hangs in the kernel).
    """
    if process.returncode is not None and _CAN_PEEK:
        return  # reaped: its group's number may belong to somebody else by now
    _signal_group(process, signal.SIGTERM)
    _await_exit(process, _KILL_GRACE)
    # Before it is reaped, a dead leader keeps the group's number: nobody else's group can be hit.
    _signal_group(process, signal.SIGKILL)
    try:
        process.wait(_REAP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise HostError(
            f"process {process.pid} was killed but does not end", hint="it hangs in the kernel: look at its disk"
        ) from error
    _await_group(process.pid)


def kill_strays(program: str, folder: Path, *, removed_only: bool = False) -> None:
    """Kills processes of the program (a base name) that work below `folder`: their owner is gone. Needs /proc.

    `removed_only`: those whose own directory was removed under them; there may be others with an owner.
    """
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            cwd, executable = (entry / "cwd").readlink(), (entry / "exe").readlink()
        except OSError:
            continue  # ended meanwhile, or not ours
        if executable.name != program or not cwd.is_relative_to(folder):
            continue
        if cwd.name.endswith(" (deleted)") or not removed_only:  # proc_pid_cwd(5)
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(entry.name), signal.SIGKILL)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _await_group(group: int) -> None:
    """Waits for a killed group's last members, which are not ours to reap; those that nobody reaps are only names."""
    end = time.monotonic() + _LINGER_SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.001)


def _await_exit(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Waits for the exit without reaping, at most `seconds`."""
    end = time.monotonic() + seconds
    while not _has_ended(process) and time.monotonic() < end:
        time.sleep(0.005)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process is dead; it is not reaped by asking."""
    if process.returncode is not None:
        return True
    if not _CAN_PEEK:
        return process.poll() is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


class _Pump:
    """Feeds a process's stdin and drains its outputs. One step of `drain` acts on whatever is ready."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        command: Command,
        started: float,
        cancel: Cancel | None,
        on_output: OnOutput | None,
    ) -> None:
        assert process.stdin and process.stdout, "both are pipes"
        self.stdout, self.stderr = Output(), Output()
        self._process = process
        self._cancel = cancel
        self._on_output = on_output
        self._deadline = None if command.timeout is None else started + command.timeout
        self._pending = memoryview(b"\n" + command.stdin if command.handshake else command.stdin)
        self._handshake = command.handshake
        self._selector = selectors.DefaultSelector()
        self._open = 0
        self._linger: float | None = None
        self._exit = _open_pidfd(process.pid)
        if self._exit is not None:
            self._selector.register(self._exit, selectors.EVENT_READ, self._ended)
        self._register(process.stdout.fileno(), self.stdout)
        if process.stderr:
            self._register(process.stderr.fileno(), self.stderr)
        if not self._handshake:
            self._feed_from(process.stdin.fileno())

    def drain(self) -> bool:
        """Until the outputs are closed and the process ended, it is cancelled, or the time is over (True)."""
        while self._open or not _has_ended(self._process):
            if self._cancel and self._cancel.is_set:
                return False
            now = time.monotonic()
            if self._deadline is not None and now >= self._deadline:
                return True
            if self._linger is not None and now >= self._linger:
                return False  # a descendant holds the pipe: the group is killed by the caller
            for key, _ in self._selector.select(self._patience(now)):
                key.data()
            if self._linger is None and _has_ended(self._process):
                self._ended()
        return False

    def close(self) -> None:
        self._selector.close()
        if self._exit is not None:
            os.close(self._exit)
            self._exit = None

    def _patience(self, now: float) -> float:
        """Seconds to wait for something to happen."""
        ends = [end - now for end in (self._deadline, self._linger) if end is not None]
        return max(0.0, min([_TICK, *ends]))

    def _ended(self) -> None:
        """The process is dead: what is in the pipes is still read, but not for long."""
        if self._linger is None:
            self._linger = time.monotonic() + _LINGER_SECONDS
        if self._exit is not None:
            with suppress(KeyError):
                self._selector.unregister(self._exit)

    def _register(self, descriptor: int, output: Output) -> None:
        def ready() -> None:
            try:
                data = os.read(descriptor, _PIECE)
            except BlockingIOError:
                return
            if not data:
                self._selector.unregister(descriptor)
                self._open -= 1
                return
            data = self._greeted(data) if self._handshake else data
            output.add(data)
            if data and self._on_output:
                self._on_output(data)

        os.set_blocking(descriptor, False)
        self._selector.register(descriptor, selectors.EVENT_READ, ready)
        self._open += 1

    def _greeted(self, data: bytes) -> bytes:
        """The first output: without the handshake, which is answered. Another first output gets no input at all."""
        assert self._process.stdin, "it is a pipe"
        expected, self._handshake = self._handshake, b""
        if not data.startswith(expected):
            self._close_stdin()
            return data
        self._feed_from(self._process.stdin.fileno())
        return data[len(expected) :]

    def _feed_from(self, descriptor: int) -> None:
        def ready() -> None:
            try:
                self._pending = self._pending[os.write(descriptor, self._pending[:_PIECE]) :]
            except BlockingIOError:
                return
            except BrokenPipeError:
                self._pending = self._pending[:0]  # it reads no more: what is left is lost on purpose
            if not self._pending:
                self._selector.unregister(descriptor)
                self._close_stdin()

        if not self._pending:
            self._close_stdin()
            return
        os.set_blocking(descriptor, False)
        self._selector.register(descriptor, selectors.EVENT_WRITE, ready)

    def _close_stdin(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()


def _open_pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where the system has none."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with suppress(BrokenPipeError):  # what was not read any more is lost on purpose
                stream.close()
