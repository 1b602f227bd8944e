"""The protocol between a worker and the runner: a worker is a generator that yields steps and is sent answers.

    Ask(request)      -> Reply            the model's whole reply
    Record(event)     -> None             something that happened, for the log
    Verify()          -> Verification     benchdog harvests the workspace, runs gates and the checks that are due

The generator returns an Outcome. It does no I/O but through the workspace port; it never sees the sandbox.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchdog.checks import CheckResult
from benchdog.contract import Contract
from benchdog.events import Event
from benchdog.models.values import Reply, Request
from benchdog.verdict import FailureClass, Finding


class Workspace(Protocol):
    """The copy of the repository in which a worker writes. Paths are relative, with `/`; see `trees`."""

    def paths(self) -> Sequence[str]:
        """Every file's path, sorted."""
        ...

    def read(self, path: str) -> bytes | None:
        """A regular file's bytes; None where there is none. Never follows a symlink out of the tree."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Creates or replaces a regular file, keeping the mode of an existing one. Raises UserError for a path
        that leaves the tree or goes through a symlink."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a worker gets for one round.

    `findings` are what the last round or a person left to answer. `failing` are the checks that are red now, with
    distilled output. `changed` are the paths that already differ from the base. `context` is the window in tokens.
    `wall` (seconds of model time) and `turns` are what is left of the limits. `hint` is what a person said, `diff` how
    the tree differs from the base.
    """

    contract: Contract
    round: int
    context: int
    turns: int
    wall: float
    findings: tuple[Finding, ...] = ()
    hint: str = ""
    failing: tuple[CheckResult, ...] = ()
    changed: tuple[str, ...] = ()
    diff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to the model. `resample` counts the tries at it before this one."""

    request: Request
    resample: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Asks for gates and due checks over the workspace as it is now. `done`: the worker holds that it is finished."""

    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found. `finished`: the round ends here whatever the worker wants (all holds, or it said done)."""

    findings: tuple[Finding, ...]
    checks: tuple[CheckResult, ...] = ()
    finished: bool = False


Step = Ask | Record | Verify
Answer = Reply | Verification | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The round is over; gates and checks decide. `claim` is what the worker said, for the record."""

    claim: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsInput:
    """The worker asked a person; `path` where it asked for a wider scope."""

    question: str
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """Limits or no progress."""

    reason: str
    failure_class: FailureClass


Outcome = Finished | NeedsInput | Stalled
Work = Generator[Step, Answer, Outcome]
