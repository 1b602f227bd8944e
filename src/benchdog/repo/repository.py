"""The person's repository, or folder, and benchdog's own place for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType

from benchdog.errors import StoreError, UserError
from benchdog.repo.checkout import Checkout
from benchdog.repo.disk import Point, no_point
from benchdog.repo.folder import clear_away
from benchdog.repo.git import Git, persons_git
from benchdog.repo.listing import (
    DEPENDENCY_DIRECTORIES,
    Ignored,
    Listing,
    Root,
    find_root,
    installed_directories,
    list_folder,
    list_ignored,
    list_repository,
    submodules_as_ignored,
)
from benchdog.repo.snapshot import Base, Progress, take_snapshot
from benchdog.repo.store import Store
from benchdog.system.clock import Clock
from benchdog.system.environment import Environment
from benchdog.system.files import locked
from benchdog.system.places import repository_place
from benchdog.trees import Change, Entry, Mode, unsafe_because

_POOL = 64  # checkouts at most at one time
_SETTINGS = "benchdog.toml"
_IN_PROGRESS = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
_FILTERS = ("filter", "ident", "working-tree-encoding")


@dataclass(frozen=True, slots=True)
class StoredTree:
    """A tree of the store as a `TreeView`. Reads lazily."""

    id: str
    store: Store

    @property
    def entries(self) -> Mapping[str, Entry]:
        return self.store.entries(self.id)

    def read(self, path: str) -> bytes:
        entry = self.entries[path]
        return b"" if entry.mode is Mode.SUBMODULE else self.store.read(entry.blob)


class Repository:
    """Reads the person's files and git; writes only to its own `place`. Close it, or use it as a context manager.

    `root` is a real path. `prefix` is the sub-directory that work is about ("" for the root): the one with the nearest
    benchdog.toml upwards, else the one in which benchdog was started.
    """

    def __init__(self, environment: Environment, clock: Clock, root: Path, prefix: str, git_root: Root | None) -> None:
        self.environment = environment
        self.clock = clock
        self.root = root
        self.prefix = prefix
        self.git_root = git_root
        self.place = repository_place(environment.state, root)
        self.git: Git = persons_git(environment, root)
        self.point: Point = no_point
        """Called between any two steps of a landing or a roll-back that change something."""
        self._last: str | None = None

    def __enter__(self) -> Repository:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the reader of objects. The next use starts another."""
        if "store" in self.__dict__:
            self.store.close()

    @property
    def is_git(self) -> bool:
        return self.git_root is not None

    @property
    def workbenches(self) -> Path:
        """Where folders for a while lie; what a killed process left there goes when the next one is made."""
        return self.place / "workbenches"

    @cached_property
    def store(self) -> Store:
        """benchdog's own objects. Raises StoreError where its place cannot be made."""
        try:
            self.place.mkdir(parents=True, exist_ok=True, mode=0o700)
            named = self.place / "root"
            if not named.exists():
                named.write_bytes(os.fsencode(self.root) + b"\n")
            store = Store(self.place, self.environment)
            store.prepare()
        except OSError as error:
            raise StoreError(
                f"cannot make {self.place}: {error.strerror}",
                hint="set XDG_STATE_HOME to a directory that can be written",
            ) from error
        return store

    def snapshot(self, progress: Progress | None = None) -> Base:
        """The tree as it is on disk now: tracked files, and untracked ones that are not ignored, byte for byte.

        Raises UserError (untracked files too large, a file that cannot be read), HostError, StoreError.
        """
        listing = self._listing()
        tree, entries, skipped = take_snapshot(self.root, self.place, self.store, listing, progress)
        self._last = tree
        return Base(
            tree=tree,
            files=len(entries) - len(listing.submodules),
            head=listing.head,
            branch=listing.branch,
            uncommitted=listing.changed,
            submodules=tuple(sorted(listing.submodules)),
            skipped=tuple(sorted(skipped)),
            merge_in_progress=self.in_progress() is not None,
        )

    def view(self, tree: str) -> StoredTree:
        """A tree of the store, read as it is asked for. Raises StoreError, at once, where there is no such tree."""
        self.store.entries(tree)
        return StoredTree(tree, self.store)

    def put(self, base_tree: str, edits: Mapping[str, tuple[Mode, bytes] | None]) -> str:
        """The tree that is `base_tree` with some files set or (None) removed; nothing touches the disk but the store.

        Raises UserError for a path that may not be in a tree, StoreError.
        """
        for path in edits:
            if reason := unsafe_because(path):
                raise UserError(f"the path {path!r} {reason}")
        with self.store.importing() as session:
            entries = {
                path: None if edit is None else Entry(edit[0], session.blob(edit[1])) for path, edit in edits.items()
            }
            return session.tree(base_tree, entries) if entries else base_tree

    def changes(self, before: str, after: str) -> tuple[Change, ...]:
        """What differs between two trees, ordered by path. Raises StoreError."""
        return self.store.changes(before, after)

    def diff(self, before: str, after: str) -> bytes:
        """A unified diff between two trees. Raises StoreError."""
        return self.store.diff(before, after)

    def find(self, text: str) -> tuple[str, ...]:
        """The text files that hold `text` as a whole word, in the last snapshot (taken now where there is none)."""
        return self.store.find(text, self._last or self.snapshot().tree)

    @contextmanager
    def checkout(self, tree: str) -> Iterator[Checkout]:
        """A directory that holds exactly this tree, for the block. Raises StoreError."""
        with self._pooled() as place:
            checkout = Checkout(self.store, place)
            checkout.reset(tree)
            try:
                yield checkout
            finally:
                checkout.save()

    @contextmanager
    def _pooled(self) -> Iterator[Path]:
        """A directory of the pool that nobody else uses."""
        pool = self.store.path.parent / "checkouts"
        for number in range(_POOL):
            place = pool / str(number)
            with locked(place / "lock", wait=False) as mine:
                if mine and _swept(place):
                    yield place
                    return
        raise StoreError(f"all {_POOL} checkouts of {pool} are in use", hint="wait for the other runs to end")

    def ignored(self) -> tuple[Ignored, ...]:
        """The top-most paths that git ignores, at any depth, and the submodules whose files are there."""
        if self.git_root is None:
            work_tree = (f"--work-tree={self.root}",)
            return list_ignored(self._folder_git(), work_tree, DEPENDENCY_DIRECTORIES)
        listing = list_ignored(self.git, patterns=installed_directories(self.root))
        return (*listing, *submodules_as_ignored(self.root, self._listing().submodules))

    def filtered(self, paths: Sequence[str]) -> tuple[str, ...]:
        """Those of the paths whose content git changes by more than line ends: by a filter, `ident` or an encoding."""
        if self.git_root is None or not paths:
            return ()
        stdin = b"".join(os.fsencode(path) + b"\0" for path in paths)
        fields = self.git.run("check-attr", "-z", "--stdin", *_FILTERS, stdin=stdin).split(b"\0")
        found = {
            os.fsdecode(path)
            for path, value in zip(fields[0::3], fields[2::3], strict=False)
            if value not in (b"unspecified", b"unset")
        }
        return tuple(path for path in paths if path in found)

    def in_progress(self) -> str | None:
        """What git is in the middle of, by the name of its mark (MERGE_HEAD, rebase-merge …); None: nothing."""
        if self.git_root is None:
            return None
        return next((name for name in _IN_PROGRESS if (self.git_root.git_directory / name).exists()), None)

    def _listing(self) -> Listing:
        """What belongs to the tree; benchdog's own place never does, wherever the person keeps it."""
        listing = list_repository(self.git) if self.is_git else list_folder(self._folder_git(), self.root)
        state = self.environment.state.resolve()
        if not state.is_relative_to(self.root):
            return listing
        own = f"{state.relative_to(self.root).as_posix()}/"
        return replace(
            listing,
            untracked=tuple(path for path in listing.untracked if not path.startswith(own)),
            nested=tuple(path for path in listing.nested if not path.startswith(own)),
            changed=tuple(path for path in listing.changed if not path.startswith(own)),
        )

    def _folder_git(self) -> Git:
        """The person's git (for their own excludes) on a folder that is no repository: the store stands in for one."""
        return self.git.with_variables(GIT_DIR=str(self.store.path))


def _swept(place: Path) -> bool:
    """Removes what a broken-off use left beside the tree; False where that does not go: another place is taken."""
    try:
        for left in place.glob(".*"):
            clear_away(left)
    except OSError:
        return False
    return True


def open_repository(environment: Environment, start: Path, clock: Clock) -> Repository:
    """The repository, or the folder without git, in which `start` lies.

    Raises UserError (no such directory, a bare repository), HostError without git.
    """
    try:
        start = start.resolve(strict=True)
    except OSError as error:
        raise UserError(f"cannot enter {start}: {error.strerror}") from error
    git_root = find_root(persons_git(environment, start), start)
    settings = _settings_above(start, git_root.path if git_root else None)
    root = git_root.path if git_root else settings or start
    prefix = (settings or start).relative_to(root).as_posix()
    return Repository(environment, clock, root, "" if prefix == "." else prefix, git_root)


def _settings_above(start: Path, top: Path | None) -> Path | None:
    """The nearest directory upwards that holds benchdog.toml, not above `top`."""
    for directory in (start, *start.parents):
        if (directory / _SETTINGS).is_file():
            return directory
        if directory == top:
            return None
    return None
