"""Takes the tree that somebody left in a directory, without trusting anything of it.

Each file is opened once, relative to its directory, never through a symlink, never waiting; FIFOs, devices, sockets,
git directories and what cannot be read are refused by name and are no part of the tree.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchdog.errors import StoreError
from benchdog.repo.folder import Walk, opened, pieces_of, read_all
from benchdog.repo.importing import Import
from benchdog.repo.statindex import Known, StatIndex, known, matches
from benchdog.repo.store import Store
from benchdog.trees import Entry, Mode, changed_paths
from benchdog.trees.paths import parents_of

SMALL = 1024 * 1024  # bytes; larger files are passed on in pieces
MAX_FILE = 1024**3  # bytes of one changed file
MAX_TOTAL = 4 * 1024**3  # bytes of all changed files
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """`refused` are paths that lay there but are no part of the tree; `reasons` says why, path by path."""

    tree: str
    refused: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


class Harvester:
    """One harvest: a walk, an import of what changed, and the tree that results."""

    def __init__(self, store: Store, before: Mapping[str, Entry], index: StatIndex) -> None:
        self._store = store
        self._before = before
        self._known = index.records
        self._gitlinks = {path: entry for path, entry in before.items() if entry.mode is Mode.SUBMODULE}
        self._entries: dict[str, Entry] = {}
        self._records: dict[str, Known] = {}
        self._refused: dict[str, str] = {}
        self._total = 0

    def take(self, root: Path, tree: str, stamp: int) -> tuple[Harvest, dict[str, Entry], dict[str, Known]]:
        """The harvest, the tree's entries, and what is known of the files. `tree` is what lay there before.

        Raises StoreError.
        """
        walk = Walk(self._found)
        with self._store.importing() as session:
            self._session = session
            self._stamp = stamp
            try:
                walk.go(root)
            except OSError as error:
                raise StoreError(f"cannot read the workspace {root}: {error}") from error
            self._entries |= {path: entry for path, entry in self._gitlinks.items() if path in walk.directories}
            edits = {path: after for path, (_, after) in changed_paths(self._before, self._entries).items()}
            found = session.tree(tree, edits) if edits else tree
        reasons = dict(sorted((self._refused | walk.refused).items()))
        return Harvest(tree=found, refused=tuple(reasons), reasons=reasons), self._entries, self._records

    def _found(self, path: str, name: str, parent: int, entry: os.DirEntry[str]) -> None:
        if self._gitlinks and any(above in self._gitlinks for above in parents_of(path)):
            self._refused[path] = "lies in a submodule"
            return
        try:
            status = entry.stat(follow_symlinks=False)
            record = self._known.get(path)
            if record is not None and matches(record, status):
                self._keep(path, status, record[5], record)
            elif stat.S_ISLNK(status.st_mode):
                blob = self._session.blob(os.fsencode(os.readlink(name, dir_fd=parent)))
                self._keep(path, status, blob, known(status, blob, self._stamp))
            elif stat.S_ISREG(status.st_mode):
                self._read(path, name, parent, 0 if record is None else record[1])
            else:
                self._refused[path] = "is neither a file nor a symlink"
        except OSError as error:
            self._refused[path] = f"cannot be read: {error.strerror}"

    def _keep(self, path: str, status: os.stat_result, blob: str, record: Known) -> None:
        self._entries[path] = Entry(tree_mode(status), blob)
        self._records[path] = record

    def _read(self, path: str, name: str, parent: int, size: int) -> None:
        """`size` is what the file had before: one that did not grow is never too large."""
        with opened(name, parent) as (descriptor, status):
            if status.st_size > size:
                self._total += status.st_size
                if status.st_size > MAX_FILE or self._total > MAX_TOTAL:
                    self._total -= status.st_size
                    self._refused[path] = "is larger than benchdog takes in"
                    return
            blob = take_file(self._session, descriptor, status)
            self._keep(path, status, blob, known(status, blob, self._stamp))


def tree_mode(status: os.stat_result) -> Mode:
    """The mode that git would record for a file or symlink with this status."""
    if stat.S_ISLNK(status.st_mode):
        return Mode.SYMLINK
    return Mode.EXECUTABLE if status.st_mode & stat.S_IXUSR else Mode.FILE


def take_file(session: Import, descriptor: int, status: os.stat_result) -> str:
    """Takes an open regular file in. Raises OSError where it keeps changing while it is read."""
    if status.st_size <= SMALL:
        return session.blob(read_all(descriptor, status.st_size))
    for _ in range(_TRIES):
        blob = session.stream(status.st_size, pieces_of(descriptor))
        if blob is not None:
            return blob
        os.lseek(descriptor, 0, os.SEEK_SET)
        status = os.fstat(descriptor)
    raise OSError(None, "it keeps changing while it is read")
