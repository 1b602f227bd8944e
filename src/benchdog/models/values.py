"""What is sent to a model server and what comes back, as frozen values; the port that every dialect implements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from benchdog.system.cancel import Cancel


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call as it was accepted: `arguments` are parsed and valid JSON values."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a window. `content` is always a string (servers differ on null and arrays)."""

    role: Role
    content: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool's name, description and JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Always sent explicitly: servers' defaults differ and some override what is omitted."""

    temperature: float = 0.2
    top_p: float = 0.95
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a window. `max_tokens` bounds the reply. `tool_choice`: auto, required, none or a tool's name."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int = 4096
    tool_choice: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCall:
    """A call as the server sent it: the arguments are still text, maybe malformed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts and speeds where the server reports them. Speeds are tokens per second."""

    prompt: int | None = None
    cached: int | None = None
    completion: int | None = None
    prefill_speed: float | None = None
    decode_speed: float | None = None


class Finish(StrEnum):
    """Why the server stopped. `broken`: the stream ended without saying."""

    STOP = "stop"
    CALLS = "tool_calls"
    LENGTH = "length"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One whole reply as it came. Nothing in it is trusted or repaired yet; times are wall seconds."""

    text: str
    reasoning: str = ""
    calls: tuple[RawCall, ...] = ()
    finish: Finish = Finish.STOP
    usage: Usage = field(default_factory=Usage)
    body: bytes = b""
    """The exact bytes of the request's body, for the evidence."""
    first_token_seconds: float = 0.0
    seconds: float = 0.0
    trouble: str = ""
    """What went wrong where the reply is broken, in words: it broke off, or the server could not read its model."""


class DeltaKind(StrEnum):
    TEXT = "text"
    REASONING = "reasoning"
    CALL = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of a reply as it streams in: for people to watch, never for deciding."""

    kind: DeltaKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an endpoint says of itself. `context` is the length in effect in tokens, where it is known."""

    url: str
    dialect: str
    model: str
    context: int | None = None
    server: str = ""
    hosts: tuple[str, ...] = ()
    """Every `address:port` that was contacted so far, also while looking for a server."""


OnDelta = Callable[[Delta], None]


class Endpoint(Protocol):
    """A model on a server.

    Both methods raise EndpointError (missing, stalled, overflow, protocol) and Cancelled. A reply that is cut or
    empty is no error: it is a reply, and the worker decides.
    """

    @property
    def facts(self) -> Facts: ...

    def ask(self, request: Request, *, cancel: Cancel, on_delta: OnDelta | None = None) -> Reply:
        """Sends one request and waits for the whole reply. Cancelling closes the connection."""
        ...

    def close(self) -> None:
        """Closes connections; safe to call twice."""
        ...
