"""A tree on disk, in a directory of benchdog's own, without `.git`: where a worker writes, or a check runs.

Whatever was left in the directory by an earlier use is untrusted. `reset` walks all of it and keeps only files that
are surely what the tree wants; the rest is removed and written afresh. `harvest` walks all of it and reads what is not
surely unchanged. Nothing here runs git in the directory or lets git open a path of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from benchdog.errors import StoreError, UserError
from benchdog.repo.folder import (
    Chain,
    NotAFile,
    Walk,
    clear_away,
    create,
    create_from,
    opened,
    pieces_of,
    read_all,
    split,
    status_of,
)
from benchdog.repo.harvest import Harvest, Harvester
from benchdog.repo.importing import hash_pieces
from benchdog.repo.statindex import Known, StatIndex, file_system_clock, known, load_index, matches
from benchdog.repo.store import EMPTY_TREE, Store
from benchdog.trees import Entry, Mode, unsafe_because
from benchdog.trees.paths import parents_of

_DIRECTORY_MODE = 0o755
_PERMISSIONS = {Mode.FILE: 0o644, Mode.EXECUTABLE: 0o755}
_WORTH_SAVING = 500  # files written: so many are not written again after a crash


class Checkout:
    """One directory of the pool, held by this process. `path` is the tree; `tree` the id last reset to or harvested."""

    def __init__(self, store: Store, place: Path) -> None:
        self.path = place / "tree"
        self.tree = EMPTY_TREE
        self._store = store
        self._place = place
        self._index = load_index(place / "index")
        self._entries: Mapping[str, Entry] = {}
        self._written: dict[str, tuple[Mode, bytes] | None] = {}
        self._sorted: list[str] | None = None

    def save(self) -> None:
        """Keeps what is known of the files for the next use of the directory. Raises StoreError."""
        self._index.tree = self.tree
        self._index.save(self._place / "index")

    def reset(self, tree: str) -> None:
        """Brings the directory to exactly this tree. Raises StoreError."""
        target = self._store.entries(tree)
        stamp = self._clock()
        try:
            self.path.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
            kept = _Sorting(target, self._index, stamp).sort(self.path)
        except OSError:
            kept = self._start_over()
        missing = sorted(path for path in target if path not in kept)
        try:
            written = self._write_out(missing, target)
        except OSError as error:
            hint = "free some space; nothing of yours was changed" if error.errno == 28 else None
            raise StoreError(f"cannot write the checkout {self.path}: {error}", hint=hint) from error
        self._index.records = kept | written
        self._know(tree, target)
        if len(written) > _WORTH_SAVING:
            self.save()

    def paths(self) -> Sequence[str]:
        """Every file's path, sorted; symlinks count, submodules do not."""
        if self._sorted is None:
            self._sorted = sorted(self._present())
        return self._sorted

    def read(self, path: str) -> bytes | None:
        """A regular file's bytes; None where there is none. Raises UserError for a path that leaves the tree, goes
        through a symlink or names a git directory."""
        directory, name = self._place_of(path)
        with Chain(self.path) as chain:
            try:
                with opened(name, chain.at(directory)) as (descriptor, status):
                    return read_all(descriptor, status.st_size)
            except NotADirectoryError as error:
                raise _astray(path) from error
            except (FileNotFoundError, NotAFile):
                return None
            except OSError as error:
                raise UserError(f"cannot read {path!r}: {error.strerror}") from error

    def write(self, path: str, data: bytes) -> None:
        """Creates or replaces a regular file, keeping whether it is executable. Raises UserError as `read` does, and
        where a directory, a symlink or a submodule is in the way."""
        directory, name = self._place_of(path)
        with Chain(self.path) as chain:
            try:
                parent = chain.at(directory, make=_DIRECTORY_MODE)
                status = status_of(name, parent)
                if status is not None and not stat.S_ISREG(status.st_mode):
                    raise UserError(f"{path!r} is not a regular file", hint="write to another path")
                mode = Mode.EXECUTABLE if status is not None and status.st_mode & stat.S_IXUSR else Mode.FILE
                if status is not None:
                    os.unlink(name, dir_fd=parent)
                create(name, parent, data, _PERMISSIONS[mode])
            except NotADirectoryError as error:
                raise _astray(path) from error
            except OSError as error:
                raise UserError(f"cannot write {path!r}: {error.strerror}") from error
        self._touched(path, (mode, data))

    def remove(self, path: str) -> None:
        """Removes a file or symlink, and the directories that this leaves empty. Raises UserError as `read` does, and
        where there is no such file."""
        directory, name = self._place_of(path)
        with Chain(self.path) as chain:
            try:
                os.unlink(name, dir_fd=chain.at(directory))
            except NotADirectoryError as error:
                raise _astray(path) from error
            except OSError as error:
                raise UserError(f"cannot remove {path!r}: {error.strerror}") from error
            self._remove_empty(chain, directory)
        self._touched(path, None)

    def harvest(self) -> Harvest:
        """The tree as it lies there now, by a whole walk. Raises StoreError.

        Only when nothing that ran in the directory runs any more.
        """
        harvester = Harvester(self._store, self._entries, self._index)
        harvest, entries, records = harvester.take(self.path, self.tree, self._clock())
        self._index.records = records
        self._know(harvest.tree, entries)
        return harvest

    def harvest_written(self) -> Harvest:
        """The tree after what `write` and `remove` did since the last harvest or reset, without a look at the disk."""
        edits: dict[str, Entry | None] = {}
        with self._store.importing() as session:
            for path, written in self._written.items():
                entry = None if written is None else Entry(written[0], session.blob(written[1]))
                if entry != self._entries.get(path):
                    edits[path] = entry
            tree = session.tree(self.tree, edits) if edits else self.tree
        entries = {path: entry for path, entry in (dict(self._entries) | edits).items() if entry is not None}
        for path in self._written:
            self._index.records.pop(path, None)
        self._know(tree, entries)
        return Harvest(tree=tree)

    def _know(self, tree: str, entries: Mapping[str, Entry]) -> None:
        self.tree = tree
        self._entries = entries
        self._written = {}
        self._sorted = None
        self._store.remember(tree, entries)

    def _touched(self, path: str, written: tuple[Mode, bytes] | None) -> None:
        self._written[path] = written
        self._sorted = None

    def _present(self) -> Iterator[str]:
        for path, entry in self._entries.items():
            if path not in self._written and entry.mode is not Mode.SUBMODULE:
                yield path
        for path, written in self._written.items():
            if written is not None:
                yield path

    def _place_of(self, path: str) -> tuple[str, str]:
        if reason := unsafe_because(path):
            raise UserError(f"the path {path!r} {reason}", hint="paths are relative to the root, with / between parts")
        for above in (path, *parents_of(path)):
            entry = self._entries.get(above)
            if entry is not None and entry.mode is Mode.SUBMODULE:
                raise UserError(f"{above!r} is a submodule: its files cannot be changed here")
        return split(path)

    def _remove_empty(self, chain: Chain, directory: str) -> None:
        while directory:
            above, name = split(directory)
            try:
                os.rmdir(name, dir_fd=chain.at(above))
            except OSError:
                return  # something is left in it
            directory = above

    def _clock(self) -> int:
        return file_system_clock(self._place / "stamp")

    def _start_over(self) -> dict[str, Known]:
        """Throws the whole directory away. Raises StoreError where even that does not go."""
        try:
            clear_away(self.path)
            self.path.mkdir(mode=_DIRECTORY_MODE)
        except OSError as error:
            raise StoreError(f"cannot clear {self.path}: {error.strerror}", hint=f"remove {self._place}") from error
        return {}

    def _write_out(self, paths: Sequence[str], target: Mapping[str, Entry]) -> dict[str, Known]:
        """Writes files that are not there, from the store, and says what is known of them then."""
        statuses: dict[str, os.stat_result] = {}
        with Chain(self.path) as chain:
            files = [path for path in paths if target[path].mode is not Mode.SUBMODULE]
            with closing(self._store.objects.stream([target[path].blob for path in files])) as blobs:
                for path, (_, pieces) in zip(files, blobs, strict=True):
                    directory, name = split(path)
                    statuses[path] = _place_file(name, chain.at(directory, _DIRECTORY_MODE), target[path].mode, pieces)
            for path in paths:
                if target[path].mode is Mode.SUBMODULE:
                    chain.at(path, _DIRECTORY_MODE)
        stamp = self._clock()
        return {path: known(status, target[path].blob, stamp) for path, status in statuses.items()}


