"""What a person at a terminal meets: proposals, keys, the prompt; through a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchdog.testing import Edit, Fixer, ScriptedServer, call, play
from benchdog.testing.demo import CHECK, FILES, FIX
from benchdog.testing.project import git, make_repository

FIXER = Fixer(edits=(FIX,))
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\r")


class Person:
    """Types at a terminal and reads what stands there."""

    def __init__(self, root: Path, home: Path, words: tuple[str, ...], *, through: str = "") -> None:
        self._seen = ""
        self._from = 0
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(root)
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            variables = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm", "INPUTRC": "/dev/null"}
            argv = [sys.executable, "-m", "benchdog", *words]
            if through:
                argv = ["/bin/sh", "-c", f'{through} | "$@"', "sh", *argv]
            os.execve(argv[0], argv, variables)

    def sees(self, text: str, seconds: float = 30) -> str:
        """Waits until `text` stands on the screen after what was seen last; what came up to it."""
        end = time.monotonic() + seconds
        while True:
            plain = _SEQUENCE.sub("", self._seen)
            at = plain.find(text, self._from)
            if at >= 0:
                found = plain[self._from : at + len(text)]
                self._from = at + len(text)
                return found
            assert time.monotonic() < end, f"{text!r} did not come; there is:\n{plain[self._from :]}"
            assert self._read(end - time.monotonic()), f"{text!r} did not come; it ended with:\n{plain[self._from :]}"

    def _read(self, seconds: float) -> bool:
        if not select.select([self._terminal], [], [], max(0, seconds))[0]:
            return True
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # EIO: the other side is closed
            return False
        self._seen += data.decode("utf-8", "replace")
        return bool(data)

    def types(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def ends(self) -> int:
        """The exit status, once it has ended."""
        while self._read(30):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def hangs_up(self) -> None:
        """Closes the terminal's window."""
        os.close(self._terminal)
        self._terminal = os.open(os.devnull, os.O_RDONLY)

    def rest(self) -> str:
        return _SEQUENCE.sub("", self._seen)[self._from :]


