"""Files below a directory, reached part by part without ever following a symlink.

Every open is relative to a descriptor of the directory above it, with O_NOFOLLOW; whatever is opened for reading is
opened with O_NONBLOCK and read only where fstat says that it is a regular file. So nothing that lies in the tree can
lead out of it, hang the reader or be swapped between the look and the read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from benchdog.system.files import write_all
from benchdog.system.randomness import new_id
from benchdog.trees import is_git_name

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1024 * 1024  # bytes read at once
MAX_DEPTH = 200  # levels of directories: each holds a descriptor open


class NotAFile(OSError):
    """The path is there, but is neither a regular file nor a symlink."""


class Chain:
    """A directory and a way down from it. Keeps the last way open: cheap for paths in order. Close it."""

    def __init__(self, root: Path) -> None:
        self._descriptors = [os.open(root, _DIRECTORY)]
        self._way: list[str] = []
        self._directory = ""

    def __enter__(self) -> Chain:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def at(self, directory: str, make: int | None = None) -> int:
        """A descriptor of a directory ("" is the root), good until the next call.

        With `make`, directories that are missing are made with that mode. Raises FileNotFoundError,
        NotADirectoryError (a part is a file or a symlink), OSError.
        """
        if directory == self._directory:
            return self._descriptors[-1]
        parts = directory.split("/") if directory else []
        shared = 0
        while shared < min(len(parts), len(self._way)) and parts[shared] == self._way[shared]:
            shared += 1
        while len(self._way) > shared:
            self._up()
        if len(parts) > MAX_DEPTH:
            raise OSError(errno.ENAMETOOLONG, "too many directories one in another", directory)
        for part in parts[shared:]:
            self._down(part, make)
        return self._descriptors[-1]

    def forget(self) -> None:
        """Steps back to the root: a directory on the way may have been replaced."""
        while self._way:
            self._up()

    def _up(self) -> None:
        os.close(self._descriptors.pop())
        self._way.pop()
        self._directory = "/".join(self._way)

    def _down(self, part: str, make: int | None) -> None:
        try:
            descriptor = open_directory(part, self._descriptors[-1])
        except FileNotFoundError:
            if make is None:
                raise
            os.mkdir(part, 0o700, dir_fd=self._descriptors[-1])
            descriptor = open_directory(part, self._descriptors[-1])
            os.fchmod(descriptor, make)
        self._descriptors.append(descriptor)
        self._way.append(part)
        self._directory = "/".join(self._way)


def open_directory(name: str, parent: int) -> int:
    """A descriptor of a real directory. Raises NotADirectoryError for anything else, a symlink included."""
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name) from error
        raise


def split(path: str) -> tuple[str, str]:
    """Directory ("" for the root) and name."""
    directory, _, name = path.rpartition("/")
    return directory, name


@contextmanager
def opened(name: str, parent: int) -> Iterator[tuple[int, os.stat_result]]:
    """A regular file for reading and its status. Raises NotAFile, OSError."""
    try:
        descriptor = os.open(name, _READ, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
            raise NotAFile(error.errno, "is no regular file", name) from error
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotAFile(errno.EINVAL, "is no regular file", name)
        yield descriptor, status
    finally:
        os.close(descriptor)


def read_all(descriptor: int, size: int) -> bytes:
    """The content of a regular file of about `size` bytes, from where it stands. Raises OSError."""
    first = os.read(descriptor, min(size, _PIECE) + 1)
    if len(first) <= size < _PIECE:
        return first  # fewer bytes than asked for: the end, for a regular file
    return first + b"".join(pieces_of(descriptor))


def pieces_of(descriptor: int) -> Iterator[bytes]:
    """A file's content, piece by piece."""
    while piece := os.read(descriptor, _PIECE):
        yield piece


def create(name: str, parent: int, data: bytes, mode: int) -> os.stat_result:
    """A new regular file with exactly this mode; its status afterwards. Raises FileExistsError, OSError."""
    return create_from(name, parent, (data,), mode)


