"""Where a command talks: data to stdout, talk to stderr, colours only where a person looks."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import click

from benchdog.cli.interrupts import Interrupts
from benchdog.system.environment import Environment

LATEST = "@"
TERMINAL = "/dev/tty"


class Terminal:
    """The person's side of one command line. It is the object that click hands to every command."""

    def __init__(self, environment: Environment, interrupts: Interrupts, *, json: bool = False) -> None:
        self.environment = environment
        self.interrupts = interrupts
        self.json = json
        self.run: str | None = None
        """The run that this command is about, once it is known: errors name it."""
        self.carries = False
        """Whether this command carries that run out: it may have to be resumed."""
        self.stdin_was_read = False
        """Whether this command took what a pipe brought: then a person is asked at the terminal itself."""
        self._moment = False

    @property
    def interactive(self) -> bool:
        """Whether a person is there to be asked."""
        if self.json or not _is_terminal(sys.stderr):
            return False
        return _is_terminal(sys.stdin) or (self.stdin_was_read and _has_keyboard())

    @property
    def watched(self) -> bool:
        """Whether a person sees what is said."""
        return _is_terminal(sys.stderr)

    @property
    def shows(self) -> bool:
        """Whether data goes to a person's screen, not into a file or a pipe."""
        return not self.json and _is_terminal(sys.stdout)

    @property
    def colours(self) -> bool:
        return not self.environment.get("NO_COLOR") and self.environment.get("TERM") != "dumb"

    def moment(self, text: str) -> None:
        """A word that stands on the screen until anything else is said: something is being done."""
        if self.watched and self.colours and not self.json:
            self.settle()
            click.echo(dim(text), err=True, nl=False)
            self._moment = True

    def settle(self) -> None:
        """Takes the passing word away."""
        if self._moment:
            self._moment = False
            _speak("\r\x1b[K", color=True)

    def say(self, text: str = "", *, end: str = "\n") -> None:
        """Talk, for people: stderr."""
        self.settle()
        _speak(text + end, color=self.colours and self.watched)

    def data(self, text: str) -> None:
        """Data: stdout."""
        self.settle()
        click.echo(text, color=self.colours and self.shows)

    def raw(self, data: bytes) -> None:
        """Data that must stay as it is, byte for byte: only for a stdout that is no screen."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def document(self, plain: Mapping[str, Any] | list[Any]) -> None:
        """The one JSON document of this command."""
        click.echo(json.dumps(plain, indent=2))


def _speak(text: str, *, color: bool) -> None:
    """To stderr; into nothing where the terminal behind it was closed: what is being done still comes to its end."""
    try:
        click.echo(text, err=True, nl=False, color=color)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), sys.stderr.fileno())


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _has_keyboard() -> bool:
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False  # no terminal stands behind this process
    return True


def bad(text: str) -> str:
    return click.style(text, fg="red")


def loud(text: str) -> str:
    return click.style(text, fg="red", bold=True)


def good(text: str) -> str:
    return click.style(text, fg="green")


def warn(text: str) -> str:
    return click.style(text, fg="yellow")


def dim(text: str) -> str:
    return click.style(text, dim=True)


def strong(text: str) -> str:
    return click.style(text, bold=True)
