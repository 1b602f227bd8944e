"""What belongs to the person's tree: asked of their own git, or of git's own rules where there is no repository."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchdog.errors import HostError, UserError
from benchdog.repo.git import Git, GitFailed

# Directories of dependencies and caches: left out of a folder without git, where nothing says that they are ignored.
DEPENDENCY_DIRECTORIES = (
    ".venv/",
    "venv/",
    "node_modules/",
    "__pycache__/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".tox/",
    ".nox/",
    ".gradle/",
    "target/debug/",
    "target/release/",
)


_STATUS = (
    *("status", "--porcelain=v2", "-z", "--branch"),
    *("--untracked-files=all", "--no-renames", "--ignore-submodules=dirty"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Paths of the tree, relative to the root. `submodules` are commits by path; `nested` are the person's own
    repositories inside the tree, which are left out."""

    tracked: frozenset[str]
    untracked: tuple[str, ...]
    submodules: Mapping[str, str]
    nested: tuple[str, ...]
    head: str | None = None
    branch: str | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A top-most path that git ignores (or, with `submodule`, one whose files are no part of the tree)."""

    path: str
    is_directory: bool
    submodule: bool = False


def list_repository(git: Git) -> Listing:
    """A git work tree as it is: tracked files, and untracked ones that are not ignored. Raises HostError."""
    status = git.start(*_STATUS)
    try:
        staged = git.run("ls-files", "-z", "--stage")
        output, said = status.communicate()
    finally:
        status.kill()
        status.communicate()
    if status.returncode != 0:
        output = _status_without_filters(git, os.fsdecode(said))
    tracked, submodules = _index(staged)
    head, branch, changed, untracked = _status(output)
    installed = installed_directories(git.cwd)
    untracked = [path for path in untracked if not _is_installed(path, installed)]
    return Listing(
        tracked=tracked,
        untracked=tuple(path for path in untracked if not path.endswith("/")),
        submodules=submodules,
        nested=tuple(path.rstrip("/") for path in untracked if path.endswith("/")),
        head=head,
        branch=branch,
        changed=tuple(sorted(changed + untracked)),
    )


def installed_directories(root: Path) -> tuple[str, ...]:
    """Patterns of what package managers install, whatever the person's .gitignore forgot: never part of the tree,
    unless it is tracked.
    """
    environments = (f"/{name}/" for name in ("venv", "env") if (root / name / "pyvenv.cfg").is_file())
    return (".venv/", "node_modules/", *environments)


def _is_installed(path: str, patterns: tuple[str, ...]) -> bool:
    return any(f"/{path}".startswith(each) if each[0] == "/" else f"/{each}" in f"/{path}" for each in patterns)


def _status_without_filters(git: Git, said: str) -> bytes:
    """Git's status where a filter does not run here (git-lfs is not installed): with all filters off.

    Then a file that git has to look at again counts as changed if its bytes are not those committed.
    """
    filters = git.attempt("config", "-z", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process|required)$")[1]
    if not filters:
        raise GitFailed(("git", "status"), 128, said)
    off = [f"{name}={'false' if name.endswith('.required') else ''}" for name in _names(filters)]
    return git.run(*(word for setting in off for word in ("-c", setting)), *_STATUS)


def list_folder(git: Git, root: Path) -> Listing:
    """A folder without git: all its files but what its own .gitignore files name, and dependencies."""
    excluded = [f"--exclude={pattern}" for pattern in DEPENDENCY_DIRECTORIES]
    output = git.run(f"--work-tree={root}", "ls-files", "-z", "--others", "--exclude-standard", *excluded)
    paths = _names(output)
    return Listing(
        tracked=frozenset(),
        untracked=tuple(path for path in paths if not path.endswith("/")),
        submodules={},
        nested=tuple(path.rstrip("/") for path in paths if path.endswith("/")),
    )


def list_ignored(git: Git, arguments: tuple[str, ...] = (), patterns: tuple[str, ...] = ()) -> tuple[Ignored, ...]:
    """The top-most ignored paths, at any depth, ordered."""
    excluded = [f"--exclude={pattern}" for pattern in patterns]
    output = git.run(
        *arguments, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory", *excluded
    )
    names = sorted(_names(output))
    # Git also names a directory that is not ignored itself but holds nothing else: what is ignored in it is meant.
    holders = {name for name, after in pairwise(names) if name.endswith("/") and after.startswith(name)}
    return tuple(
        Ignored(path=name.rstrip("/"), is_directory=name.endswith("/")) for name in names if name not in holders
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The work tree of a git repository, and its git directory."""

    path: Path
    git_directory: Path


def find_root(git: Git, start: Path) -> Root | None:
    """The work tree that holds `start`; None where there is no repository.

    Raises UserError (bare, inside a git directory, not trusted by git), HostError without git.
    """
    status, output, said = git.attempt(
        "rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--absolute-git-dir"
    )
    if status != 0:
        if "not a git repository" in said and "not a git repository: " not in said:
            return None
        if "dubious ownership" in said or "unsafe repository" in said:
            raise UserError(said.strip().splitlines()[0], hint=f"git config --global --add safe.directory {start}")
        raise HostError(f"git cannot read the repository at {start}: {said.strip()}")
    bare, inside, git_directory = output.removesuffix(b"\n").split(b"\n", 2)
    if inside == b"true":
        top = git.run("rev-parse", "--show-toplevel")
        path = Path(os.fsdecode(top.removesuffix(b"\n"))).resolve()
        return Root(path=path, git_directory=Path(os.fsdecode(git_directory)))
    if bare == b"true":
        raise UserError(f"{start} is a bare repository: it has no files to work on", hint="clone it and go there")
    raise UserError(f"{start} lies inside a git directory", hint="go to the work tree")


def _index(staged: bytes) -> tuple[frozenset[str], dict[str, str]]:
    """`<mode> SP <id> SP <stage> TAB <path> NUL` repeated."""
    tracked = set()
    submodules = {}
    for line in os.fsdecode(staged).split("\0"):
        if line:
            head, _, path = line.partition("\t")
            if head.startswith("160000"):
                submodules[path] = head.split(" ")[1]
            else:
                tracked.add(path)
    return frozenset(tracked), submodules


def _status(output: bytes) -> tuple[str | None, str | None, list[str], list[str]]:
    """Head, branch, changed and untracked paths, from `git status --porcelain=v2 -z --branch`."""
    head = branch = None
    changed, untracked = [], []
    for line in os.fsdecode(output).split("\0"):
        if line.startswith("# branch.oid "):
            head = None if line.endswith(" (initial)") else line[13:]
        elif line.startswith("# branch.head "):
            branch = None if line.endswith(" (detached)") else line[14:]
        elif line.startswith("1 "):
            changed.append(line.split(" ", 8)[8])
        elif line.startswith("u "):
            changed.append(line.split(" ", 10)[10])
        elif line.startswith("? "):
            untracked.append(line[2:])
    return head, branch, changed, untracked


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def ignore_line(path: str) -> str:
    """The line of a .gitignore that names exactly this path."""
    escaped = "".join("\\" + character if character in "\\*?[" else character for character in path)
    trailing = len(escaped) - len(escaped.rstrip(" "))
    return "/" + escaped.rstrip(" ") + "\\ " * trailing


def submodules_as_ignored(root: Path, submodules: Mapping[str, str]) -> Iterator[Ignored]:
    """Submodules whose files are there."""
    for path in sorted(submodules):
        if (root / path / ".git").exists():
            yield Ignored(path=path, is_directory=True, submodule=True)
