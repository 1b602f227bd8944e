"""One key from a person, and one line. Both are asked only where somebody is there."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import termios
import textwrap
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from benchdog.cli.terminal import TERMINAL, Terminal

ENTER = "enter"
LEAVE = "q"
_YES = "y"
_GAP = "   "
_NAMES = {"\r": ENTER, "\n": ENTER, "\x1b": LEAVE, "\x04": LEAVE, "": LEAVE}


def choose(terminal: Terminal, question: str, keys: str) -> str:
    """Shows `question`, waits for one of `keys` (single letters; Enter is `enter` and always one of them) or for `q`.

    Escape, end of input, Ctrl-D and a terminal that is gone are `q`; `y` is Enter where it is no key of its own. Any
    other key is answered with those that there are. Raises KeyboardInterrupt for Ctrl-C.
    """
    terminal.say(fitted(question, shutil.get_terminal_size().columns) + " ", end="")
    try:
        with _keyboard() as descriptor, terminal.interrupts.at_prompt():
            while True:
                key = read_key(descriptor)
                if key in (ENTER, LEAVE) or (len(key) == 1 and key in keys):
                    terminal.say("" if key == ENTER else key)
                    return key
                if key == _YES:
                    terminal.say(key)
                    return ENTER
                terminal.say("\n" + " · ".join(("keys: Enter", *keys, LEAVE)) + " ", end="")
    except (termios.error, OSError):  # the person closed the terminal
        return LEAVE


def fitted(question: str, columns: int) -> str:
    """The question in lines of at most `columns`, broken between words; what three spaces divide stays together."""
    room = max(20, columns - 2)  # the cursor and the key that is typed stand behind it
    if len(question) <= room:
        return question
    lines = [line for part in question.split(_GAP) for line in _lines(part, room)]
    return "\n".join(lines)


def _lines(part: str, room: int) -> list[str]:
    return textwrap.wrap(
        part, room, break_long_words=False, break_on_hyphens=False, replace_whitespace=False, subsequent_indent="  "
    )


def read_key(descriptor: int) -> str:
    """The next key: a character in lower case, or `enter`, or `q` for all that means leaving.

    Keys that send sequences (arrows, function keys) come as one unknown key, not as many.
    """
    before = termios.tcgetattr(descriptor)  # termios.error: the terminal is gone
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)
        data = os.read(descriptor, 64)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    text = data.decode("utf-8", "replace")
    if text.startswith("\x1b") and len(text) > 1:
        return "sequence"
    first = text[:1]
    return _NAMES.get(first, first.lower())


def ask_line(terminal: Terminal, question: str, *, default: str = "") -> str | None:
    """One line that the person types; `default` stands there to be edited. None at the end of input.

    Raises KeyboardInterrupt for Ctrl-C.
    """
    terminal.settle()
    with terminal.interrupts.at_prompt():
        if not sys.stdin.isatty():
            with _keyboard() as descriptor:
                terminal.say(question + " ", end="")
                data = os.read(descriptor, 4096)
                return data.decode("utf-8", "replace").strip() or default if data else None
        return _edited(question, default)


def _edited(question: str, default: str) -> str | None:
    readline = importlib.import_module("readline")  # importing it changes what input() does
    readline.set_startup_hook(lambda: readline.insert_text(default))
    try:
        return _input(question + " ")
    except (EOFError, OSError):  # the end of input, or of the terminal
        return None
    finally:
        readline.set_startup_hook(None)


def _input(question: str) -> str:
    """`input` writes its question to stdout where that is a screen too; else it goes to stderr, where talk belongs."""
    if sys.stdout.isatty():
        return input(question).strip()
    sys.stderr.write(question)
    sys.stderr.flush()
    return input().strip()


@contextmanager
def _keyboard() -> Iterator[int]:
    """The person's keyboard: stdin, or the terminal itself where stdin was a pipe that has been read."""
    if sys.stdin.isatty():
        yield sys.stdin.fileno()
        return
    descriptor = os.open(TERMINAL, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
