"""The private layer of one command: what it writes below its tree goes to a directory beside it and is thrown away.

    <beside the tree>/.benchdog-layers/<id>/     held by a lock on the directory as long as its owner lives
        <n>/lower      symbolic link to what is covered
        <n>/upper      what the command wrote
        <n>/work       overlayfs's own
        <n>/merged     where the overlay is mounted, in the command's mount namespace only; or the plain copy
        files/         copies of single lent files

The names are relative and of our own making, so odd characters in the person's paths never reach a mount option.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from benchdog.errors import HostError, SandboxUnavailable, StoreError
from benchdog.sandbox.lending import is_dependency
from benchdog.sandbox.policy import Lending, Lent, Policy
from benchdog.system import folders
from benchdog.system.files import open_regular
from benchdog.system.process import kill_strays
from benchdog.system.randomness import new_id

FOLDER = ".benchdog-layers"
_COPY_BYTES = 64 * 1024 * 1024  # a larger lent file is shown read-only instead of copied for every command


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A policy whose `tree` and lent sources are private already. `overlays` directories must be mounted first."""

    folder: Path
    policy: Policy
    overlays: int


@contextmanager
def private_layer(policy: Policy, *, overlay: bool) -> Iterator[Layer]:
    """Prepares the layer for one command, and removes it after. `overlay` False: plain copies.

    First removes what owners that were killed left here. Raises SandboxUnavailable where something cannot be lent
    as the policy says, StoreError where the disk does not allow it.
    """
    with own_folder(policy.tree.parent) as folder:
        builder = _Builder(folder=folder, tree=policy.tree, overlay=overlay)
        try:
            yield _build(builder, policy)
        finally:
            builder.undo()


def _build(builder: _Builder, policy: Policy) -> Layer:
    try:
        return builder.build(policy)
    except OSError as error:
        raise StoreError(f"cannot prepare the private layer in {builder.folder}: {error}") from error


