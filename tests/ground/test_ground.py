"""The ground that the project stands on: locks, scripts, and what the tests' own frame promises."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted([*(ROOT / "script").iterdir(), ROOT / ".ci" / "run"])
LOCKS = ("requirements.txt", "requirements-dev.txt")
TOOLS = "sh cat cmp dirname env head id mv rm sed tail uname git"
_PINNED = re.compile(r"([a-z0-9-]+)==(\S+)(?: ; [^\n\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def _locked(name: str) -> dict[str, str]:
    """Package to version; fails where a line is anything but a pinned package, its hashes or a comment."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    assert _PINNED.sub("", text) == ""
    return {match[1]: match[2] for match in _PINNED.finditer(text)}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_pinned_packages_with_hashes_and_no_address(name: str) -> None:
    assert len(_locked(name)) > 5
    assert "://" not in (ROOT / name).read_text()


def test_the_locks_agree_with_each_other_and_with_the_project() -> None:
    runtime, development = _locked(LOCKS[0]), _locked(LOCKS[1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == (ROOT / "requirements.in").read_text().splitlines()
    assert runtime.items() <= development.items()
    assert {re.split("[>=<]", line)[0] for line in project["dependencies"]} <= runtime.keys()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_started_and_stops_at_its_first_error(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in script.read_text()
    assert subprocess.run(["sh", "-n", script], check=True, capture_output=True, text=True).stderr == ""


def test_lint_sees_an_index_url(tmp_path: Path) -> None:
    pattern = re.search("^index_url='(.*)'$", (ROOT / "script" / "lint").read_text(), re.MULTILINE)
    assert pattern
    slashes = "//"
    for number, line in enumerate(
        (f"--index-url https:{slashes}a.example/b", f'index = "https:{slashes}a.example"', f"a:{slashes}b/simple" + "/")
    ):
        (tmp_path / str(number)).write_text(line + "\n")
    (tmp_path / "good").write_text("index into a list, https://a.example/simple-words, simple/things\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    found = subprocess.run(
        ["git", "grep", "--untracked", "-lIE", "-e", pattern[1]],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.splitlines() == ["0", "1", "2"]


def _copy(place: Path, *, stamped: bool) -> Path:
    """A repository with nothing but what bootstrap reads; `stamped`: with a `.venv` made from just that."""
    (place / "script").mkdir(parents=True)
    for name in ("script/bootstrap", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, place / name)
    if stamped:
        (place / ".venv" / "bin").mkdir(parents=True)
        (place / ".venv" / "bin" / "python").symlink_to(sys.executable)
        made_from = (place / "requirements-dev.txt").read_bytes() + (place / "pyproject.toml").read_bytes()
        (place / ".venv" / "benchdog-bootstrap").write_bytes(os.fsencode(place) + b"\n" + made_from)
    return place


def _tools(place: Path, **programs: str) -> str:
    """A PATH with the few standard tools, and with `programs` as shell scripts."""
    place.mkdir()
    for name in TOOLS.split():
        found = shutil.which(name)
        assert found, name
        (place / name).symlink_to(found)
    for name, text in programs.items():
        path = place / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return str(place)


def _bootstrap(root: Path, path: str) -> tuple[int, str]:
    done = subprocess.run(
        [root / "script" / "bootstrap"], cwd="/", env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_bootstrap_says_nothing_where_nothing_is_to_do(tmp_path: Path) -> None:
    root = _copy(tmp_path.resolve() / "a b; $c", stamped=True)
    assert _bootstrap(root, _tools(tmp_path / "bin", bwrap="exit 1")) == (0, "")


def test_bootstrap_without_bubblewrap_prints_the_line_that_installs_it(tmp_path: Path) -> None:
    root = _copy(tmp_path.resolve() / "repository", stamped=True)
    path = _tools(tmp_path / "bin", id="echo 1000", uname="echo Linux", **{"apt-get": "exit 1"})
    said = "bootstrap: bubblewrap is missing, so no check can run sandboxed; run: sudo apt-get install bubblewrap\n"
    assert _bootstrap(root, path) == (0, said)


def test_bootstrap_without_a_python_says_which_it_needs(tmp_path: Path) -> None:
    root = _copy(tmp_path.resolve() / "repository", stamped=False)
    assert _bootstrap(root, _tools(tmp_path / "bin", python3="exit 1")) == (
        1,
        "bootstrap: needs Python 3.11 or later, found none; install one, or name it: PYTHON=/path/to/python3\n",
    )


def test_bootstrap_with_a_python_that_makes_no_environment_prints_the_line_that_mends_it(tmp_path: Path) -> None:
    root = _copy(tmp_path.resolve() / "repository", stamped=False)
    bare = 'case "$*" in *ensurepip*|*pip*) exit 1;; *-venv*) echo python3.11-venv;; esac'
    path = _tools(tmp_path / "bin", python3=bare, id="echo 1000", **{"apt-get": "exit 1"})
    said = "bootstrap: python3 cannot make a virtual environment; run: sudo apt-get install python3.11-venv\n"
    assert _bootstrap(root, path) == (1, said)


def test_a_home_of_its_own(isolated: Path) -> None:
    """Git finds the tests' name in the test's own home, and none of the person's files."""
    command = ["git", "config", "--list", "--show-origin"]
    asked = subprocess.run(command, cwd="/", check=True, capture_output=True, text=True)
    assert os.environ["HOME"] == str(isolated)
    assert [line.partition("\t")[2] for line in asked.stdout.splitlines()] == [
        "user.name=Ada Test",
        "user.email=ada@example.invalid",
        "init.defaultbranch=main",
    ]
    assert {line.partition("\t")[0] for line in asked.stdout.splitlines()} == {f"file:{isolated}/.gitconfig"}


_LEAVES = """
import subprocess, tempfile
def test_leaves() -> None:
    tempfile.mkstemp(prefix="forgotten")
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    open({note!r}, "w").write(str(process.pid))
    process.returncode = 0
"""


def test_what_a_test_leaves_behind_is_named_at_the_end(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    note = tmp_path / "pid"
    (tmp_path / "test_leaves.py").write_text(_LEAVES.format(note=str(note)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    try:
        done = subprocess.run(
            [*command, "--basetemp", "base", "test_leaves.py"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)
    assert done.returncode == 1
    assert re.search(r"temporary file \S+/forgotten", done.stdout)
    assert f"process {note.read_text()}: sleep 60" in done.stdout
