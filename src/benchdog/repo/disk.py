"""One path of the person's tree: what lies there, and how it is replaced, made or removed at once or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchdog.repo.exchange import exchange, take_free_name
from benchdog.repo.folder import Chain, NotAFile, opened, read_all, split, status_of
from benchdog.repo.harvest import tree_mode
from benchdog.repo.importing import blob_id
from benchdog.system.files import write_all
from benchdog.trees import Mode

Point = Callable[[str], None]
"""Called between any two steps that change something, with a word for the last one; tests end the process there."""


def no_point(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A file or symlink as it is or is to be. `permissions` are all its bits (None: what the umask gives); `owner`
    is uid and gid (None: whoever writes it)."""

    mode: Mode
    blob: str
    permissions: int | None = None
    owner: tuple[int, int] | None = None

    def same(self, other: Side | None) -> bool:
        """Equal as far as a tree tells: content, kind, whether it is executable."""
        return other is not None and (self.mode, self.blob) == (other.mode, other.blob)


def same(one: Side | None, other: Side | None) -> bool:
    return other is None if one is None else one.same(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names beside a path that benchdog uses: `temporary` for what is being written, and only benchdog writes it;
    `held` for what is whole and changes places with what lies at the path. So that may be somebody's own file."""

    temporary: str
    held: str


def with_mode(bits: int, mode: Mode) -> int:
    """Permission bits of a file, made executable (where it can be read) or not as `mode` says."""
    if mode is Mode.EXECUTABLE:
        return bits if bits & stat.S_IXUSR else bits | (bits & 0o444) >> 2 | stat.S_IXUSR
    return bits & ~0o111 if bits & stat.S_IXUSR else bits


def join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


class InTheWay(OSError):
    """Something that is neither file nor symlink lies at the path, or on the way to it."""


class Disk:
    """The person's files below `root`. Close it. All methods raise OSError."""

    def __init__(self, root: Path, swap: Callable[[int, str, str], bool] = exchange) -> None:
        self.root = root
        self._swap = swap
        self._chain = Chain(root)

    def close(self) -> None:
        self._chain.close()

    def look(self, path: str) -> tuple[Side, bytes] | None:
        """What lies at a path; None where nothing does, or a directory. Raises InTheWay for a FIFO, a device."""
        directory, name = split(path)
        try:
            parent = self._at(directory)
            status = status_of(name, parent)
            if status is None or stat.S_ISDIR(status.st_mode):
                return None
            if stat.S_ISLNK(status.st_mode):
                target = os.fsencode(os.readlink(name, dir_fd=parent))
                return Side(mode=Mode.SYMLINK, blob=blob_id(target)), target
            with opened(name, parent) as (descriptor, status):
                data = read_all(descriptor, status.st_size)
        except NotAFile as error:
            raise InTheWay(errno.EEXIST, "is neither a file nor a symlink", path) from error
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Side(
            mode=tree_mode(status),
            blob=blob_id(data),
            permissions=stat.S_IMODE(status.st_mode),
            owner=(status.st_uid, status.st_gid),
        ), data

    def side(self, path: str) -> Side | None:
        found = self.look(path)
        return None if found is None else found[0]

    def directory_mode(self, path: str) -> int | None:
        """The permission bits of a real directory; None where there is none."""
        try:
            return stat.S_IMODE(os.fstat(self._at(path)).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names_in(self, directory: str) -> list[str]:
        return os.listdir(self._at(directory))

    def may_write(self, directory: str) -> bool:
        """Whether names in a directory can be made and removed."""
        return os.access(".", os.W_OK | os.X_OK, dir_fd=self._at(directory))

    def exists(self, path: str) -> bool:
        """Whether anything at all lies at a path that is reached through real directories."""
        directory, name = split(path)
        try:
            return status_of(name, self._at(directory)) is not None
        except (FileNotFoundError, NotADirectoryError):
            return False

    def make_directory(self, path: str, mode: int | None) -> None:
        """With `mode`, exactly that permission; else what the umask gives. One that is there is kept."""
        directory, name = split(path)
        parent = self._at(directory)
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
        if mode is not None and self.directory_mode(path) not in (None, mode):
            os.chmod(name, mode, dir_fd=self._at(directory))

    def remove_directory(self, path: str) -> None:
        """Where it is empty; else it stays."""
        directory, name = split(path)
        with suppress(OSError):
            os.rmdir(name, dir_fd=self._at(directory))

    def put(self, path: str, side: Side, data: bytes, old: Side | None, names: Names, point: Point) -> bool:
        """Puts a file or symlink in the place of `old` (None: of nothing).

        At any instant the path holds the old or the new, whole and durable. Returns False where something else than
        `old` lies there by now, and sees that it does so afterwards too.
        """
        directory, name = split(path)
        parent = self._at(directory)
        self.discard(directory, names.temporary)
        point("temporary")
        if side.mode is Mode.SYMLINK:
            os.symlink(os.fsdecode(data), names.temporary, dir_fd=parent)
        else:
            self._fill(parent, name, names.temporary, side, data)
        point("written")
        if not same(self.side(path), old) or (old is None and self.exists(path)):
            self.discard(directory, names.temporary)
            return False
        point("looked")
        taken = self._take(directory, names.temporary, name if old is None else names.held)
        point("renamed" if old is None else "held")
        self.discard(directory, names.temporary)
        return taken and (old is None or self._replace(path, (side, old), names, point))

    def remove(self, path: str, old: Side, names: Names, point: Point) -> bool:
        """Removes a file or symlink that is `old`; False where it is not, and then it stays."""
        directory, name = split(path)
        with suppress(FileNotFoundError):  # somebody else removed it
            if not self._take(directory, name, names.held):
                return False
        point("held")
        return self.settle(path, (old,), names, point)

    def settle(self, path: str, known: tuple[Side | None, ...], names: Names, point: Point) -> bool:
        """Sees to what lies at the held name of a path, now or after a process was killed.

        Where it is one of `known`, whose bytes the journal has, it is removed: True. Else it is somebody's: it goes
        back to its path, in the place of nothing or of what is known. Where something else of theirs lies there by
        now, both are kept as they are.
        """
        directory, name = split(path)
        held = join(directory, names.held)
        if not self.exists(held):
            return True
        if self._is_one_of(held, known):
            self.discard(directory, names.held)
            return True
        point("not ours")
        if self._take(directory, names.held, name) or not self._is_one_of(path, known):
            return False
        with suppress(FileNotFoundError):
            if self._swap(self._at(directory), names.held, name):
                point("put back")
                if self._is_one_of(held, known):
                    self.discard(directory, names.held)
                else:  # saved once more since the last look: the newer stands at the path
                    self._swap(self._at(directory), names.held, name)
        return False

    def _replace(self, path: str, known: tuple[Side, Side], names: Names, point: Point) -> bool:
        """Swaps the held name with the path, so that nothing that lies there by now is lost unseen."""
        directory, name = split(path)
        parent = self._at(directory)
        try:
            if not self._swap(parent, names.held, name):  # the last look must do
                os.rename(names.held, name, src_dir_fd=parent, dst_dir_fd=parent)
        except (FileNotFoundError, IsADirectoryError):
            self.discard(directory, names.held)
            return False
        point("renamed")
        return self.settle(path, known, names, point)

    def _is_one_of(self, path: str, known: tuple[Side | None, ...]) -> bool:
        try:
            found = self.side(path)
        except InTheWay:
            return False
        return found is not None and any(found.same(side) for side in known)

    def _take(self, directory: str, name: str, free: str) -> bool:
        """Renames where the new name is free; False where it is not."""
        parent = self._at(directory)
        try:
            if not take_free_name(parent, name, free) and not self._link(parent, name, free):
                if status_of(free, parent) is not None:
                    return False
                os.rename(name, free, src_dir_fd=parent, dst_dir_fd=parent)
        except FileExistsError:
            return False
        return True

    def discard(self, directory: str, temporary: str) -> None:
        """Removes a temporary name, where it is there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(temporary, dir_fd=self._at(directory))

    def sync(self, directories: Iterable[str]) -> None:
        """Makes the names in these directories durable, where they are there."""
        for directory in directories:
            with suppress(FileNotFoundError, NotADirectoryError):
                os.fsync(self._at(directory))

    def _at(self, directory: str) -> int:
        """Looked up afresh each time: a directory on the way may have been replaced meanwhile."""
        self._chain.forget()
        return self._chain.at(directory)

    def _fill(self, parent: int, name: str, temporary: str, side: Side, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        default = 0o777 if side.mode is Mode.EXECUTABLE else 0o666
        descriptor = os.open(temporary, flags, default if side.permissions is None else 0o600, dir_fd=parent)
        try:
            write_all(descriptor, data)
            _copy_attributes(name, parent, descriptor)
            if side.owner is not None and side.owner != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):
                    os.fchown(descriptor, *side.owner)
            if side.permissions is not None:
                os.fchmod(descriptor, side.permissions)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @staticmethod
    def _link(parent: int, temporary: str, name: str) -> bool:
        """Gives the file its name unless the name is taken; False where the file system has no hard links."""
        try:
            os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
            os.unlink(temporary, dir_fd=parent)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):
            return False
        return True


def _copy_attributes(name: str, parent: int, descriptor: int) -> None:
    """Extended attributes and access lists of the file that is replaced, as far as they can be set."""
    if not hasattr(os, "listxattr"):
        return
    with suppress(OSError), opened(name, parent) as (source, _):
        for attribute in os.listxattr(source):
            if not attribute.startswith(("user.", "system.posix_acl")):
                continue  # capabilities and labels belong to the old content
            with suppress(OSError):
                os.setxattr(descriptor, attribute, os.getxattr(source, attribute))
