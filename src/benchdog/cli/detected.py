"""The checks that a repository's own files name, for those who have written none down."""

from __future__ import annotations

from benchdog.contract.detect import MAX_BYTES, Detected, detect
from benchdog.repo import Repository


def detected(repository: Repository) -> Detected:
    """What the tree, as it is now, would be checked by. Nothing is run."""
    tree = repository.view(repository.snapshot().tree)

    def read(path: str) -> bytes | None:
        data = tree.read(path) if path in tree.entries else None
        return data if data is not None and len(data) <= MAX_BYTES else None

    return detect(tree.entries, read)
