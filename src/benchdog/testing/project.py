"""Small repositories made on the spot, for tests and the demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchdog.system.environment import read_environment
from benchdog.system.process import Command, run


def make_repository(root: Path, files: Mapping[str, str]) -> Path:
    """Writes `files` below `root` and commits them with the person's git. Returns `root`."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    who = ("-c", "user.name=Ada Test", "-c", "user.email=ada@example.invalid")
    git(root, *who, "commit", "-q", "--no-gpg-sign", "-m", "Base")
    return root


def git(root: Path, *arguments: str) -> str:
    """Runs git in `root` and returns what it printed. Raises AssertionError where it failed."""
    environment = dict(read_environment().variables)
    done = run(Command(argv=("git", *arguments), cwd=root, environment=environment, timeout=60))
    assert done.exit_status == 0, (arguments, done.stderr.value())
    return done.stdout.value().decode("utf-8", "surrogateescape")
