"""benchdog's own object store for one repository: raw trees, and nothing that git would change in them.

Blobs and trees enter through one `git fast-import` at a time and are read through one long-lived `git cat-file
--batch`. Nothing is ever collected: candidates stay readable as long as the place stands.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchdog.errors import StoreError
from benchdog.repo.git import Git, GitFailed, store_git
from benchdog.repo.importing import Import
from benchdog.repo.objects import Objects
from benchdog.system.environment import Environment
from benchdog.system.files import locked, write_durably
from benchdog.trees import Change, Entry, Mode, parse_changes, parse_tree

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_CONFIG = b"""\
[core]
\trepositoryformatversion = 0
\tbare = true
\tcompression = 1
\tquotePath = false
\tlogAllRefUpdates = false
[pack]
\tcompression = 1
[gc]
\tauto = 0
[maintenance]
\tauto = false
[diff]
\trenames = false
"""
_KEPT_TREES = 6  # entries of so many trees stay in memory


class Store:
    """Objects by id. Safe to use from several threads and processes. Close it."""

    def __init__(self, place: Path, environment: Environment) -> None:
        self.path = place / "store.git"
        self._lock = place / "store.lock"
        self.git: Git = store_git(environment, self.path)
        self.objects = Objects(self.git)
        self._trees: OrderedDict[str, Mapping[str, Entry]] = OrderedDict()
        self._guard = threading.Lock()

    def prepare(self) -> None:
        """Makes the store where there is none. Raises StoreError, HostError without git."""
        if (self.path / "config").is_file():
            return
        with locked(self._lock):
            if not (self.path / "config").is_file():
                for directory in ("objects/pack", "objects/info", "refs/heads", "info"):
                    (self.path / directory).mkdir(parents=True, exist_ok=True)
                write_durably(self.path / "HEAD", b"ref: refs/heads/none\n")
                write_durably(self.path / "config", _CONFIG)

    def close(self) -> None:
        self.objects.close()

    def has(self, tree: str) -> bool:
        """Whether this tree can be read."""
        return bool(tree) and self.objects.kind(tree) == "tree"

    def read(self, blob: str) -> bytes:
        """A blob's content. Raises StoreError where there is none."""
        return self.objects.read(blob, "blob")

    def entries(self, tree: str) -> Mapping[str, Entry]:
        """All files of a tree, by path. Raises StoreError where there is no such tree."""
        with self._guard:
            if tree in self._trees:
                self._trees.move_to_end(tree)
                return self._trees[tree]
        found = dict(self._below(tree, ""))
        self.remember(tree, found)
        return found

    def remember(self, tree: str, entries: Mapping[str, Entry]) -> None:
        """Keeps a tree's entries at hand."""
        with self._guard:
            self._trees[tree] = entries
            while len(self._trees) > _KEPT_TREES:
                self._trees.popitem(last=False)

    def _below(self, tree: str, prefix: str) -> Iterator[tuple[str, Entry]]:
        for mode, name, oid in parse_tree(self.objects.read(tree, "tree")):
            if mode == "40000":
                yield from self._below(oid, f"{prefix}{name}/")
            else:
                yield prefix + name, Entry(Mode(mode), oid)

    @contextmanager
    def importing(self) -> Iterator[Import]:
        """Takes new objects in for the block; all of them are readable after it, or StoreError is raised."""
        self.prepare()
        with locked(self._lock):
            session = Import(self.git)
            try:
                yield session
                session.finish()
            finally:
                if not session.finished:
                    session.abandon()
                    self._sweep()

    def _sweep(self) -> None:
        """Removes what a failed import left behind. Only under the lock: no other import is going on."""
        for left in (*(self.path / "objects/pack").glob("tmp_*"), *self.path.glob("fast_import_crash_*")):
            left.unlink(missing_ok=True)

    def edited(self, base: str, edits: Mapping[str, Entry | None]) -> str:
        """The tree that is `base` with some entries set or removed. Blobs must be there already."""
        if not edits:
            return base
        with self.importing() as session:
            return session.tree(base, edits)

    def changes(self, before: str, after: str) -> tuple[Change, ...]:
        """What differs, ordered by path."""
        if before == after:
            return ()
        return parse_changes(self._compare("--raw", "--numstat", before, after))

    def diff(self, before: str, after: str) -> bytes:
        """A unified diff; binary files are named, not shown."""
        return b"" if before == after else self._compare("-p", "--full-index", before, after)

    def _compare(self, *arguments: str) -> bytes:
        fixed = ("-r", "-z") if "--raw" in arguments else ("-r",)
        try:
            return self.git.run(
                "diff-tree", *fixed, "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", *arguments, "--"
            )
        except GitFailed as error:
            raise StoreError(f"the trees cannot be compared: {error.said.strip()}") from error

    def find(self, text: str, tree: str) -> tuple[str, ...]:
        """The text files of a tree that hold `text` as a whole word, ordered by path."""
        if not text or "\n" in text or "\0" in text:
            return ()
        status, output, said = self.git.attempt("grep", "-l", "-z", "-I", "-F", "-w", "-e", text, tree, "--")
        if status not in (0, 1):
            raise StoreError(f"cannot search the tree {tree}: {said.strip()}")
        head = len(tree) + 1
        return tuple(sorted(os.fsdecode(name)[head:] for name in output.split(b"\0") if name))
