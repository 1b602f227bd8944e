"""What a journal says of its landing, for whoever was killed before it could record that itself. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from benchdog.repo.journal import State, journals_place, load_journal, read_state
from benchdog.repo.landing import Landing, landing_of_journal
from benchdog.repo.repository import Repository
from benchdog.repo.rollback import Undone, undone_of_journal

JournalState = Literal["landing", "landed", "rolling back", "rolled back", "aborted"]
"""`landing` and `rolling back` are not over: `continue_landing` or `abort_landing` ends them."""

_STATES: Mapping[State, JournalState] = {
    State.LANDING: "landing",
    State.ABORTING: "landing",
    State.LANDED: "landed",
    State.ABORTED: "aborted",
    State.ROLLING_BACK: "rolling back",
    State.ROLLED_BACK: "rolled back",
}


def journal_state(repository: Repository, journal_id: str) -> JournalState | None:
    """How far a landing came; None: it never began, and nothing was written. Raises StoreError."""
    state = read_state(journals_place(repository.place) / journal_id)
    return None if state is None else _STATES[state]


def landing_of(repository: Repository, journal_id: str) -> Landing | None:
    """What landed, whether or not it was taken back later; None where it did not land. Its notes are not kept.

    Raises StoreError.
    """
    if journal_state(repository, journal_id) not in ("landed", "rolled back"):
        return None
    return landing_of_journal(load_journal(repository.place, journal_id))


def undone_of(repository: Repository, journal_id: str) -> Undone | None:
    """What a finished roll-back took back, `continue_landing` having finished it or not; None where there was none.

    Raises StoreError, HostError.
    """
    if journal_state(repository, journal_id) != "rolled back":
        return None
    return undone_of_journal(repository, load_journal(repository.place, journal_id))
