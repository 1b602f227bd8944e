"""The backend that enforces nothing, which a person must ask for by name. It still keeps off the person's tree."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchdog.sandbox.environment import Seen, command_environment
from benchdog.sandbox.layers import private_layer
from benchdog.sandbox.policy import Policy, SandboxedCommand, SandboxedResult
from benchdog.system.cancel import Cancel
from benchdog.system.environment import Environment
from benchdog.system.process import Command, run
from benchdog.system.randomness import new_id

_MARK = "BENCHDOG_COMMAND"  # in the environment of every process of one command, so that strays can be found
_SWEEPS = 5


class Unsafe:
    """Runs commands with all the person's rights, in a copy of the tree beside it.

    Lent directories are linked into the copy. The copy lies at a path of its own: what refers to the repository by
    an absolute path (an editable install) reaches the person's own tree, not the checked one.
    """

    name = "none"
    unsafe = True

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def layers(self) -> tuple[str, ...]:
        return ("nothing is enforced: commands run with all your rights, with network", "private tree (a copy)")

    def run(
        self,
        command: SandboxedCommand,
        policy: Policy,
        *,
        cancel: Cancel | None = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> SandboxedResult:
        """See `policy.Sandbox`; promises only the private copy, the limits and the end of the processes."""
        with private_layer(policy, overlay=False) as layer:
            tree = layer.policy.tree
            for lent in layer.policy.lent:
                _link(tree / lent.path, lent.source)
            mark = new_id(16)
            path = tuple(
                Path(each) for each in (self._environment.get("PATH") or "").split(":") if each.startswith("/")
            )
            seen = Seen(root=tree, home=self._environment.home, scratch=policy.scratch, path=path)
            variables = command_environment(self._environment, policy, seen, command.cwd)
            try:
                completed = run(
                    Command(
                        argv=("/bin/sh", "-c", 'ulimit -c 0; exec "$@"', "sh", *command.argv),
                        cwd=tree / command.cwd,
                        environment=variables | {_MARK: mark},
                        stdin=command.stdin,
                        timeout=command.timeout,
                        merge=True,
                    ),
                    cancel=cancel,
                    on_output=on_output,
                )
            finally:
                _sweep(mark)
        status = completed.exit_status
        return SandboxedResult(
            exit_status=128 - status if status < 0 else status,  # as a shell and the other backends say it
            output=completed.stdout,
            seconds=completed.seconds,
            timed_out=completed.timed_out,
            cancelled=completed.cancelled,
        )


def _link(place: Path, source: Path) -> None:
    """Puts a link where the mount target was made."""
    with suppress(FileNotFoundError):
        place.rmdir() if place.is_dir() else place.unlink()
    place.symlink_to(source)


def _sweep(mark: str) -> None:
    """Kills processes of the command that left its process group. One that changed its environment is not found."""
    wanted = f"{_MARK}={mark}".encode()
    for _ in range(_SWEEPS):
        if not [pid for pid in _processes() if _carries(pid, wanted) and _kill(pid)]:
            return


def _processes() -> list[int]:
    with suppress(FileNotFoundError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return []  # a system without /proc


def _carries(pid: int, wanted: bytes) -> bool:
    try:
        return wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
