"""`demo`: the command; what it does is in `benchdog.cli.demo`."""

from __future__ import annotations

from pathlib import Path

import click

from benchdog.cli.border import announce_unsafe
from benchdog.cli.demo import DemoOptions, run_demo
from benchdog.cli.options import json_option, model_options
from benchdog.cli.terminal import Terminal
from benchdog.errors import UserError


@click.command()
@click.option("--keep", is_flag=True, help="Leave the project there, to play with.")
@click.option("--live", is_flag=True, help="Ask your own endpoint instead of the scripted model.")
@click.option("--directory", metavar="D", type=click.Path(path_type=Path), help="Make the project in D.")
@model_options
@json_option
@click.pass_obj
def demo(
    terminal: Terminal,
    /,
    *,
    keep: bool,
    live: bool,
    directory: Path | None,
    endpoint: str | None,
    model: str | None,
    unsafe: bool,
) -> int:
    """See a whole run in a small project, with a scripted model."""
    if (endpoint or model) and not live:
        raise UserError("--endpoint and --model are for --live: without it the model is scripted")
    if unsafe:
        announce_unsafe(terminal)
    options = DemoOptions(keep=keep, live=live, directory=directory, endpoint=endpoint, model=model, unsafe=unsafe)
    return run_demo(terminal, options)