def create_from(name: str, parent: int, pieces: Iterable[bytes], mode: int) -> os.stat_result:
    """As `create`, from pieces."""
    descriptor = os.open(name, _CREATE, mode | stat.S_IWUSR, dir_fd=parent)
    try:
        for piece in pieces:
            write_all(descriptor, piece)
        os.fchmod(descriptor, mode)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def status_of(name: str, parent: int) -> os.stat_result | None:
    """The status of what lies at a name, symlinks not followed; None where nothing does."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


Found = Callable[[str, str, int, os.DirEntry[str]], None]
"""Called with the path, the name, a descriptor of its directory, and the entry."""
Enter = Callable[[str, int], None]
"""Called with the name of a directory and a descriptor of the one that holds it."""


class Walk:
    """A whole walk below a directory, symlinks not followed, hostile directories opened where that is possible.

    `found` sees everything that is no directory; `enter` each directory before it is walked.
    What cannot be entered, is named like a git directory or lies too deep goes to `refused`.
    """

    def __init__(self, found: Found, enter: Enter | None = None) -> None:
        self._found = found
        self._enter = enter
        self.directories: set[str] = set()
        self.refused: dict[str, str] = {}

    def go(self, root: Path) -> None:
        """Raises OSError where the root itself cannot be read."""
        descriptor = os.open(root, _DIRECTORY)
        try:
            self._go(descriptor, "", 0)
        finally:
            os.close(descriptor)

    def _go(self, descriptor: int, prefix: str, depth: int) -> None:
        below = []
        with os.scandir(descriptor) as listing:
            entries = list(listing)
        for entry in entries:
            path = prefix + entry.name
            if is_git_name(entry.name):
                self.refused[path] = "a git directory"
            elif entry.is_dir(follow_symlinks=False):
                below.append(entry)
            else:
                self._found(path, entry.name, descriptor, entry)
        for entry in below:
            self._step(descriptor, prefix + entry.name, entry, depth)

    def _step(self, descriptor: int, path: str, entry: os.DirEntry[str], depth: int) -> None:
        if depth >= MAX_DEPTH:
            self.refused[path] = "too many directories one in another"
            return
        try:
            inner = open_unlocked(entry.name, descriptor)
        except OSError as error:
            self.refused[path] = f"cannot be entered: {error.strerror}"
            return
        try:
            self.directories.add(path)
            if self._enter is not None:
                self._enter(entry.name, descriptor)
            self._go(inner, path + "/", depth + 1)
        finally:
            os.close(inner)


def open_unlocked(name: str, parent: int) -> int:
    """A descriptor of a directory, its permissions put right where they forbid reading or writing it.

    Only for trees of benchdog's own, when nothing runs in them any more. Raises OSError.
    """
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode) and status.st_mode & 0o700 != 0o700:
        os.chmod(name, 0o700, dir_fd=parent)
    return open_directory(name, parent)


def clear_away(path: Path) -> None:
    """Deletes whatever lies at `path`, however deep or locked it is. Only for benchdog's own place.

    Directories are moved side by side before they are emptied, so no depth of them needs a deep recursion or a long
    path. Raises OSError where something cannot be deleted.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    parent = os.open(path.parent, _DIRECTORY)
    try:
        queue = [path.name]
        while queue:
            queue += _empty(queue.pop(), parent)
    finally:
        os.close(parent)


def _empty(name: str, parent: int) -> list[str]:
    """Empties and removes a directory, but moves what directories it holds beside it, and returns their new names."""
    descriptor = open_unlocked(name, parent)
    moved = []
    try:
        with os.scandir(descriptor) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    with suppress(OSError):
                        os.chmod(entry.name, 0o700, dir_fd=descriptor)
                    fresh = f".away-{new_id(12)}"
                    os.rename(entry.name, fresh, src_dir_fd=descriptor, dst_dir_fd=parent)
                    moved.append(fresh)
                else:
                    os.unlink(entry.name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    os.rmdir(name, dir_fd=parent)
    return moved
