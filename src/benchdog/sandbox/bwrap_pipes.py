"""How bwrap is told what to do and tells what it did, beside its command line and its output; and when all is gone."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchdog.errors import SandboxUnavailable

_GONE_SECONDS = 10.0
_PATIENCE_SECONDS = 0.5


class Status:
    """The pipe on which bwrap says what it did; the command inside does not have it."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing

    def read(self) -> dict[str, Any]:
        """All that was said, once everybody who could say more is gone."""
        os.set_blocking(self.reading, False)
        facts: dict[str, Any] = {}
        try:
            data = os.read(self.reading, 65536)
        except BlockingIOError:
            return facts
        for line in data.decode(errors="replace").splitlines():
            try:
                facts |= json.loads(line)
            except (ValueError, TypeError):
                continue
        return facts


@contextmanager
def status_pipe() -> Iterator[Status]:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        yield Status(reading, writing)
    finally:
        os.close(reading)
        os.close(writing)


@contextmanager
def argument_file(options: tuple[str, ...]) -> Iterator[int]:
    """bwrap's options in memory: on its command line every user of the machine could read the environment in it."""
    descriptor = os.memfd_create("benchdog-arguments", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(b"".join(os.fsencode(option) + b"\0" for option in options))
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def await_gone(pid: object) -> None:
    """Waits until process 1 of the namespace is gone: then every process in it is.

    Raises SandboxUnavailable where it stays, which only a hanging kernel can do.
    """
    if not isinstance(pid, int):
        return
    end = time.monotonic() + _GONE_SECONDS
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    try:
        # The number may belong to a stranger by now: only process 1 of an inner namespace is what we wait for.
        while _is_namespace_init(pid):
            if poll.poll(_PATIENCE_SECONDS * 1000):
                return
            with suppress(ProcessLookupError):  # it should have died with bwrap
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            if time.monotonic() >= end:
                raise SandboxUnavailable(f"the sandbox's first process, {pid}, was killed but does not end")
    finally:
        os.close(descriptor)


def _is_namespace_init(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return False
    numbers = [line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")]
    return bool(numbers) and len(numbers[0]) > 1 and numbers[0][-1] == "1"
