"""What holds for every test: a home of its own, no git settings of the person's, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("benchdog", deadline=None, max_examples=50, database=None)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000, database=None)
hypothesis.settings.load_profile("benchdog")

_NUMBERS = count()
_PROBE = ("bwrap", "--ro-bind", "/", "/", "--unshare-all", "true")
_GIT_CONFIG = "[user]\n\tname = Ada Test\n\temail = ada@example.invalid\n[init]\n\tdefaultBranch = main\n"


def pytest_report_header() -> list[str]:
    """What cannot run here, and why; skips name their own reason at the end."""
    try:
        done = subprocess.run(_PROBE, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ["cannot run here: sandboxed checks: bubblewrap is not installed"]
    return [f"cannot run here: sandboxed checks: {done.stderr.strip()}"] if done.returncode else []


@pytest.fixture(scope="session", autouse=True)
def nothing_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Temporary files go to a directory that must be empty at the end; no process and no mount may outlive the tests.

    The directory in which the tests' homes lie.
    """
    base = tmp_path_factory.getbasetemp().resolve()
    scratch = base / "scratch"
    scratch.mkdir()
    homes = base / "homes"
    homes.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(scratch))
        patch.setattr(tempfile, "tempdir", None)
        yield homes
    if left := _left(base, scratch):
        pytest.fail("the tests left behind:\n" + "\n".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def isolated(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own home. HOME, the XDG directories and git's settings lie in it."""
    home = nothing_left / str(next(_NUMBERS))
    home.mkdir()
    (home / ".gitconfig").write_text(_GIT_CONFIG)
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_", "BENCHDOG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".local" / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home


def _left(base: Path, scratch: Path) -> list[str]:
    """What is still there; a process that is just ending gets a second for it."""
    never = threading.Event()
    for _ in range(20):
        processes = _processes(str(base))
        if not processes:
            break
        never.wait(0.05)
    files = [f"temporary file {path}" for path in scratch.iterdir()]
    return files + _mounts(str(base)) + processes


def _mounts(base: str) -> list[str]:
    try:
        table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []  # no /proc: nothing can be told
    return [f"mount {line}" for line in table.splitlines() if f"{base}/" in line]


def _processes(base: str) -> list[str]:
    """Children of this process, and whatever else stands in or names the tests' directory."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
            cwd = str((place / "cwd").readlink())
        except OSError:
            continue  # ended, or somebody else's
        ours = parent == str(os.getpid()) or cwd.startswith(f"{base}/") or f"{base}/" in line
        if ours and line and place.name != str(os.getpid()):  # a zombie has no command line
            found.append(f"process {place.name}: {line}")
    return found
