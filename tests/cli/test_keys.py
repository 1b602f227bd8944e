"""Keys and lines from a person, through a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

import pytest

from benchdog.cli.keys import fitted

_CODE = """
import os
from benchdog.cli.interrupts import Interrupts
from benchdog.cli.keys import ask_line, choose
from benchdog.cli.terminal import Terminal
from benchdog.system.environment import read_environment
terminal = Terminal(read_environment(), Interrupts())
terminal.interrupts.install()
try:
    print("<" + {call} + ">")
except KeyboardInterrupt:
    print("<interrupted>")
"""


def at_terminal(call: str, typed: bytes, prompt: bytes = b"? ") -> str:
    """What a program that asks at a terminal prints, when `typed` is typed after its prompt stands there.

    It is typed again while nothing comes of it: the prompt may stand there a moment before anybody listens.
    """
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", _CODE.format(call=call)])
    seen, end = b"", time.monotonic() + 20
    try:
        while time.monotonic() < end:
            ready = select.select([master], [], [], 0.5)[0]
            if ready:
                try:
                    seen += os.read(master, 4096)
                except OSError:  # EIO: the other side is closed
                    break
            if prompt in seen and (not ready or seen.endswith(prompt)):
                os.write(master, typed)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)
    text = seen.decode()
    return text[text.rindex("<") + 1 : text.rindex(">")] if "<" in text else text


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (b"\r", "enter"),
        (b"e", "e"),
        (b"E", "e"),
        (b"q", "q"),
        (b"y", "enter"),
        (b"\x1b", "q"),
        (b"\x04", "q"),
        (b"\x03", "interrupted"),
    ],
)
def test_one_key_answers(typed: bytes, key: str) -> None:
    assert at_terminal("choose(terminal, 'go?', 'ew')", typed) == key


def test_a_key_of_its_own_is_no_enter() -> None:
    assert at_terminal("choose(terminal, 'go?', 'yn')", b"y") == "y"


def test_questions_break_between_words() -> None:
    assert fitted("May change: a.py   [Enter] go · q", 80) == "May change: a.py   [Enter] go · q"
    long = "May change: " + ", ".join(f"src/calc/module_{number}.py" for number in range(5))
    assert fitted(f"{long}   [Enter] go · e edit · w wider · q", 80) == (
        "May change: src/calc/module_0.py, src/calc/module_1.py, src/calc/module_2.py,\n"
        "  src/calc/module_3.py, src/calc/module_4.py\n"
        "[Enter] go · e edit · w wider · q"
    )


def test_a_line_is_typed_over_a_default() -> None:
    assert (
        at_terminal("ask_line(terminal, 'which?', default='src/a.py')", b" src/b.py\r", b"a.py") == "src/a.py src/b.py"
    )


def test_ctrl_c_ends_a_line() -> None:
    assert at_terminal("ask_line(terminal, 'which?')", b"\x03") == "interrupted"


def test_stdin_may_be_a_pipe_while_the_person_sits_at_the_terminal(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    call = f"(os.dup2(os.open({str(empty)!r}, os.O_RDONLY), 0), choose(terminal, 'go?', 'ew'))[1]"
    assert at_terminal(call, b"w") == "w"
