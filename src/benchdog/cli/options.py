"""Options and arguments that several commands share, spelled once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from benchdog.cli.terminal import LATEST

Function = TypeVar("Function", bound=Callable[..., Any])


def _set_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        context.obj.json = True


def json_option(command: Function) -> Function:
    """`--json`: one JSON document on stdout, nothing else there."""
    return click.option(
        "--json", is_flag=True, expose_value=False, callback=_set_json, help="Print one JSON document on stdout."
    )(command)


def run_argument(command: Function) -> Function:
    """`[RUN]`: a unique beginning of a run's id; the latest run of this repository where it is left out."""
    return click.argument("run", metavar="[RUN]", default=LATEST, required=False)(command)


def model_options(command: Function) -> Function:
    """Where the model is, and whether a sandbox is done without."""
    for option in (
        click.option("--unsafe-no-sandbox", "unsafe", is_flag=True, help="Run checks with your own rights. Dangerous."),
        click.option("--model", metavar="NAME", help="The model to ask, by the server's name for it."),
        click.option("--endpoint", metavar="URL", help="The server to ask (OpenAI-compatible)."),
    ):
        command = option(command)
    return command