@dataclass(slots=True, kw_only=True)
class _Builder:
    """Makes the parts of one layer, one after the other."""

    folder: Path
    tree: Path
    overlay: bool
    overlays: int = 0
    made: list[Path] = field(default_factory=list)
    """Mount targets made in a tree that stays: removed at the end."""

    def build(self, policy: Policy) -> Layer:
        tree = policy.tree
        below: tuple[Path, ...] = (tree,)
        if not policy.writable:
            tree, below = self._cover(policy.tree)
        lent = [*policy.lent]
        if policy.git_directory is not None:
            lent.append(Lent(path=".git", source=policy.git_directory, how=Lending.PRIVATE))
        # Outer paths first: a lent path inside of another finds its place made.
        placed = [self._place(each, below) for each in sorted(lent, key=lambda each: PurePosixPath(each.path).parts)]
        shown = tuple(each for each in placed if each is not None)
        private = replace(policy, tree=tree, lent=shown, git_directory=None, writable=True)
        return Layer(folder=self.folder, policy=private, overlays=self.overlays)

    def undo(self) -> None:
        """Removes the empty mount targets from a tree that stays."""
        for path in reversed(self.made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()

    def _cover(self, source: Path) -> tuple[Path, tuple[Path, ...]]:
        """A private layer over a directory: where it will be seen, and what it is made of, top first."""
        if not self.overlay:
            place = self.folder / "files" / new_id()
            place.parent.mkdir(exist_ok=True)
            shutil.copytree(source, place, symlinks=True, copy_function=copy_file)
            return place, (place,)
        layer = self.folder / str(self.overlays)
        self.overlays += 1
        for name in ("upper", "work", "merged"):
            (layer / name).mkdir(parents=True)
        (layer / "upper").chmod(stat.S_IMODE(source.stat().st_mode))
        (layer / "lower").symlink_to(source)
        return layer / "merged", (layer / "upper", source)

    def _place(self, lent: Lent, below: tuple[Path, ...]) -> Lent | None:
        """Prepares one lent path; None where nothing is left to mount."""
        parts = _parts(lent.path)
        try:
            mode = lent.source.lstat().st_mode
        except FileNotFoundError:
            return None  # it went away since it was listed
        if stat.S_ISLNK(mode):
            return self._place_link(lent, parts, below)
        if stat.S_ISDIR(mode):
            self._target(parts, below, directory=True)
            if lent.how is Lending.READ_ONLY:
                return lent
            if not self.overlay and is_dependency(lent.path):  # too much to copy for every command
                return replace(lent, how=Lending.READ_ONLY)
            return replace(lent, source=self._cover(lent.source)[0], how=Lending.PRIVATE)
        if not stat.S_ISREG(mode):
            return None  # a socket, a pipe or a device is never lent
        target = self._target(parts, below, directory=False)
        if lent.how is Lending.READ_ONLY or lent.source.stat().st_size > _COPY_BYTES:
            return replace(lent, how=Lending.READ_ONLY)
        if target is not None and below != (self.tree,):
            copy_file(lent.source, target)
            return None
        own = self.folder / "files" / new_id()
        own.parent.mkdir(exist_ok=True)
        copy_file(lent.source, own)
        return replace(lent, source=own, how=Lending.PRIVATE)

    def _place_link(self, lent: Lent, parts: tuple[str, ...], below: tuple[Path, ...]) -> Lent | None:
        """A symbolic link: to a dependency directory it shows that directory, else it is the same link again."""
        real = lent.source.resolve()
        if lent.how is Lending.READ_ONLY and real.is_dir():
            self._target(parts, below, directory=True)
            return replace(lent, source=real)
        if below != (self.tree,):
            parent = self._target(parts[:-1], below, directory=True) or below[0]
            with suppress(FileExistsError):
                (parent / parts[-1]).symlink_to(lent.source.readlink())
        return None

    def _target(self, parts: tuple[str, ...], below: tuple[Path, ...], *, directory: bool) -> Path | None:
        """Makes the place for a lent path in the topmost of `below`; refuses a path that leads through a link.

        Returns the place, or None where the tree itself holds it already (then it is only covered).
        """
        top = below[0]
        for depth in range(1, len(parts) + 1):
            last = depth == len(parts)
            want_directory = directory or not last
            relative = Path(*parts[:depth])
            found = [_kind(root / relative) for root in below]
            kind = next((each for each in found if each is not None), None)
            if kind is not None and kind != (stat.S_IFDIR if want_directory else stat.S_IFREG):
                raise _in_the_way("/".join(parts), relative, want_directory)
            if found[0] is None and (kind is None or want_directory):
                self._make(top / relative, want_directory, _mode_below(below, relative))
        return top.joinpath(*parts) if parts else None

    def _make(self, path: Path, directory: bool, mode: int) -> None:
        if directory:
            path.mkdir()
            path.chmod(mode)
        else:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        if path.is_relative_to(self.tree):
            self.made.append(path)


def copy_file(source: str | Path, target: str | Path) -> str:
    """Copies a regular file's bytes, mode and times; leaves out anything else. Links are not followed."""
    data = open_regular(Path(source))
    if data is None:
        return str(target)
    with data, Path(target).open("wb") as copy:
        facts = os.fstat(data.fileno())
        shutil.copyfileobj(data, copy, 1024 * 1024)
    Path(target).chmod(stat.S_IMODE(facts.st_mode))
    os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return str(target)


def _in_the_way(lent: str, relative: Path, want_directory: bool) -> SandboxUnavailable:
    wanted = "directory" if want_directory else "file"
    return SandboxUnavailable(
        f"cannot lend {lent!r}: in the checked tree {str(relative)!r} is no {wanted}",
        hint=f'take {str(relative)!r} out of the tree, or do not lend it: [sandbox] fresh = ["{lent}"]',
    )


def _parts(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise HostError(f"cannot lend {path!r}: it is no path below the tree")
    return parts


def _kind(path: Path) -> int | None:
    """The file type bits of what lies there; None: nothing. A link is a link, whatever it leads to."""
    try:
        return stat.S_IFMT(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _mode_below(below: tuple[Path, ...], relative: Path) -> int:
    """The mode of the directory that the new one covers, else an ordinary one."""
    for root in below[1:]:
        with suppress(OSError):
            return stat.S_IMODE((root / relative).lstat().st_mode)
    return 0o755


def own_folder(beside: Path) -> AbstractContextManager[Path]:
    """A fresh folder in FOLDER of the directory `beside`, gone at the end of the block.

    Who comes after a killed process ends what that left running in its folder, and removes it.
    """
    return folders.own_folder(beside / FOLDER, lambda folder: kill_strays("bwrap", folder))
