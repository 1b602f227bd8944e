"""Trees of files as values: entries, changes, and the port through which their bytes are read.

A path is a `str` relative to the root with `/` between its parts; bytes that are not UTF-8 are held as
surrogate escapes (`os.fsdecode`). A *raw tree* holds the bytes as they lie on disk; a *git tree* holds
what the person's git would commit of them. Both ids are git tree ids (hexadecimal SHA-1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Mode(StrEnum):
    """The four modes that git knows for an entry."""

    FILE = "100644"
    EXECUTABLE = "100755"
    SYMLINK = "120000"
    SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Entry:
    """A path's mode and the id of its blob (of its commit, for a submodule)."""

    mode: Mode
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path that differs between two trees. A rename is a removal and an addition.

    `added` and `removed` count lines; both are 0 for a binary file.
    """

    path: str
    before: Entry | None
    after: Entry | None
    added: int = 0
    removed: int = 0
    binary: bool = False


class TreeView(Protocol):
    """A whole tree that can be read. `read` and `entries` never touch a path that a worker could write."""

    @property
    def id(self) -> str: ...

    @property
    def entries(self) -> Mapping[str, Entry]: ...

    def read(self, path: str) -> bytes:
        """The bytes of a file, or the target of a symlink. Raises KeyError where the path is not in the tree."""
        ...
