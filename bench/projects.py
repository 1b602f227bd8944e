"""Published projects' own tests, inside the sandbox and outside of it: the baseline must be the same.

Source distributions come from PyPI and the npm registry through `pip` and `npm`, as they are set up on this machine.
Each becomes a git repository with its dependencies installed beside it, as a person would have it. A difference is
anything but the same exit status and the same numbers of passed, failed and skipped tests.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchdog.checks import TestReport
from benchdog.checks.reading import read_output
from benchdog.runner import open_bench, red_command
from benchdog.system.environment import read_environment
from benchdog.testing.project import git

PATIENCE = 600.0  # seconds for one step
PYTEST = "python -m pytest -q -p no:cacheprovider"
TAPE = "node_modules/.bin/tape 'test/**/*.js'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    name: str
    needs: tuple[str, ...] = ()
    run: str = PYTEST
    npm: bool = False


PROJECTS = (
    Project(name="boltons"),
    Project(name="idna", needs=("hypothesis",)),
    Project(name="iniconfig"),
    Project(name="itsdangerous", needs=("freezegun",)),
    Project(name="markupsafe"),
    Project(name="more-itertools"),
    Project(name="parse", needs=("pytest-cov",)),
    Project(name="toolz"),
    Project(name="minimist", needs=("tape@5",), run=TAPE, npm=True),
    Project(
        name="is-callable",
        needs=("tape@5", "for-each", "has-tostringtag", "make-arrow-function", "make-async-function",
               "make-generator-function"),
        run=TAPE,
        npm=True,
    ),
)  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="benchdog-projects-") as folder:
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/config"
        found = [compare(project, Path(folder)) for project in PROJECTS]
    note = "Outside / inside: exit status, then passed, failed, skipped. " + "; ".join(text for _, text in found)
    figures = [
        {"name": f"{project.name}: differences of the baseline", "value": differs, "unit": "", "limit": 0}
        for project, (differs, _) in zip(PROJECTS, found, strict=True)
    ]
    print(json.dumps({"figures": figures, "note": note}))


def compare(project: Project, folder: Path) -> tuple[int, str]:
    """Whether the baseline differs (0 or 1), and both in words."""
    sys.stderr.write(f"bench: {project.name}\n")
    root = folder / "projects" / project.name
    try:
        prepare(project, root, folder)
    except subprocess.SubprocessError as error:
        return 1, f"{project.name}: could not be made: {error}"
    places = (root / ".venv/bin", root / "node_modules/.bin")
    path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
    variables = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["/bin/sh", "-c", project.run], cwd=root, env=variables, capture_output=True, timeout=PATIENCE, check=False
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    outside = shown(done.returncode, read_output(project.run, said, done.returncode))
    with open_bench(read_environment(cwd=root)) as bench:
        run = red_command(bench, project.run)
    inside = shown(run.result.exit_status, run.tests)
    why = "" if inside == outside else f" ({run.result.fix or run.result.distilled})"
    return int(inside != outside), f"{project.name} {outside} / {inside}{why}"


def shown(status: int | None, tests: TestReport | None) -> str:
    return f"{status}, {tests.passed} {tests.failed} {tests.skipped}" if tests else f"{status}, no counts"


def prepare(project: Project, root: Path, folder: Path) -> None:
    """The project as published, a repository with one commit, its dependencies installed but not tracked."""
    root.mkdir(parents=True)
    download = folder / "downloads" / project.name
    download.mkdir(parents=True)
    if project.npm:
        step("npm", "pack", "--silent", project.name, cwd=download)
    else:
        step(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", project.name, project.name,
             cwd=download)  # fmt: skip
    (archive,) = download.iterdir()
    step("tar", "-xzf", str(archive), "-C", str(root), "--strip-components=1", cwd=folder)
    with (root / ".gitignore").open("a") as ignore:
        ignore.write("\n.venv/\nnode_modules/\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "-c", "user.name=Bench", "-c", "user.email=bench@example.invalid", "commit", "-qm", "As published")
    if project.npm:
        step("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", *project.needs,
             cwd=root)  # fmt: skip
        return
    step(sys.executable, "-m", "venv", ".venv", cwd=root)
    step(".venv/bin/python", "-m", "pip", "install", "-q", "pytest", *project.needs, cwd=root)
    step(".venv/bin/python", "-m", "pip", "install", "-q", "--no-deps", "-e", ".", cwd=root)
    if project.name == "iniconfig":  # pytest needs it itself: what was built must not count as a change
        git(root, "checkout", "-q", ".")


def step(*argv: str, cwd: Path) -> None:
    if shutil.which(argv[0]) is None and "/" not in argv[0]:
        raise subprocess.SubprocessError(f"{argv[0]} is not installed")
    done = subprocess.run(argv, cwd=cwd, capture_output=True, timeout=PATIENCE, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise subprocess.SubprocessError(f"{shlex.join(argv[:4])} … failed: {said}")


if __name__ == "__main__":
    main()