class Desk:
    """A repository with one red test, and people who sit down before it."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home
        self._people: list[Person] = []
        self._servers: list[ScriptedServer] = []

    def serve(self, policy: Any) -> tuple[str, str]:
        self._servers.append(ScriptedServer(policy))
        return "--endpoint", self._servers[-1].url

    def sit(self, *words: str, through: str = "") -> Person:
        self._people.append(Person(self.root, self.home, words, through=through))
        return self._people[-1]

    def leave(self) -> None:
        for server in self._servers:
            server.close()
        for person in self._people:
            try:
                os.kill(person.pid, signal.SIGKILL)
                os.waitpid(person.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue  # it has ended and was waited for


@pytest.fixture
def desk(tmp_path: Path, isolated: Path) -> Iterator[Desk]:
    desk = Desk(make_repository(tmp_path / "calc", FILES), isolated)
    yield desk
    desk.leave()


def test_from_a_sentence_to_an_applied_diff(desk: Desk) -> None:
    person = desk.sit("run", "ops.add must add", *desk.serve(FIXER))
    person.sees("Check: python3 -m unittest discover")
    person.sees("May change: src/calc/ops.py (ops.add in the goal)\n[Enter] go · e edit · w wider · q ")
    person.types("x")
    person.sees("keys: Enter · e · w · q ")
    person.types("y")
    person.sees("PASSED")
    person.sees("[a]pply  [d]iff  [r]efine  [q] ")
    person.types("a")
    person.sees("+    return a + b")
    person.sees("Apply this? [Enter] yes · q ")
    person.types("\r")
    person.sees("way back: benchdog rollback @")
    assert person.ends() == 0
    assert "return a + b" in (desk.root / FIX.path).read_text()


def test_the_proposal_is_widened_edited_and_left(desk: Desk) -> None:
    person = desk.sit("run", "ops.add must add", *desk.serve(FIXER))
    person.sees("wider · q ")
    person.types("w")
    person.sees("May change: src/calc/**   [Enter]")
    person.sees("wider · q ")
    person.types("e")
    person.sees("Allowed files: ")
    person.types("\x15README.md\r")
    person.sees("May change: README.md   [Enter]")
    person.sees("wider · q ")
    person.types("q")
    assert person.ends() == 130
    assert "nothing was started" in person.rest()


def test_a_terminal_closed_at_a_question_is_no_bug(desk: Desk) -> None:
    person = desk.sit("run", "ops.add must add", *desk.serve(FIXER))
    person.sees("wider · q ")
    person.hangs_up()
    assert person.ends() in (130, -signal.SIGHUP)
    assert list(desk.home.rglob("bugs/*")) == []


def test_what_was_looked_at_is_not_shown_again(desk: Desk) -> None:
    person = desk.sit("run", "g", "--allow", FIX.path, "--check", CHECK, *desk.serve(FIXER))
    person.sees("[q] ")
    person.types("d")
    person.sees("+    return a + b")
    person.sees("[q] ")
    person.types("q")
    assert person.ends() == 0
    person = desk.sit("apply")
    assert person.ends() == 0
    assert "APPLIED" in person.rest() and "return a + b" not in person.rest()


def test_a_no_leaves_everything_as_it_is(desk: Desk) -> None:
    edit = Edit(path="README.md", search="# calc", replace="# Calc")
    person = desk.sit("run", "g", "--allow", "README.md", "--no-check", *desk.serve(Fixer(edits=(edit,))))
    person.sees("HELD")
    person.sees("[q] ")
    person.types("q")
    assert person.ends() == 6
    person = desk.sit("apply")
    person.sees("Do you accept this diff? [y/N] ")
    person.types("n")
    assert person.ends() == 1
    assert git(desk.root, "status", "--porcelain") == ""


def test_a_refused_path_is_allowed_with_a_key(desk: Desk) -> None:
    read, ask = call("read", path=FIX.path), call("ask_scope", path=FIX.path, reason="the sum is there")
    fix = call("edit", path=FIX.path, search=FIX.search, replace=FIX.replace)
    url = desk.serve(play([read, ask, fix]))
    person = desk.sit("run", "g", "--allow", "README.md", "--check", CHECK, *url)
    person.sees("NEEDS INPUT")
    person.sees("[h] answer  [w] allow src/calc/ops.py  [q] ")
    person.types("w")
    person.sees("PASSED")
    person.sees("[q] ")
    person.types("\r")
    assert person.ends() == 0


def test_after_a_failure_there_is_a_hint_and_the_candidate(desk: Desk) -> None:
    wrong = call("edit", path=FIX.path, search="return a - b\n\n\ndef sub", replace="return a * b\n\n\ndef sub")
    right = call("edit", path=FIX.path, search="return a * b\n\n\ndef sub", replace="return a + b\n\n\ndef sub")
    policy = play([wrong, call("done", summary="all is well"), right])
    person = desk.sit("run", "g", "--allow", FIX.path, "--check", CHECK, "--rounds", "1", *desk.serve(policy))
    person.sees("REJECTED")
    person.sees("[d]iff  [h]int and retry  [o]pen the candidate  [q] ")
    person.types("o")
    folder = person.sees(": a copy, and yours").split(" lies in ")[1].removesuffix(": a copy, and yours")
    assert "return a * b" in (Path(folder) / FIX.path).read_text()
    person.sees("[q] ")
    person.types("h")
    person.sees("What is to be different? ")
    person.types("a plus b\r")
    person.sees("PASSED")
    person.sees("[q] ")
    person.types("q")
    assert person.ends() == 0


def test_standing_failures_are_asked_about(desk: Desk) -> None:
    flaky = ("--check", "test -e nowhere")
    person = desk.sit("run", "g", "--allow", FIX.path, "--check", CHECK, *flaky, *desk.serve(FIXER))
    person.sees("2 red already: [t] make these green  [n] nothing worse  [q] ")
    person.types("n")
    person.sees("round 1")
    person.sees("[q] ")
    person.types("q")
    assert person.ends() in (0, 6)


def test_a_pipe_leaves_the_keyboard_to_the_person(desk: Desk) -> None:
    person = desk.sit("run", "-", "--check", CHECK, *desk.serve(FIXER), through=f"{CHECK} 2>&1")
    person.sees("May change: src/calc/ops.py")
    person.sees("wider · q ")
    person.types("\r")
    person.sees("PASSED")
    person.sees("[q] ")
    person.types("q")
    assert person.ends() == 0


def test_the_prompt_runs_refines_and_lands(desk: Desk) -> None:
    _, url = desk.serve(FIXER)
    config = desk.home / ".config" / "benchdog" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[[endpoint]]\nurl = "{url}"\n')
    person = desk.sit()
    person.sees("say what is to be done")
    person.sees("› ")
    for typed, answer in (
        ("?where is add", "a claim of scripted"),
        ("/nonsense", "no such command; /help lists them"),
        ("/help", "/quit           leave (or Ctrl-D)"),
        ("/diff", "there is no run"),
    ):
        person.types(typed + "\r")
        person.sees(answer)
        person.sees("› ")
    person.types("ops.add must add\r")
    person.sees("wider · q ")
    person.types("\r")
    person.sees("PASSED")
    person.sees("› ")
    person.types("/apply\r")
    person.sees("Apply this? [Enter] yes · q ")
    person.types("\r")
    person.sees("APPLIED")
    person.sees("› ")
    person.types("/rollback\r")
    person.sees("UNDONE")
    person.sees("› ")
    person.types("\x04")
    assert person.ends() == 0
    assert git(desk.root, "status", "--porcelain") == ""


def test_the_first_sign_comes_before_the_work(desk: Desk) -> None:
    """No clock here: the sign stands before anything that takes long has been imported."""
    person = desk.sit("run", "g", "--allow", FIX.path, "--check", CHECK, *desk.serve(FIXER))
    first = person.sees("run      ")
    assert first.startswith("looking at the tree …")
