"""What the person's own git makes of a raw tree: a commit, a ref that moves, index entries. HEAD's tree stays but for
exactly the changed paths.

Their git cleans the changed files (line ends, filters) in a directory that only benchdog writes, with an index of its
own; so neither their files nor their index are looked at or touched. Objects that are not used in the end are for
git's own garbage collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchdog.errors import Conflict, HostError, UserError
from benchdog.repo.folder import Chain, create, split
from benchdog.repo.git import Git, GitFailed
from benchdog.repo.journal import IndexEntry, Move
from benchdog.repo.repository import Repository
from benchdog.repo.store import Store
from benchdog.system.folders import own_folder
from benchdog.trees import Entry, Mode

_PLAIN_INDEX = ("-c", "core.splitIndex=false", "-c", "core.sparseCheckout=false", "-c", "index.sparse=false")
_ABSENT = ("", "")
_HIDDEN = "hsS"  # flags of `git ls-files -v`: assume-unchanged, skip-worktree


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the person stands. `ref` is a branch, or `HEAD` when detached; `commit` None before the first commit."""

    ref: str
    commit: str | None


def read_head(git: Git) -> Head:
    """Raises HostError."""
    status, output, _ = git.attempt("symbolic-ref", "-q", "HEAD")
    ref = os.fsdecode(output).rstrip("\n") if status == 0 else "HEAD"
    return Head(ref=ref, commit=resolve(git, "HEAD"))


def resolve(git: Git, name: str) -> str | None:
    """The commit that a ref names; None where there is none."""
    status, output, _ = git.attempt("rev-parse", "--verify", "-q", f"{name}^{{commit}}")
    return output.decode("ascii").strip() if status == 0 else None


def new_branch(git: Git, name: str | None) -> str:
    """The ref of a branch that does not exist yet. Raises UserError."""
    if not name:
        raise UserError("a branch needs a name", hint="benchdog apply --branch NAME")
    status, _, _ = git.attempt("check-ref-format", "--branch", name)
    if status != 0 or name.startswith(("-", "@")):
        raise UserError(f"{name!r} is no name for a branch", hint="benchdog apply --branch NAME")
    ref = f"refs/heads/{name}"
    if git.attempt("show-ref", "--verify", "-q", ref)[0] == 0:
        raise UserError(f"the branch {name!r} exists already", hint="take another name, or delete that branch")
    return ref


