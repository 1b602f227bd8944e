"""Every error that benchdog raises on purpose, in one tree.

The families say who must act, and give the exit status:

    BenchdogError
    ├── UserError (2)            the command, the contract or the tree needs the person
    │   ├── ContractError        a file of settings or a contract does not read; carries every problem
    │   └── Conflict             the person's tree changed meanwhile; nothing was overwritten
    ├── HostError (4)            the machine: no sandbox, no git, no space, no permission
    │   ├── SandboxUnavailable
    │   └── StoreError           the run's own log, evidence or object store cannot be written or read
    │       └── CorruptLog       a terminated line does not hold; carries the place
    ├── EndpointError (4)        the model server
    │   ├── EndpointMissing      nothing answers where benchdog looked
    │   ├── EndpointStalled      it stopped sending
    │   ├── ContextOverflow      the prompt does not fit what is in effect there
    │   └── ProtocolError        it answered something that is not the protocol
    └── Cancelled (130)          the person interrupted

A model's mistakes are no exceptions: they are findings and invalid replies, and belong to the run.
"""

from __future__ import annotations

from dataclasses import dataclass


class BenchdogError(Exception):
    """A failure with a message for a person and, where there is one, the next step to take."""

    exit_status = 4

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(BenchdogError):
    """The command or the contract is wrong, or the person must decide something."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in one place of one file. `line` counts from 1; None: the file as a whole."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ContractError(UserError):
    """A contract or a settings file does not read. Holds every problem, not the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Conflict(UserError):
    """The person's tree changed meanwhile: landing would overwrite it, so nothing was written."""

    def __init__(self, message: str, *, paths: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.paths = paths


class HostError(BenchdogError):
    """The machine cannot do what is needed."""


class SandboxUnavailable(HostError):
    """No sandbox can be had here. Nothing ran."""


class StoreError(HostError):
    """benchdog's own files cannot be written or read."""


class CorruptLog(StoreError):
    """A terminated line of a run's log does not hold: `line` (from 1) of `path`."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}", hint="the log was changed after it was written")
        self.path = path
        self.line = line


class EndpointError(BenchdogError):
    """The model server failed. `url` is the address as it was configured or found."""

    def __init__(self, message: str, *, url: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.url = url


class EndpointMissing(EndpointError):
    """Nothing answers at the address."""


class EndpointStalled(EndpointError):
    """The server holds the connection but sends nothing."""


class ContextOverflow(EndpointError):
    """The prompt does not fit. `limit` is the context length in tokens, where the server said it."""

    def __init__(self, message: str, *, url: str = "", limit: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, url=url, hint=hint)
        self.limit = limit


class ProtocolError(EndpointError):
    """The server's answer is not what the protocol says."""


class Cancelled(BenchdogError):
    """The person interrupted; what was done so far is kept."""

    exit_status = 130

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message)
