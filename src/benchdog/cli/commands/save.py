"""`save`: the contract that a run used, as a file to keep."""

from __future__ import annotations

from pathlib import Path

import click

from benchdog.cli.found import contract_of, find_run
from benchdog.cli.options import json_option
from benchdog.cli.terminal import LATEST, Terminal
from benchdog.contract.write import write_contract
from benchdog.errors import UserError
from benchdog.system.terminal import one_line


@click.command()
@click.argument("words", metavar="[RUN] FILE", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Replace FILE.")
@json_option
@click.pass_obj
def save(terminal: Terminal, /, words: tuple[str, ...], *, force: bool) -> int:
    """Write the contract that a run used to FILE; `-` prints it."""
    if len(words) > 2:
        raise UserError(f"{words[2]!r} is one word too many", hint="benchdog save [RUN] FILE")
    run = find_run(terminal, words[0] if len(words) == 2 else LATEST)
    text = write_contract(contract_of(terminal, run)).encode("utf-8", "surrogateescape")
    if words[-1] == "-" and not terminal.json:
        terminal.raw(text)
        return 0
    path = terminal.environment.cwd / words[-1]
    _write(path, text, force=force)
    if terminal.json:
        terminal.document({"run": run, "file": str(path)})
    else:
        terminal.say(f"written: {one_line(str(path))}\nagain with it: benchdog run {one_line(words[-1])}")
    return 0


def _write(path: Path, text: bytes, *, force: bool) -> None:
    try:
        with path.open("wb" if force else "xb") as file:
            file.write(text)
    except FileExistsError as error:
        raise UserError(f"{path} is there already", hint="name another file, or --force replaces it") from error
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
