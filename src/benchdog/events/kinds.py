"""Everything that can happen in a run: one closed union of frozen values.

An event says what happened and carries digests of the artefacts that show it (evidence store), never large
content itself. Times, sequence numbers and hashes belong to the log's line, not to the event.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from benchdog.checks import CheckResult
from benchdog.trees import Change
from benchdog.verdict import FailureClass, Finding, Proof, Verdict


class Stage(StrEnum):
    """For what a check ran."""

    BASE = "base"
    REPLY = "reply"
    ROUND = "round"
    FINAL = "final"
    LANDING = "landing"
    """On a merge of the candidate with a repository that has moved on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """`contract` is the digest of the contract's canonical TOML, `root` the repository's path."""

    run: str
    root: str
    goal: str
    contract: str
    version: str
    unsafe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalLinted:
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseTaken:
    """The user's tree as it was. `head` is the commit it stood on, `uncommitted` the paths that differed from it."""

    tree: str
    files: int
    head: str | None = None
    branch: str | None = None
    uncommitted: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxReady:
    """`layers` are those really active; `lent` the ignored paths that checks see; `widened` what settings added.

    `environment` tells one environment of checks from another: results of different ones are never compared.
    """

    backend: str
    environment: str = ""
    layers: tuple[str, ...]
    lent: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    unsafe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPinned:
    """`context` is the length in effect in tokens, None where the server does not tell and nobody set it."""

    role: str
    url: str
    dialect: str
    model: str
    context: int | None = None
    server: str = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStarted:
    stage: Stage
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinished:
    """`tree` is the raw tree that was checked; `cached` says the result was taken from an earlier run of the same."""

    stage: Stage
    tree: str
    result: CheckResult
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundStarted:
    """`tree` is where the round starts from; `findings` are what it must answer."""

    round: int
    tree: str
    findings: tuple[Finding, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSent:
    """`request` is the digest of the exact body. `resample` counts tries at the same prompt, from 0."""

    number: int
    request: str
    resample: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReceived:
    """Token counts are the server's where it reports them, else None. Seconds are wall time.

    `recovered` names the syntax in which a call had leaked as text; `calls` are the tools called.
    """

    number: int
    reply: str
    finish: str
    calls: tuple[str, ...] = ()
    recovered: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_seconds: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyInvalid:
    """A reply that was not kept. `fault` is a short name: empty, prose, malformed, unknown-tool, cut, repeated …"""

    number: int
    fault: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUsed:
    """A call that changed nothing: read, search, list."""

    tool: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditApplied:
    path: str
    line: int
    added: int
    removed: int
    how: str = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRefused:
    """`rule` is `scope`, `class`, `match` or `size`; `reason` is what the worker was told."""

    path: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMade:
    """What a worker says about its work: shown as a claim, never believed."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervened:
    """The watchdog acted: `action` is told, narrowed or stopped."""

    action: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateTaken:
    """The tree that the worker left. `diff` is the digest of the unified diff against the base."""

    round: int
    tree: str
    changes: tuple[Change, ...]
    diff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFinished:
    gate: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEnded:
    """`outcome`: passed, findings, stalled, asked. `reason` and `failure_class` are told by a round that stalled."""

    round: int
    outcome: str
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    failure_class: FailureClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The worker asked; `path` where it asked for a wider scope."""

    question: str
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A person answered. `contract` is the digest of the contract from here on."""

    text: str
    contract: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """A person wants more from this candidate: a blocking finding for the next round."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The run goes on after an interruption."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReached:
    """`tree` is the candidate that the verdict belongs to; None where there is none."""

    verdict: Verdict
    proof: Proof
    reason: str
    tree: str | None = None
    failure_class: FailureClass | None = None
    next_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A person read this diff and accepts it."""

    tree: str
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingStarted:
    """`how`: files, branch or commit. `journal` is where the way back lies."""

    how: str
    tree: str
    journal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """`commit` where one was made; `ref` the branch. `notes` are for the person."""

    how: str
    tree: str
    paths: tuple[str, ...]
    commit: str | None = None
    ref: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingAborted:
    """The landing was taken back before it was complete."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    paths: tuple[str, ...]
    commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """The person does not want this candidate."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The log is finished up to here; what follows later ends in a seal of its own.

    The report names the hash of this line.
    """

    events: int


Event = (
    RunStarted
    | GoalLinted
    | BaseTaken
    | SandboxReady
    | EndpointPinned
    | CheckStarted
    | CheckFinished
    | RoundStarted
    | RequestSent
    | ReplyReceived
    | ReplyInvalid
    | ToolUsed
    | EditApplied
    | EditRefused
    | ClaimMade
    | Intervened
    | CandidateTaken
    | GateFinished
    | RoundEnded
    | Asked
    | Answered
    | Refined
    | Resumed
    | VerdictReached
    | Accepted
    | LandingStarted
    | Landed
    | LandingAborted
    | RolledBack
    | Discarded
    | Sealed
)
