"""Starting: help, version, unknown commands, what is imported, and how the two borders speak."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchdog.cli.app import benchdog as app
from benchdog.cli.border import guarded
from benchdog.cli.interrupts import Interrupts
from benchdog.cli.table import COMMANDS
from benchdog.cli.terminal import Terminal
from benchdog.errors import ContractError, HostError, Problem
from benchdog.system.environment import read_environment


def benchdog(*words: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "XDG_STATE_HOME": str(cwd / "state"),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        [sys.executable, "-m", "benchdog", *words],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_command_the_everyday_ones_first(tmp_path: Path) -> None:
    done = benchdog("--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    everyday, more = done.stdout.split("Every day:")[1].split("More:")
    first = [line.split()[0] for line in everyday.splitlines() if line.strip()]
    rest = [line.split()[0] for line in more.splitlines() if line.strip()]
    assert first == ["run", "fix", "refine", "diff", "apply", "rollback", "doctor", "demo"]
    assert first + rest == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--help"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: benchdog {name}")


def test_starting_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ["pydantic", "rich", "httpcore", "h11", "asyncio", "anyio", "ssl", "pathspec", "json_repair", "subprocess"]
    code = f"import sys, benchdog.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_version(tmp_path: Path) -> None:
    assert benchdog("--version", cwd=tmp_path).stdout == "benchdog 0.1.0\n"


def test_an_unknown_command_names_the_nearest(tmp_path: Path) -> None:
    done = benchdog("aply", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "benchdog: 'aply' is no command. The nearest is 'apply'.\ntry: benchdog --help\n"


def test_a_goal_without_run_is_sent_to_run(tmp_path: Path) -> None:
    done = benchdog("make add add", cwd=tmp_path)
    assert done.returncode == 2
    assert "benchdog run 'make add add'" in done.stderr


def test_bare_without_a_terminal_is_help_and_status_2(tmp_path: Path) -> None:
    done = benchdog(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: benchdog")


def test_errors_are_json_where_json_was_asked(tmp_path: Path) -> None:
    done = benchdog("runs", "--bogus", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout) == {
        "error": {
            "kind": "UserError",
            "message": "No such option '--bogus'.",
            "hint": "benchdog runs --help",
            "exit_status": 2,
        }
    }


def test_a_directory_that_is_gone_is_told_plainly(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, [sys.executable, '-m', 'benchdog', 'runs'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("benchdog: the current directory is gone")


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    line = f"{shlex.quote(sys.executable)} -m benchdog completion bash | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout in ("0\n", "141\n")


def _terminal(tmp_path: Path, *, as_json: bool = False) -> Terminal:
    variables = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    return Terminal(read_environment(variables, tmp_path), Interrupts(), json=as_json)


def _fail(error: BaseException) -> int:
    raise error


def test_what_is_raised_on_purpose_is_a_message_and_a_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = guarded(_terminal(tmp_path), lambda: _fail(HostError("no \x1b[2Jspace", hint="make some")))
    assert status == 4
    assert capsys.readouterr().err == "benchdog: no space\ntry: make some\n"


def test_every_problem_of_a_file_is_in_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(file="contract.toml", line=3, key="gaol", message="unknown; did you mean 'goal'?")
    status = guarded(_terminal(tmp_path, as_json=True), lambda: _fail(ContractError((problem,))))
    assert status == 2
    assert json.loads(capsys.readouterr().out) == {
        "error": {
            "kind": "ContractError",
            "message": "contract.toml:3: gaol: unknown; did you mean 'goal'?",
            "hint": None,
            "problems": [
                {"file": "contract.toml", "line": 3, "key": "gaol", "message": "unknown; did you mean 'goal'?"}
            ],
            "exit_status": 2,
        }
    }


def test_anything_else_is_a_bug_and_its_traceback_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = _terminal(tmp_path)
    terminal.run = "k3x9abcd"
    assert guarded(terminal, lambda: _fail(ZeroDivisionError("\x1b]0;x\x07boom"))) == 4
    said = capsys.readouterr().err
    (kept,) = (tmp_path / "state" / "benchdog" / "bugs").iterdir()
    assert said == (
        "benchdog: this is a bug in benchdog 0.1.0: ZeroDivisionError: boom\n"
        f"try: report it, its traceback is in {kept}; the run goes on with `benchdog resume k3x9abcd`\n"
    )
    assert "ZeroDivisionError" in kept.read_text()


def test_where_a_traceback_cannot_be_kept_it_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    assert guarded(_terminal(tmp_path), lambda: _fail(ZeroDivisionError("boom"))) == 4
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("error", [click.Abort(), KeyboardInterrupt()])
def test_an_interrupt_is_130(error: BaseException, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(_terminal(tmp_path), lambda: _fail(error)) == 130
    assert capsys.readouterr().err == "benchdog: interrupted\n"


def _completed(shell: str, words: str, at: int, cwd: Path) -> list[str]:
    variables = {"PATH": os.environ["PATH"], "HOME": str(cwd), "_BENCHDOG_COMPLETE": f"{shell}_complete"}
    done = subprocess.run(
        [sys.executable, "-m", "benchdog"],
        cwd=cwd,
        env={**variables, "COMP_WORDS": words, "COMP_CWORD": str(at)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_commands_and_options_are_completed(tmp_path: Path) -> None:
    assert _completed("bash", "benchdog co", 1, tmp_path) == ["plain,config", "plain,completion"]
    assert _completed("bash", "benchdog run --al", 2, tmp_path) == ["plain,--allow"]
    assert _completed("zsh", "benchdog rollb", 1, tmp_path)[:2] == ["plain", "rollback"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str, tmp_path: Path) -> None:
    done = benchdog("completion", shell, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_BENCHDOG_COMPLETE={shell}_complete" in done.stdout


def test_the_script_is_right_for_bash(tmp_path: Path) -> None:
    script = benchdog("completion", "bash", cwd=tmp_path).stdout
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
