"""How long the repository adapter takes on a large tree, beside git itself in the same run. Prints JSON.

    python bench/repo_speed.py [--files 50000] [--pairs 5] [--folder DIRECTORY]

`git`: `git add -A && git write-tree` on a fresh index and an empty object store. `first`: snapshot, checkout, harvest
and changes with no state yet. `second`: the same again on the same base with three changed files. Seconds; the pairs
are interleaved, each after a sync; the ratio is of medians.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchdog.repo import open_repository
from benchdog.system.clock import SystemClock
from benchdog.system.environment import read_environment
from benchdog.trees import Mode

_PER_DIRECTORY = 25
_LINE = "the quick brown fox jumps over the lazy dog {} {}\n"


def make_tree(root: Path, files: int) -> None:
    """A git repository of small text files, all of them in its index."""
    for number in range(files):
        folder = root / f"package{number // (_PER_DIRECTORY * 40):03}" / f"module{number // _PER_DIRECTORY:05}"
        if number % _PER_DIRECTORY == 0:
            folder.mkdir(parents=True)
        text = "".join(_LINE.format(number, line) for line in range(5 + number % 40))
        (folder / f"file{number:06}.py").write_text(text)
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)


def time_git(root: Path, work: Path) -> float:
    """`git add -A && git write-tree` with everything fresh."""
    store = work / "fresh.git"
    subprocess.run(["git", "init", "-q", "--bare", str(store)], check=True)
    environment = {**os.environ, "GIT_DIR": str(store), "GIT_WORK_TREE": str(root)}
    os.sync()
    started = time.monotonic()
    subprocess.run(["git", "add", "-A"], check=True, env=environment, cwd=root)
    subprocess.run(["git", "write-tree"], check=True, env=environment, cwd=root, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    shutil.rmtree(store)
    return seconds


def time_benchdog(root: Path, state: Path) -> dict[str, float]:
    """Snapshot, checkout, harvest of three edits, changes: seconds each."""
    environment = read_environment({**os.environ, "XDG_STATE_HOME": str(state)}, root)
    os.sync()
    marks = [time.monotonic()]
    with open_repository(environment, root, SystemClock()) as repository:
        base = repository.snapshot()
        marks.append(time.monotonic())
        with repository.checkout(base.tree) as checkout:
            marks.append(time.monotonic())
            for path in checkout.paths()[:3]:
                (checkout.path / path).write_text("changed\n")
            marks.append(time.monotonic())
            candidate = checkout.harvest().tree
            marks.append(time.monotonic())
            changes = repository.changes(base.tree, candidate)
            marks.append(time.monotonic())
    assert len(changes) == 3, "three files were edited"
    assert all(change.after is not None and change.after.mode is Mode.FILE for change in changes), "files stay files"
    names = ("snapshot", "checkout", "edit", "harvest", "changes")
    steps = {name: end - start for name, start, end in zip(names, marks, marks[1:], strict=False)}
    steps["close"] = time.monotonic() - marks[-1]
    return {**steps, "all": time.monotonic() - marks[0] - steps["edit"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = Path(folder) / "tree"
        root.mkdir()
        make_tree(root, options.files)
        git, first, second = [], [], []
        for pair in range(options.pairs):
            git.append(time_git(root, Path(folder)))
            state = Path(folder) / f"state{pair}"
            first.append(time_benchdog(root, state))
            for path in sorted(root.glob("package000/module00000/*.py"))[:3]:
                path.write_text(f"changed by the person {pair}\n")
            second.append(time_benchdog(root, state))
            shutil.rmtree(state)
    print(json.dumps({"figures": figures(git, first, second), "note": note(options, git, first, second)}))


def figures(git: list[float], first: list[dict[str, float]], second: list[dict[str, float]]) -> list[dict[str, object]]:
    git_median = statistics.median(git)
    first_median, second_median = (statistics.median(run["all"] for run in runs) for runs in (first, second))
    return [
        {"name": "git add -A && git write-tree, all fresh", "value": round(git_median, 3), "unit": "s", "limit": None},
        {"name": "snapshot, checkout, harvest, changes", "value": round(first_median, 3), "unit": "s", "limit": None},
        {
            "name": "the same, as a ratio to git",
            "value": round(first_median / git_median, 2),
            "unit": "x",
            "limit": 2.5,
        },
        {"name": "again, three files changed", "value": round(second_median, 3), "unit": "s", "limit": 2.0},
    ]


def note(
    options: argparse.Namespace, git: list[float], first: list[dict[str, float]], second: list[dict[str, float]]
) -> str:
    """The steps' medians, so that a slower figure names its part."""
    parts = []
    for name, runs in (("first", first), ("again", second)):
        steps = {step: statistics.median(run[step] for run in runs) for step in runs[0] if step not in ("all", "edit")}
        parts.append(f"{name}: " + ", ".join(f"{step} {seconds:.2f} s" for step, seconds in steps.items()))
    return f"{options.files} files, medians of {len(git)} interleaved pairs. " + "; ".join(parts)


if __name__ == "__main__":
    main()
