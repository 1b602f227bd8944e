"""What package managers install is never part of the tree, whatever the person's .gitignore forgot."""

from __future__ import annotations

from pathlib import Path

from benchdog.repo import Ignored, open_repository
from benchdog.system.clock import SystemClock
from benchdog.system.environment import read_environment
from benchdog.testing.project import git, make_repository


def test_forgotten_environments_are_lent_not_taken(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository", {"a.py": "a\n", "kept/venv/code.py": "c\n"})
    for path in (".venv/lib/x.py", "web/node_modules/left-pad/index.js", "venv/pyvenv.cfg", "env/notes.txt"):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text("x\n")
    with open_repository(read_environment(cwd=root), root, SystemClock()) as repository:
        base = repository.snapshot()
        assert sorted(repository.view(base.tree).entries) == ["a.py", "env/notes.txt", "kept/venv/code.py"]
        assert repository.ignored() == (
            Ignored(path=".venv", is_directory=True),
            Ignored(path="venv", is_directory=True),
            Ignored(path="web/node_modules", is_directory=True),
        )


def test_what_is_tracked_stays_part_of_the_tree(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository", {"a.py": "a\n", "node_modules/vendored/index.js": "1\n"})
    assert "node_modules" in git(root, "ls-files")
    with open_repository(read_environment(cwd=root), root, SystemClock()) as repository:
        assert "node_modules/vendored/index.js" in repository.view(repository.snapshot().tree).entries
