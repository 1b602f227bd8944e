"""The command line: what people type, and what they see."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from click.shell_completion import shell_complete

from benchdog.cli.app import benchdog
from benchdog.cli.border import asks_json, guarded, windows
from benchdog.cli.interrupts import Interrupts
from benchdog.cli.terminal import Terminal
from benchdog.system.environment import read_environment

__all__ = ["main"]

_COMPLETE = "_BENCHDOG_COMPLETE"  # the variable by which click's completion scripts ask


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of `benchdog`. Ends the process with the command's exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    raise SystemExit(_run(words))


def _run(words: Sequence[str]) -> int:
    try:
        environment = read_environment()
    except FileNotFoundError:
        sys.stderr.write("benchdog: the current directory is gone\ntry: cd somewhere that exists\n")
        return 2
    interrupts = Interrupts()
    terminal = Terminal(environment, interrupts, json=asks_json(words))
    if environment.platform == "win32":
        return windows(terminal)
    if asked := environment.get(_COMPLETE):
        return shell_complete(benchdog, {}, "benchdog", _COMPLETE, asked)
    interrupts.install()

    def work() -> int | None:
        with benchdog.make_context("benchdog", list(words), obj=terminal) as context:
            status: int | None = benchdog.invoke(context)
            return status

    return guarded(terminal, work)