def build_commit(
    repository: Repository, head: Head, tree: str, changes: Mapping[str, Entry | None], message: str
) -> tuple[str, dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """A commit on `head` with exactly these paths as in the raw tree; and the paths' entries before and after.

    Nothing refers to it yet. Raises UserError (no identity, a filter that fails), HostError.
    """
    with _workbench(repository) as bench:
        git = _git_on(repository, bench)
        _lay_out(repository.store, bench / "files", tree, changes)
        if head.commit is not None:
            git.run("read-tree", head.commit)
        before = read_index(git, changes)
        try:
            _enter_paths(git, changes)
        except GitFailed as error:
            raise UserError(
                f"git cannot take the changed files in: {error.said.strip()}",
                hint="see that `git add` works on them here (filters, .gitattributes); nothing was changed",
            ) from error
        after = read_index(git, changes)
        git_tree = git.run("write-tree").decode("ascii").strip()
    return commit_tree(repository.git, git_tree, head.commit, message), before, after


def revert_commit(repository: Repository, tip: str, before: Mapping[str, tuple[str, str]], message: str) -> str:
    """A commit on `tip` in which these paths are as they were before. Raises HostError."""
    with _workbench(repository) as bench:
        git = _git_on(repository, bench)
        git.run("read-tree", tip)
        write_index(git, before)
        git_tree = git.run("write-tree").decode("ascii").strip()
    return commit_tree(repository.git, git_tree, tip, message)


def commit_tree(git: Git, tree: str, parent: str | None, message: str) -> str:
    parents = ("-p", parent) if parent else ()
    try:
        made = git.run(
            "-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, *parents, stdin=message.encode("utf-8", "replace")
        )
    except GitFailed as error:
        if "tell me who you are" in error.said or "empty ident" in error.said or "ident name" in error.said:
            raise UserError(
                "git does not know who you are, so it cannot commit",
                hint='git config --global user.name "…" and user.email "…"; nothing was changed',
            ) from error
        raise
    return made.decode("ascii").strip()


def entries_in(git: Git, commit: str, paths: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Mode and blob of these paths in a commit's tree."""
    found = dict.fromkeys(paths, _ABSENT)
    for line in git.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        head, _, name = line.partition(b"\t")
        path = os.fsdecode(name)
        if path in found:
            mode, _, blob = head.decode("ascii").split(" ")
            found[path] = (mode, blob)
    return found


def read_index(git: Git, paths: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Mode and blob of these paths in the index. A path in conflict has the entry ("unmerged", "")."""
    found = dict.fromkeys(paths, _ABSENT)
    for flag, mode, blob, stage, path in _index_lines(git):
        if path in found:
            found[path] = (mode, blob) if stage == "0" and flag not in _HIDDEN else ("unmerged", "")
    return found


def hidden_paths(git: Git, paths: Mapping[str, object]) -> list[str]:
    """Those of the paths whose changes git was told not to look at (assume-unchanged, skip-worktree)."""
    return [path for flag, _, _, _, path in _index_lines(git) if flag in _HIDDEN and path in paths]


def _index_lines(git: Git) -> Iterator[tuple[str, str, str, str, str]]:
    """`<flag> SP <mode> SP <id> SP <stage> TAB <path> NUL` repeated."""
    for line in git.run("ls-files", "-z", "-v", "--stage").split(b"\0"):
        if line:
            head, _, name = line.partition(b"\t")
            flag, mode, blob, stage = head.decode("ascii").split(" ")
            yield flag, mode, blob, stage, os.fsdecode(name)


def write_index(git: Git, entries: Mapping[str, tuple[str, str]]) -> None:
    """Makes exactly these entries of the index so, in one write. Raises HostError."""
    zero = "0" * (64 if git.run("rev-parse", "--show-object-format").strip() == b"sha256" else 40)
    gone = [f"0 {zero}\t".encode() + os.fsencode(path) for path, entry in entries.items() if entry == _ABSENT]
    kept = [
        f"{mode} {blob} 0\t".encode() + os.fsencode(path)
        for path, (mode, blob) in entries.items()
        if (mode, blob) != _ABSENT
    ]
    git.run("update-index", "-z", "--index-info", stdin=b"".join(line + b"\0" for line in gone + kept))


def move_refs(git: Git, moves: tuple[Move, ...], why: str) -> None:
    """Moves all of the refs or none, each only from where it is expected. Raises Conflict where one is elsewhere."""
    lines = b""
    for move in moves:
        ref = os.fsencode(move.ref)
        option = b"option no-deref\0" if move.ref == "HEAD" else b""
        old, new = (move.old or "").encode(), (move.new or "").encode()
        if not new:
            lines += option + b"delete " + ref + b"\0" + old + b"\0"
        elif not old:
            lines += option + b"create " + ref + b"\0" + new + b"\0"
        else:
            lines += option + b"update " + ref + b"\0" + new + b"\0" + old + b"\0"
    try:
        git.run("update-ref", "-m", why, "-z", "--stdin", stdin=lines)
    except GitFailed as error:
        refs = ", ".join(move.ref for move in moves)
        raise Conflict(
            f"git does not move {refs}: {error.said.strip()}", hint="nothing was moved; run the command again"
        ) from error


def move_entries(git: Git, entries: tuple[IndexEntry, ...], *, forward: bool) -> tuple[str, ...]:
    """Brings the index entries to one side; those that are on neither side are kept, and returned."""
    if not entries:
        return ()
    now = read_index(git, {entry.path: None for entry in entries})
    wanted: dict[str, tuple[str, str]] = {}
    kept = []
    for entry in entries:
        goal, other = (entry.after, entry.before) if forward else (entry.before, entry.after)
        if now[entry.path] == other:
            wanted[entry.path] = goal
        elif now[entry.path] != goal:
            kept.append(entry.path)
    if wanted:
        write_index(git, wanted)
    return tuple(kept)


@contextmanager
def _workbench(repository: Repository) -> Iterator[Path]:
    """A directory that only benchdog writes."""
    with own_folder(repository.workbenches) as bench:
        (bench / "files").mkdir()
        yield bench


def _git_on(repository: Repository, bench: Path) -> Git:
    assert repository.git_root is not None, "only a git repository takes commits"
    git = repository.git.with_variables(
        GIT_DIR=str(repository.git_root.git_directory),
        GIT_WORK_TREE=str(bench / "files"),
        GIT_INDEX_FILE=str(bench / "index"),
    )
    return Git(cwd=bench / "files", environment=git.environment, options=(*git.options, *_PLAIN_INDEX))


def _lay_out(store: Store, root: Path, tree: str, changes: Mapping[str, Entry | None]) -> None:
    """Writes the changed files, and every .gitattributes of the tree: they say how git is to clean the files."""
    entries = store.entries(tree)
    wanted = {path: entry for path, entry in entries.items() if path.rpartition("/")[2] == ".gitattributes"}
    wanted |= {path: entry for path, entry in changes.items() if entry is not None}
    try:
        with Chain(root) as chain:
            for path, entry in sorted(wanted.items()):
                directory, name = split(path)
                parent, data = chain.at(directory, 0o700), store.read(entry.blob)
                if entry.mode is Mode.SYMLINK:
                    os.symlink(os.fsdecode(data), name, dir_fd=parent)
                else:
                    create(name, parent, data, 0o755 if entry.mode is Mode.EXECUTABLE else 0o644)
    except OSError as error:
        raise HostError(f"cannot write below {root}: {error.strerror}", hint="nothing of yours was changed") from error


def _enter_paths(git: Git, changes: Mapping[str, Entry | None]) -> None:
    gone = b"".join(os.fsencode(path) + b"\0" for path, entry in changes.items() if entry is None)
    kept = b"".join(os.fsencode(path) + b"\0" for path, entry in changes.items() if entry is not None)
    if gone:
        git.run("update-index", "-z", "--force-remove", "--stdin", stdin=gone)
    if kept:
        git.run("update-index", "-z", "--add", "--stdin", stdin=kept)
