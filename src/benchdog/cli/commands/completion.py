"""`benchdog completion SHELL`: the script that makes a shell complete benchdog's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from benchdog.cli.terminal import Terminal

_WHERE = {
    "bash": 'eval "$(benchdog completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(benchdog completion zsh)"   # in ~/.zshrc, after compinit',
    "fish": "benchdog completion fish > ~/.config/fish/completions/benchdog.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(sorted(_WHERE)))
@click.pass_obj
def completion(terminal: Terminal, /, shell: str) -> None:
    """Print the completion script of SHELL."""
    if terminal.shows:
        terminal.say(f"To use it: {_WHERE[shell]}")
    kind = get_completion_class(shell)
    assert kind is not None, f"click knows {shell}"
    maker = kind.__new__(kind)  # its constructor wants the command itself, which the script does not need
    ShellComplete.__init__(maker, click.Command("benchdog"), {}, "benchdog", "_BENCHDOG_COMPLETE")
    # The base class's own: bash's adds a look at the installed bash's version, by starting it.
    terminal.data(ShellComplete.source(maker))
