"""The person's repository and benchdog's own trees: snapshot, checkout, harvest, changes, landing, the way back.

No git command ever runs inside a tree that a worker or a check could write.
"""

from benchdog.repo.checkout import Checkout
from benchdog.repo.harvest import Harvest
from benchdog.repo.listing import Ignored
from benchdog.repo.repository import Repository, open_repository
from benchdog.repo.snapshot import Base

__all__ = ["Base", "Checkout", "Harvest", "Ignored", "Repository", "open_repository"]
