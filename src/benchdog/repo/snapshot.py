"""The base: the person's tree as it is on disk, byte for byte, as a raw tree in benchdog's store."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchdog.errors import HostError, UserError
from benchdog.repo.folder import Chain, NotAFile, opened, split, status_of
from benchdog.repo.harvest import take_file, tree_mode
from benchdog.repo.importing import Import
from benchdog.repo.listing import Listing, ignore_line
from benchdog.repo.statindex import Known, StatIndex, file_system_clock, known, load_index, matches
from benchdog.repo.store import EMPTY_TREE, Store
from benchdog.trees import Entry, Mode, changed_paths, unsafe_because

MAX_UNTRACKED_FILE = 50 * 1024**2  # bytes
MAX_UNTRACKED = 1024**3  # bytes in all
_OTHER_CLOCK = 2 * 10**9  # ns: how far another file system's clock may be off, and how coarse it may be
_SHOWN = 20

Progress = Callable[[int, int], None]
"""Called now and then with the files done and the files there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The tree as it was. `head` is the commit it stood on (None: no commit yet, or no git), `branch` None when
    detached, `uncommitted` the paths that differed from it. `skipped` are the person's own repositories inside the
    tree and paths that are neither files nor symlinks; both are left out."""

    tree: str
    files: int
    head: str | None = None
    branch: str | None = None
    uncommitted: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    merge_in_progress: bool = False


def take_snapshot(
    root: Path, place: Path, store: Store, listing: Listing, progress: Progress | None = None
) -> tuple[str, Mapping[str, Entry], tuple[str, ...]]:
    """The raw tree of the listed files, its entries, and the paths left out.

    Raises UserError (too large, unreadable), HostError, StoreError.
    """
    index = load_index(place / "snapshot.index")
    if not store.has(index.tree):
        index = StatIndex(tree=EMPTY_TREE)
    reader = _Reader(root, index, _stamp(root, place), listing, progress)
    with store.importing() as session:
        reader.read(session)
        before = store.entries(index.tree)
        edits = {path: after for path, (_, after) in changed_paths(before, reader.entries).items()}
        tree = session.tree(index.tree, edits) if edits else index.tree
    store.remember(tree, reader.entries)
    if edits or reader.reread:
        StatIndex(tree=tree, records=reader.records).save(place / "snapshot.index")
    return tree, reader.entries, (*listing.nested, *reader.skipped)


def _stamp(root: Path, place: Path) -> int:
    """Files whose ctime is older than this cannot be written any more without getting another one."""
    now = file_system_clock(place / "stamp")
    return now if root.stat().st_dev == place.stat().st_dev else now - _OTHER_CLOCK


class _Reader:
    """Reads those of the listed files that are not known, in order of their paths."""

    def __init__(self, root: Path, index: StatIndex, stamp: int, listing: Listing, progress: Progress | None) -> None:
        self._root = root
        self._known = index.records
        self._stamp = stamp
        self._listing = listing
        self._progress = progress
        self.entries: dict[str, Entry] = {
            path: Entry(Mode.SUBMODULE, commit[:40]) for path, commit in listing.submodules.items()
        }
        self.records: dict[str, Known] = {}
        self.skipped: list[str] = []
        self.reread = 0

    def read(self, session: Import) -> None:
        untracked = frozenset(self._listing.untracked)
        paths = sorted(self._listing.tracked | untracked)
        with Chain(self._root) as chain:
            found = self._look(chain, paths)
            _refuse_large({path: status.st_size for path, status in found.items() if path in untracked})
            chain.forget()
            for number, (path, status) in enumerate(found.items(), 1):
                self._take(session, chain, path, status)
                if self._progress is not None and number % 1000 == 0:
                    self._progress(number, len(found))

    def _look(self, chain: Chain, paths: Iterable[str]) -> dict[str, os.stat_result]:
        """The status of each path that is there. What is gone, or lies behind a symlink now, is no part of the tree."""
        found = {}
        for path in paths:
            directory, name = split(path)
            try:
                status = status_of(name, chain.at(directory))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise _unreadable(path, error) from error
            if status is None or stat.S_ISDIR(status.st_mode):
                continue
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)) or unsafe_because(path):
                self.skipped.append(path)
            else:
                found[path] = status
        return found

    def _take(self, session: Import, chain: Chain, path: str, status: os.stat_result) -> None:
        record = self._known.get(path)
        if record is None or not matches(record, status):
            try:
                status, record = self._read_one(session, chain, path, status)
            except NotAFile:
                self.skipped.append(path)
                return
            except FileNotFoundError as error:
                raise HostError(f"{path!r} vanished while the tree was read", hint="run it again") from error
            except OSError as error:
                raise _unreadable(path, error) from error
            self.reread += 1
        self.records[path] = record
        self.entries[path] = Entry(tree_mode(status), record[5])

    def _read_one(
        self, session: Import, chain: Chain, path: str, status: os.stat_result
    ) -> tuple[os.stat_result, Known]:
        directory, name = split(path)
        parent = chain.at(directory)
        if stat.S_ISLNK(status.st_mode):
            blob = session.blob(os.fsencode(os.readlink(name, dir_fd=parent)))
            return status, known(status, blob, self._stamp)
        with opened(name, parent) as (descriptor, fresh):
            blob = take_file(session, descriptor, fresh)
            return fresh, known(fresh, blob, self._stamp)


def _refuse_large(sizes: Mapping[str, int]) -> None:
    """Untracked files that hardly belong to the work: better named now than copied."""
    large = [path for path, size in sizes.items() if size > MAX_UNTRACKED_FILE]
    if not large and sum(sizes.values()) <= MAX_UNTRACKED:
        return
    named = large or sorted(sizes, key=lambda path: -sizes[path])[:_SHOWN]
    lines = "\n".join(f"  {ignore_line(path)}" for path in named[:_SHOWN])
    listed = "\n".join(f"  {sizes[path] / 1024**2:,.0f} MB  {path!r}" for path in named[:_SHOWN])
    more = f"\n  and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    reason = "over 50 MB each" if large else "over 1 GB in all"
    raise UserError(
        f"untracked files are {reason}:\n{listed}{more}",
        hint=f"add to .gitignore, or commit what belongs to the work:\n{lines}",
    )


def _unreadable(path: str, error: OSError) -> UserError:
    return UserError(
        f"cannot read {path!r}: {error.strerror or error}",
        hint=f"make it readable, or add {ignore_line(path)} to .gitignore",
    )
