"""Plans a landing over the person's files: sees that each path is still as it was, and what the way back needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from benchdog.errors import Conflict, UserError
from benchdog.repo.disk import Disk, Side, same, with_mode
from benchdog.repo.journal import Step
from benchdog.repo.store import Store
from benchdog.trees import Entry, Mode, changed_paths, unsafe_because
from benchdog.trees.paths import parents_of

_AGAIN = "look at them, then run `benchdog apply` again: it merges what can be merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What lands, in order of the paths. `blobs` are the bytes of both sides."""

    steps: tuple[Step, ...]
    made: tuple[str, ...]
    emptied: tuple[tuple[str, int], ...]
    blobs: dict[str, bytes]


def changes_to_land(store: Store, base_tree: str, tree: str) -> dict[str, tuple[Entry | None, Entry | None]]:
    """The paths that differ. Raises UserError where nothing does, or what differs cannot land."""
    changes = changed_paths(store.entries(base_tree), store.entries(tree))
    if not changes:
        raise UserError("there is nothing to land: the tree equals the base")
    for path, sides in changes.items():
        if any(side is not None and side.mode is Mode.SUBMODULE for side in sides):
            raise UserError(f"{path!r} is a submodule: benchdog does not change submodules")
        if reason := unsafe_because(path):
            raise UserError(f"the path {path!r} {reason}: it cannot land")
    return changes


def plan_landing(disk: Disk, store: Store, base_tree: str, tree: str) -> Plan:
    """Looks at every path. Raises Conflict, with nothing written, where one is not as in the base; OSError."""
    changes = changes_to_land(store, base_tree, tree)
    blobs: dict[str, bytes] = {}
    steps, moved_on = [], []
    for path, (old, new) in changes.items():
        found = _look(disk, path)
        before = None if found is None else found[0]
        wanted = None if old is None else Side(mode=old.mode, blob=old.blob)
        if not same(before, wanted) or (old is None and _blocked(disk, path, changes)):
            moved_on.append(path)
            continue
        if found is not None:
            blobs[found[0].blob] = found[1]
        if new is not None:
            blobs[new.blob] = store.read(new.blob)
        steps.append(Step(path=path, before=before, after=_after(before, new)))
    if moved_on:
        raise changed_since(moved_on)
    made, emptied = _directories(disk, changes)
    _see_that_writable(disk, changes, made)
    return Plan(steps=tuple(steps), made=made, emptied=emptied, blobs=blobs)


def changed_since(paths: list[str]) -> Conflict:
    listed = ", ".join(repr(path) for path in paths)
    return Conflict(
        f"changed since it was read, so nothing was written: {listed}", paths=tuple(sorted(paths)), hint=_AGAIN
    )


def _look(disk: Disk, path: str) -> tuple[Side, bytes] | None:
    try:
        return disk.look(path)
    except PermissionError as error:
        raise UserError(
            f"cannot read {path!r}: {error.strerror}", hint="make it readable; nothing was written"
        ) from error
    except OSError as error:
        raise Conflict(f"{path!r}: {error.strerror}; nothing was written", paths=(path,), hint=_AGAIN) from error


def _blocked(disk: Disk, path: str, changes: Mapping[str, tuple[Entry | None, Entry | None]]) -> bool:
    """Whether a new path cannot be made: the way to it goes through a file or symlink that stays."""
    for above in parents_of(path):
        if disk.directory_mode(above) is not None:
            return False  # a real directory: so is everything above it
        if disk.exists(above):
            return above not in changes or changes[above][1] is not None
    return False


def _after(before: Side | None, new: Entry | None) -> Side | None:
    """What a path is to be: the bits of a file that is there stay, but for whether it is executable."""
    if new is None:
        return None
    if before is None or before.permissions is None or new.mode is Mode.SYMLINK:
        return Side(mode=new.mode, blob=new.blob)
    bits = with_mode(before.permissions, new.mode)
    return Side(mode=new.mode, blob=new.blob, permissions=bits, owner=before.owner)


def _directories(
    disk: Disk, changes: Mapping[str, tuple[Entry | None, Entry | None]]
) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    """Directories to make, and those that the landing empties. Raises Conflict where one stands in a file's place."""
    stay = {path for path, (_, new) in changes.items() if new is not None}
    gone = {path for path, (_, new) in changes.items() if new is None}
    needed = {above for path in stay for above in parents_of(path)}
    emptied: dict[str, int] = {}
    for directory in sorted({above for path in gone for above in parents_of(path)} - needed, key=_deepest_first):
        mode = disk.directory_mode(directory)
        inside = [f"{directory}/{name}" for name in disk.names_in(directory)] if mode is not None else []
        if mode is not None and all(path in gone or path in emptied for path in inside):
            emptied[directory] = mode
    taken = [path for path in sorted(stay) if disk.directory_mode(path) is not None and path not in emptied]
    if taken:
        listed = ", ".join(repr(path) for path in taken)
        raise Conflict(
            f"directories that are not empty stand where files are to be: {listed}; nothing was written",
            paths=tuple(taken),
            hint="move away what is in them",
        )
    made = sorted(directory for directory in needed if disk.directory_mode(directory) is None)
    return tuple(made), tuple(sorted(emptied.items()))


def _deepest_first(path: str) -> tuple[int, str]:
    return -path.count("/"), path


def _see_that_writable(
    disk: Disk, changes: Mapping[str, tuple[Entry | None, Entry | None]], made: tuple[str, ...]
) -> None:
    """Raises UserError before anything is written, where it could not be written."""
    directories = {path.rpartition("/")[0] for path in (*changes, *made)} - set(made)
    closed = sorted(d or "." for d in directories if disk.directory_mode(d) is not None and not disk.may_write(d))
    if closed:
        raise UserError(
            f"cannot write in {', '.join(map(repr, closed))} of {os.fspath(disk.root)}; nothing was written",
            hint="make it writable, or have somebody apply who may write there",
        )
