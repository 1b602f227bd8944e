"""The person's repository and benchdog's own trees: snapshot, checkout, harvest, changes, landing, the way back.

No git command ever runs inside a tree that a worker or a check could write.
"""

from benchdog.repo.checkout import Checkout
from benchdog.repo.finished import JournalState, journal_state, landing_of, undone_of
from benchdog.repo.harvest import Harvest
from benchdog.repo.journal import Journal
from benchdog.repo.landing import (
    Landing,
    abort_landing,
    apply_commit,
    apply_files,
    continue_landing,
    pending_journal,
)
from benchdog.repo.listing import Ignored
from benchdog.repo.merge import MergeConflict, Merged, merge
from benchdog.repo.repository import Repository, open_repository
from benchdog.repo.rollback import Undone, roll_back
from benchdog.repo.snapshot import Base

__all__ = [
    "Base",
    "Checkout",
    "Harvest",
    "Ignored",
    "Journal",
    "JournalState",
    "Landing",
    "MergeConflict",
    "Merged",
    "Repository",
    "Undone",
    "abort_landing",
    "apply_commit",
    "apply_files",
    "continue_landing",
    "journal_state",
    "landing_of",
    "merge",
    "open_repository",
    "pending_journal",
    "roll_back",
    "undone_of",
]
