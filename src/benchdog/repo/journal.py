"""The way back of a landing, durable before the first write.

journals/<id>/
    journal.json     what is to change, written once, last of what prepares the landing
    blobs            the bytes before and after, one after the other, so that no direction needs another place
    undo.json        for a roll-back of a commit: which ref goes from where to where
    state            landing, landed, aborting, aborted, rolling-back or rolled-back

A folder without `state` is of a landing that never began. `landing`, `aborting` and `rolling-back` are pending.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchdog.errors import StoreError, UserError
from benchdog.repo.disk import Names, Side
from benchdog.repo.importing import blob_id
from benchdog.system.files import sync_directory, write_durably
from benchdog.trees import Mode


class State(StrEnum):
    LANDING = "landing"
    LANDED = "landed"
    ABORTING = "aborting"
    ABORTED = "aborted"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"

    @property
    def pending(self) -> bool:
        return self in (State.LANDING, State.ABORTING, State.ROLLING_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One path: what it was, and what it is to be. None: nothing (or a directory)."""

    path: str
    before: Side | None
    after: Side | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """A path's entry in git's index: mode and blob, both "" where there is none."""

    path: str
    before: tuple[str, str]
    after: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A ref that goes from one commit to another; None: it does not exist."""

    ref: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A landing. `made` are directories that it makes, `emptied` those that it leaves empty and removes, with their
    permission bits; outer ones first. `move` and `index` where a commit lands, `how` says which kind.
    """

    id: str
    place: Path
    how: str
    started: str
    steps: tuple[Step, ...]
    made: tuple[str, ...]
    emptied: tuple[tuple[str, int], ...]
    move: Move | None = None
    index: tuple[IndexEntry, ...] = ()
    extents: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Where each blob begins in `blobs`, and its size."""

    @property
    def state(self) -> State | None:
        """None: it never began. Raises StoreError where that cannot be read."""
        return read_state(self.place)

    @property
    def rolling_back(self) -> bool:
        """Whether it is a roll-back that was interrupted, not a landing."""
        return self.state is State.ROLLING_BACK

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(step.path for step in self.steps)

    def names(self, number: int) -> Names:
        """The names beside the path of a step."""
        return Names(temporary=f".benchdog-{self.id}-{number}.tmp", held=f".benchdog-{self.id}-{number}.held")

    def enter(self, state: State) -> None:
        """Durable when this returns. Raises StoreError."""
        write_durably(self.place / "state", state.value.encode("ascii"))

    def blob(self, blob: str) -> bytes:
        """The bytes of one side. Raises StoreError."""
        try:
            begin, size = self.extents[blob]
            with (self.place / "blobs").open("rb") as file:
                file.seek(begin)
                data = file.read(size)
        except (OSError, KeyError) as error:
            raise StoreError(f"the journal {self.place} lost the content {blob}: {error}") from error
        if blob_id(data) != blob:
            raise StoreError(f"the journal {self.place} was changed: its content {blob} does not hold")
        return data

    def write(self, blobs: Mapping[str, bytes]) -> None:
        """Keeps the journal with all bytes that it names. Durable when this returns. Raises StoreError."""
        write_durably(self.place / "blobs", b"".join(blobs[name] for name in self.extents))
        write_durably(self.place / "journal.json", json.dumps(_plain(self)).encode("ascii"))
        sync_directory(self.place.parent)

    def plan_undo(self, move: Move | None) -> None:
        """Keeps which way the ref goes at a roll-back. Raises StoreError."""
        if move is None:
            (self.place / "undo.json").unlink(missing_ok=True)
            return
        write_durably(self.place / "undo.json", json.dumps([move.ref, move.old, move.new]).encode("ascii"))

    def undo(self) -> Move | None:
        """What `plan_undo` kept."""
        try:
            ref, old, new = json.loads((self.place / "undo.json").read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreError(f"{self.place / 'undo.json'} does not read: {error}") from error
        return Move(ref=ref, old=old, new=new)


def extents_of(blobs: Mapping[str, bytes]) -> dict[str, tuple[int, int]]:
    """Blobs laid one after the other."""
    begins = accumulate((len(data) for data in blobs.values()), initial=0)
    return {name: (begin, len(data)) for (name, data), begin in zip(blobs.items(), begins, strict=False)}


def journals_place(place: Path) -> Path:
    return place / "journals"


def load_journal(place: Path, journal: str) -> Journal:
    """Raises UserError where there is none of this id, StoreError where it does not read."""
    folder = journals_place(place) / journal
    try:
        plain = json.loads((folder / "journal.json").read_bytes())
        return _journal(folder, plain)
    except FileNotFoundError as error:
        raise UserError(f"there is no landing {journal!r} here", hint="benchdog runs lists what there is") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"the journal {folder} does not read: {error}") from error


def read_state(folder: Path) -> State | None:
    try:
        return State((folder / "state").read_text("ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder / 'state'} does not read: {error}") from error


def find_pending(place: Path) -> Journal | None:
    """The landing, abort or roll-back that was broken off. There is never more than one."""
    folder = journals_place(place)
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        state = read_state(entry)
        if state is not None and state.pending:
            return load_journal(place, entry.name)
    return None


def _plain(journal: Journal) -> dict[str, Any]:
    return {
        "version": 1,
        "id": journal.id,
        "how": journal.how,
        "started": journal.started,
        "steps": [[step.path, _plain_side(step.before), _plain_side(step.after)] for step in journal.steps],
        "made": journal.made,
        "emptied": journal.emptied,
        "move": None if journal.move is None else [journal.move.ref, journal.move.old, journal.move.new],
        "index": [[entry.path, entry.before, entry.after] for entry in journal.index],
        "extents": dict(journal.extents),
    }


def _plain_side(side: Side | None) -> list[Any] | None:
    return None if side is None else [side.mode.value, side.blob, side.permissions, side.owner]


def _side(plain: list[Any] | None) -> Side | None:
    if plain is None:
        return None
    mode, blob, permissions, owner = plain
    return Side(mode=Mode(mode), blob=blob, permissions=permissions, owner=None if owner is None else tuple(owner))


def _journal(folder: Path, plain: dict[str, Any]) -> Journal:
    move = plain["move"]
    return Journal(
        id=plain["id"],
        place=folder,
        how=plain["how"],
        started=plain["started"],
        steps=tuple(
            Step(path=path, before=_side(before), after=_side(after)) for path, before, after in plain["steps"]
        ),
        made=tuple(plain["made"]),
        emptied=tuple((path, mode) for path, mode in plain["emptied"]),
        move=None if move is None else Move(ref=move[0], old=move[1], new=move[2]),
        index=tuple(
            IndexEntry(path=path, before=tuple(before), after=tuple(after)) for path, before, after in plain["index"]
        ),
        extents={name: (begin, size) for name, (begin, size) in plain["extents"].items()},
    )
