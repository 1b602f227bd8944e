"""The two outermost borders: what benchdog raises on purpose becomes a message, anything else is a bug, and says so."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import click

from benchdog import __version__
from benchdog.cli.interrupts import INTERRUPTED
from benchdog.cli.terminal import Terminal, bad, dim, warn
from benchdog.errors import BenchdogError, ContractError
from benchdog.system.randomness import new_id
from benchdog.system.terminal import plain

USAGE = 2
MACHINE = 4
PIPE_CLOSED = 141  # what a shell reports for SIGPIPE

WINDOWS = "benchdog runs on Linux, macOS and WSL 2. In PowerShell: `wsl --install`, then install benchdog inside it."


def guarded(terminal: Terminal, work: Callable[[], int | None]) -> int:
    """The exit status of `work`, whatever happens in it. Everything that is raised is told in one way."""
    try:
        status = work() or 0
        sys.stdout.flush()
        return status
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        return _usage(terminal, error)
    except (click.Abort, KeyboardInterrupt):
        return _tell(terminal, {"kind": "Cancelled", "message": "interrupted"}, INTERRUPTED)
    except BrokenPipeError:
        return _quiet_pipe(terminal)
    except BenchdogError as error:
        return _tell(terminal, _described(error), error.exit_status)
    except Exception as error:  # noqa: BLE001 - the outermost border: nothing may end in a bare traceback
        return _bug(terminal, error)


def asks_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is among the options. Known before the command line is parsed: its errors are JSON too."""
    words = list(arguments)
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def _described(error: BenchdogError) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    if isinstance(error, ContractError):
        told["problems"] = [
            {"file": each.file, "line": each.line, "key": each.key, "message": each.message} for each in error.problems
        ]
    return told


def _usage(terminal: Terminal, error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context is not None else None
    return _tell(terminal, {"kind": "UserError", "message": error.format_message(), "hint": hint}, USAGE)


def _tell(terminal: Terminal, told: dict[str, Any], status: int) -> int:
    """Says what went wrong, once, where this caller looks for it."""
    if terminal.json:
        run = {"run": terminal.run} if terminal.run else {}
        terminal.document({"error": {**told, **run, "exit_status": status}})
        return status
    terminal.say(bad("benchdog: ") + plain(told["message"]))
    if told.get("hint"):
        terminal.say(dim("try: ") + plain(told["hint"]))
    return status


def _quiet_pipe(terminal: Terminal) -> int:
    """Whoever read our output has seen enough; a run that was under way is named where somebody may still read it."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if terminal.run and terminal.carries:
        with suppress(OSError):
            terminal.say(f"nobody reads this any more; run {terminal.run}: benchdog resume {terminal.run}")
    return PIPE_CLOSED


def _bug(terminal: Terminal, error: Exception) -> int:
    kept = _keep(terminal, error)
    where = f"its traceback is in {kept}" if kept else "its traceback follows on stderr"
    if not kept:
        terminal.say(plain("".join(traceback.format_exception(error))))
    message = f"this is a bug in benchdog {__version__}: {type(error).__name__}: {error}"
    hint = f"report it, {where}" + (f"; the run goes on with `benchdog resume {terminal.run}`" if terminal.run else "")
    return _tell(terminal, {"kind": "Bug", "message": message, "hint": hint, "traceback": kept}, MACHINE)


def _keep(terminal: Terminal, error: Exception) -> str | None:
    """Where the traceback was written; None where it could not be."""
    folder = terminal.environment.state / "bugs"
    path = folder / f"{new_id()}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None  # the disk may be what is broken; the traceback is then shown instead
    return str(path)


def windows(terminal: Terminal) -> int:
    """Native Windows: nothing here can be kept apart from the person's files."""
    return _tell(terminal, {"kind": "UserError", "message": WINDOWS, "hint": None}, USAGE)


def announce_unsafe(terminal: Terminal) -> None:
    """Said in red, always, on stderr."""
    terminal.say(warn("! ") + bad("--unsafe-no-sandbox: checks run with your rights, your files and your network"))
