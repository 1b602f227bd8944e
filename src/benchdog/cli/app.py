"""The command group. It knows every command's name and short help, and imports a command only when it is used."""

from __future__ import annotations

import difflib
import importlib

import click
from click.shell_completion import CompletionItem

from benchdog import __version__
from benchdog.cli.table import COMMANDS, Row
from benchdog.cli.terminal import Terminal

_PROMPT = Row("", "prompt:prompt", "")
_HELP = """Runs coding agents on local models, and lets through only what it has verified itself.

\b
  benchdog run "ops.add must add" --allow src/calc/ops.py --check "pytest -q"
  benchdog apply

Without anything, in a terminal, it is a prompt."""


class LazyGroup(click.Group):
    """Sub-commands come from the table; none is imported for `--help`, completion or another command."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        row = COMMANDS.get(cmd_name)
        if row and row.moment and not ctx.resilient_parsing and isinstance(ctx.obj, Terminal):
            ctx.obj.moment(row.moment)
        return _load(row) if row else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            ctx.fail(_unknown(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's interface
        for title, everyday in (("Every day", True), ("More", False)):
            with formatter.section(title):
                formatter.write_dl([(row.name, row.help) for row in COMMANDS.values() if row.everyday is everyday])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        rows = [row for row in COMMANDS.values() if row.name.startswith(incomplete)]
        options = super(click.Group, self).shell_complete(ctx, incomplete) if incomplete.startswith("-") else []
        return [CompletionItem(row.name, help=row.help) for row in rows] + options


def _load(row: Row) -> click.Command:
    module, _, attribute = row.place.partition(":")
    command = getattr(importlib.import_module(f"benchdog.cli.commands.{module}"), attribute)
    assert isinstance(command, click.Command), f"{row.place} is no command"
    return command


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.5)
    if " " in word.strip():
        return f"{word!r} is no command. A goal goes to run: benchdog run {word!r}"
    return f"{word!r} is no command." + (f" The nearest is {near[0]!r}." if near else "")


@click.group(
    cls=LazyGroup,
    help=_HELP,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="benchdog", message="%(prog)s %(version)s")
@click.pass_context
def benchdog(context: click.Context) -> int | None:
    """The group itself: the prompt, where no command is named and a person is there."""
    if context.invoked_subcommand is not None:
        return None
    terminal: Terminal = context.obj
    if not terminal.interactive:
        terminal.say(context.get_help())
        return 2
    status = context.invoke(_load(_PROMPT))
    return int(status or 0)
