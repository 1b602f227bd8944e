"""`run`: a contract, a goal, or what a red command printed, up to a verified diff."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from benchdog.cli.carry import open_for
from benchdog.cli.options import json_option, model_options
from benchdog.cli.start import goal_contract, red_contract, start
from benchdog.cli.terminal import Terminal
from benchdog.cli.wish import Wish, take_wish, wish_options, wished, work_folder
from benchdog.contract import Contract
from benchdog.contract.pasted import is_test_output, nothing_failed
from benchdog.contract.read import read_contract_file
from benchdog.contract.red import from_red_command, from_red_output
from benchdog.errors import UserError
from benchdog.runner import Bench

_PASTED = "-"
_MOST = 4 * 1024 * 1024  # bytes of pasted output that are read


@click.command()
@click.argument("words", metavar="[CONTRACT | GOAL | -]", nargs=-1, required=True)
@wish_options
@model_options
@json_option
@click.pass_obj
def run(terminal: Terminal, /, words: tuple[str, ...], **given: Any) -> int:
    """Carry out a contract (a .toml file), a goal, or what a red command printed (-), up to a verified diff.

    \b
      benchdog run "ops.add must add" --allow src/calc/ops.py --check "pytest -q"
      pytest 2>&1 | benchdog run -
    """
    wish = take_wish(given)
    pasted = _read_pasted(terminal) if words == (_PASTED,) else None
    bench = open_for(terminal, **given)
    return start(terminal, bench, _contract(terminal, bench, words, pasted, wish))


def _contract(terminal: Terminal, bench: Bench, words: tuple[str, ...], pasted: str | None, wish: Wish) -> Contract:
    if pasted is not None:
        return _contract_of_text(terminal, bench, pasted, wish)
    if len(words) == 1 and (path := _contract_path(terminal, words[0])):
        file = read_contract_file(_read(path, words[0]), words[0])
        return wished(wish, bench, file)
    return goal_contract(terminal, bench, " ".join(words), wish)


def _contract_path(terminal: Terminal, word: str) -> Path | None:
    """The contract's file, where the word names one. A name that ends so but is not there is a mistake, not a goal."""
    if not word.endswith(".toml"):
        return None
    path = terminal.environment.cwd / word
    if path.is_file():
        return path
    if " " in word:
        return None
    raise UserError(f"there is no contract {word!r}", hint='a goal is a sentence: benchdog run "what is to be done"')


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {name!r}: {error.strerror}") from error


def _read_pasted(terminal: Terminal) -> str:
    terminal.stdin_was_read = True
    data = sys.stdin.buffer.read(_MOST)
    if not data.strip():
        raise UserError("nothing came through stdin", hint="pytest 2>&1 | benchdog run -")
    return data.decode("utf-8", "replace")


def _contract_of_text(terminal: Terminal, bench: Bench, text: str, wish: Wish) -> Contract:
    """A red command's output, or a goal where it is none. Raises UserError where nothing failed in it."""
    if nothing_failed(text):
        raise UserError(
            "nothing failed in this: all that the tests printed is green",
            hint='say what is to be done: benchdog run "GOAL" --allow PATH',
        )
    repository = bench.repository
    paths = tuple(repository.view(repository.snapshot().tree).entries)
    commands = (*wish.witness, *wish.flags.checks)
    if commands:
        red = from_red_command(commands[0], text, paths, find=repository.find, folder=work_folder(bench))
    else:
        found = from_red_output(text, paths, find=repository.find)
        if found is None and is_test_output(text):
            hint = "name the command that printed it: … | benchdog run - --check CMD"
            raise UserError("this is what tests print, but not which command ran them", hint=hint)
        if found is None:
            return goal_contract(terminal, bench, text.strip(), wish)
        red = found
    return red_contract(terminal, bench, red, wish)
