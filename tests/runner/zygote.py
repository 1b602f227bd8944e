"""A process that has imported benchdog and forks itself for each action that is to be killed: a fork costs
milliseconds where a fresh interpreter costs hundreds, and hundreds of processes are killed here.

It reads one JSON line an action on standard input, answers the child's process id at once, and its exit status (minus
the signal) once it has ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchdog.ledger.log import Recorded
from benchdog.runner import Bench, Nobody, carry_out, land, open_bench, take_back
from benchdog.system.environment import read_environment

ACTIONS: dict[str, Callable[[Bench, str], object]] = {"run": carry_out, "land": land, "take back": take_back}


class Killer(Nobody):
    """Kills its own process when the n-th event has been logged."""

    def __init__(self, at: int | None) -> None:
        self._left = at

    def event(self, recorded: Recorded) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def act(action: str, root: str, url: str, run: str, at: int | None) -> None:
    """One action on one run, killed at an event where `at` says so."""
    environment = read_environment(cwd=Path(root))
    with open_bench(environment, watcher=Killer(at), endpoint_url=url, model="scripted") as bench:
        ACTIONS[action](bench, run)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            act(**json.loads(line))
            os._exit(0)
        print(child, flush=True)  # noqa: T201 - standard output is the protocol
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