class _Sorting:
    """Keeps of a directory what surely is what a tree wants, and removes the rest."""

    def __init__(self, target: Mapping[str, Entry], index: StatIndex, stamp: int) -> None:
        self._target = target
        self._records = index.records
        self._stamp = stamp
        self._kept: dict[str, Known] = {}
        self._owner = os.geteuid()
        self._directories = {above for path in target for above in parents_of(path)}
        self._directories |= {path for path, entry in target.items() if entry.mode is Mode.SUBMODULE}

    def sort(self, root: Path) -> dict[str, Known]:
        """What is known of the files that stay. Raises OSError where something cannot be removed."""
        walk = Walk(self._found, self._enter)
        if not root.is_symlink():
            root.chmod(_DIRECTORY_MODE)
        walk.go(root)
        for path in walk.refused:
            clear_away(root / path)
        for path in sorted(walk.directories - self._directories, reverse=True):
            (root / path).rmdir()
        return self._kept

    def _enter(self, name: str, parent: int) -> None:
        if stat.S_IMODE(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode) != _DIRECTORY_MODE:
            os.chmod(name, _DIRECTORY_MODE, dir_fd=parent)

    def _found(self, path: str, name: str, parent: int, entry: os.DirEntry[str]) -> None:
        wanted = self._target.get(path)
        if wanted is not None:
            record = self._fits(wanted, self._records.get(path), name, parent, entry)
            if record is not None:
                self._kept[path] = record
                return
        os.unlink(name, dir_fd=parent)

    def _fits(
        self, wanted: Entry, record: Known | None, name: str, parent: int, entry: os.DirEntry[str]
    ) -> Known | None:
        if record is None or record[5] != wanted.blob:
            return None
        status = entry.stat(follow_symlinks=False)
        if not self._looks_like(wanted, status):
            return None
        if matches(record, status):
            return record
        if record[1] != status.st_size or wanted.mode is Mode.SYMLINK:
            return None
        with opened(name, parent) as (descriptor, status):
            if hash_pieces(status.st_size, pieces_of(descriptor)) != wanted.blob:
                return None
        return known(status, wanted.blob, self._stamp)

    def _looks_like(self, wanted: Entry, status: os.stat_result) -> bool:
        if status.st_uid != self._owner:
            return False
        if wanted.mode is Mode.SYMLINK:
            return stat.S_ISLNK(status.st_mode)
        expected = stat.S_IFREG | _PERMISSIONS.get(wanted.mode, 0)
        return status.st_mode == expected and status.st_nlink == 1


def _place_file(name: str, parent: int, mode: Mode, pieces: Iterator[bytes]) -> os.stat_result:
    if mode is Mode.SYMLINK:
        os.symlink(os.fsdecode(b"".join(pieces)), name, dir_fd=parent)
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    return create_from(name, parent, pieces, _PERMISSIONS[mode])


def _astray(path: str) -> UserError:
    return UserError(f"{path!r} goes through a symlink or a file", hint="use the path of a file below real directories")
