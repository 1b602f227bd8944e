"""Moves the person's files from one side of a journal to the other. Each path is on one of both sides at any instant.

So the same function lands, continues, aborts and rolls back: what is there already is left, what is on the other side
is moved, and what is on neither side was changed by somebody else and is kept.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from benchdog.repo.disk import Disk, InTheWay, Point, Side, join, same, with_mode
from benchdog.repo.folder import split
from benchdog.repo.journal import Journal, Step
from benchdog.trees import Mode
from benchdog.trees.paths import parents_of

BEFORE, AFTER = False, True


def move_files(disk: Disk, journal: Journal, forward: bool, point: Point) -> tuple[str, ...]:
    """Brings every path to `after` (or back to `before`). Returns the paths that were kept as somebody changed them.

    Raises OSError where the disk refuses; it can be called again then, in either direction.
    """
    kept: list[str] = []
    numbered = list(enumerate(journal.steps))
    for number, step in numbered:
        _tidy(disk, journal, number, step, point)
    gone = [(number, step) for number, step in numbered if _goal(step, forward) is None]
    stays = [(number, step) for number, step in numbered if _goal(step, forward) is not None]
    for number, step in sorted(gone, key=lambda pair: -pair[1].path.count("/")):
        _remove(disk, journal, number, step, forward, kept, point)
        point("removed")
    _change_directories(disk, journal, forward, point)
    for number, step in stays:
        _put(disk, journal, number, step, forward, kept, point)
    disk.sync(sorted({"", *(above for step in journal.steps for above in parents_of(step.path))}))
    point("synced")
    held = (join(split(step.path)[0], journal.names(number).held) for number, step in numbered)
    kept += [path for path in held if disk.exists(path)]  # somebody saved twice while we looked: both are theirs
    return tuple(sorted(kept))


def differing(disk: Disk, journal: Journal, forward: bool) -> tuple[str, ...]:
    """The paths that are not on the `after` (or `before`) side now."""
    return tuple(step.path for step in journal.steps if not _is(disk, step.path, _goal(step, forward)))


def _goal(step: Step, forward: bool) -> Side | None:
    return step.after if forward else step.before


def _is(disk: Disk, path: str, side: Side | None) -> bool:
    try:
        return same(disk.side(path), side)
    except InTheWay:
        return False


def _tidy(disk: Disk, journal: Journal, number: int, step: Step, point: Point) -> None:
    """Sees to what a move that was broken off left beside the path."""
    names = journal.names(number)
    disk.discard(split(step.path)[0], names.temporary)
    disk.settle(step.path, (step.before, step.after), names, point)


def _remove(
    disk: Disk, journal: Journal, number: int, step: Step, forward: bool, kept: list[str], point: Point
) -> None:
    if _is(disk, step.path, None):
        return
    other = _goal(step, not forward)
    if (
        other is None
        or not _is(disk, step.path, other)
        or not disk.remove(step.path, other, journal.names(number), point)
    ):
        kept.append(step.path)


def _change_directories(disk: Disk, journal: Journal, forward: bool, point: Point) -> None:
    made = [(path, None) for path in journal.made]
    emptied: list[tuple[str, int | None]] = list(journal.emptied)
    leave, enter = (emptied, made) if forward else (made, emptied)
    for path, _ in sorted(leave, key=_depth, reverse=True):
        disk.remove_directory(path)
        point("directory removed")
    for path, mode in sorted(enter, key=_depth):
        with suppress(
            FileNotFoundError, NotADirectoryError
        ):  # blocked by something of theirs: its files are kept paths
            disk.make_directory(path, mode)
        point("directory made")


def _depth(item: tuple[str, int | None]) -> int:
    return item[0].count("/")


def _as_permitted(goal: Side, left: Side | None, found: Side | None) -> Side:
    """The goal, but with the permissions and the owner that somebody gave the file since it was left so."""
    if found is None or left is None or goal.mode is Mode.SYMLINK or None in (found.permissions, left.permissions):
        return goal
    permissions, owner = goal.permissions, goal.owner
    if found.permissions is not None and found.permissions != left.permissions:
        permissions = with_mode(found.permissions, goal.mode)
    return replace(goal, permissions=permissions, owner=owner if found.owner == left.owner else found.owner)


def _put(disk: Disk, journal: Journal, number: int, step: Step, forward: bool, kept: list[str], point: Point) -> None:
    goal, other = _goal(step, forward), _goal(step, not forward)
    assert goal is not None, "paths that are to be gone are removed"
    if _is(disk, step.path, goal):
        return
    if not _is(disk, step.path, other):
        kept.append(step.path)
        return
    try:
        goal = _as_permitted(goal, other, disk.side(step.path))
        done = disk.put(step.path, goal, journal.blob(goal.blob), other, journal.names(number), point)
    except (FileNotFoundError, NotADirectoryError):
        done = False  # the way to it is blocked by something of the person's
    if not done:
        kept.append(step.path)
