"""What a sandboxed command may see, write and use: one value, and the port that every backend implements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from benchdog.system.cancel import Cancel
from benchdog.system.process import Output


class Lending(StrEnum):
    """How something that git ignores is lent to a command."""

    READ_ONLY = "read-only"
    PRIVATE = "private"  # a copy-on-write layer of this command's own
    COPY = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """An ignored path of the person's tree, seen by the command at its own place below the mounted tree.

    `path` is relative to the root, `source` the host path.
    """

    path: str
    source: Path
    how: Lending


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`tree` (a checkout of benchdog's) is mounted at `mount_at` (the path of the person's repository).

    What the command writes below it goes to a private layer and is thrown away, unless `writable` is true.
    `expose` are further host paths, read-only. `scratch` is a host directory that the command sees, writable,
    at the path in its environment variable `BENCHDOG_SCRATCH`; None: there is none. `git_directory` is a made-up
    repository, seen as `.git` of the tree; what the command writes there is thrown away too. Network: none at all.
    `environment` adds to what every command gets (see `environment.py`) and wins over it.
    """

    tree: Path
    mount_at: Path
    writable: bool = False
    lent: tuple[Lent, ...] = ()
    expose: tuple[Path, ...] = ()
    scratch: Path | None = None
    git_directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxedCommand:
    """A shell line, or an argv, run in `cwd` (relative to the mounted tree). `timeout` is in seconds."""

    argv: tuple[str, ...]
    cwd: str = "."
    timeout: float = 120.0
    stdin: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxedResult:
    """How it ended. stdout and stderr arrive interleaved in `output`, in the order in which they were written."""

    exit_status: int
    output: Output
    seconds: float
    timed_out: bool = False
    cancelled: bool = False


class Sandbox(Protocol):
    """Runs commands under a policy. When `run` returns, every process that it started is gone.

    Raises SandboxUnavailable where the policy cannot be enforced: never runs with less.
    """

    @property
    def name(self) -> str: ...

    @property
    def layers(self) -> tuple[str, ...]:
        """What is really enforced, each verified by trying, in words for a person."""
        ...

    @property
    def unsafe(self) -> bool:
        """True only for the backend that enforces nothing, which a person must ask for by name."""
        ...

    def run(
        self,
        command: SandboxedCommand,
        policy: Policy,
        *,
        cancel: Cancel | None = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> SandboxedResult: ...
