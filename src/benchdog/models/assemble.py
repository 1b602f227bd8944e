"""One reply put together from what a server sends, streamed or whole. Pure: no socket, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benchdog.errors import EndpointError, ProtocolError
from benchdog.models.calls import CallCollector
from benchdog.models.problems import error_message, parse_json, quote, recognise
from benchdog.models.values import Delta, DeltaKind, Finish, RawCall, Usage
from benchdog.models.wire import REASONING_FIELDS
from benchdog.system.terminal import one_line

_Number = TypeVar("_Number", int, float)
_FINISH = {
    "stop": Finish.STOP,
    "eos": Finish.STOP,
    "end_turn": Finish.STOP,
    "content_filter": Finish.STOP,
    "tool_calls": Finish.CALLS,
    "function_call": Finish.CALLS,
    "tool_use": Finish.CALLS,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "abort": Finish.BROKEN,
    "error": Finish.BROKEN,
    "cancelled": Finish.BROKEN,
}


@dataclass(kw_only=True)
class Assembly:
    """Takes the data of stream events, or one whole answer, and holds what they add up to.

    `done`: the server said that nothing more comes. `first` numbers made-up ids of calls.
    """

    url: str
    first: int = 0
    done: bool = False
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _finish: Finish | None = None
    _usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        self._calls = CallCollector(self.first)

    @property
    def arrived(self) -> bool:
        """Whether anything of a reply has come."""
        return bool(self._text or self._reasoning or self._calls)

    @property
    def finished(self) -> bool:
        """Whether the server said why the reply ends, or that it does."""
        return self.done or self._finish is not None

    def event(self, data: str) -> list[Delta]:
        """Takes one event of a stream. Raises EndpointError where it is an error, or no chunk of a completion."""
        if self.done or data.strip() == "[DONE]":
            self.done = True
            return []
        chunk = parse_json(data.encode("utf-8", "replace"))
        if not isinstance(chunk, Mapping):
            raise ProtocolError(
                f"{self.url} sent an event that is not JSON: {quote(data.encode()[:400])!r}", url=self.url
            )
        return self._take(chunk, "delta")

    def whole(self, answer: Mapping[str, Any]) -> list[Delta]:
        """Takes an answer that was not streamed. Raises EndpointError where it is an error or no completion."""
        deltas = self._take(answer, "message")
        if not isinstance(answer.get("choices"), list) or not answer["choices"]:
            raise ProtocolError(f"{self.url} answered JSON that is no chat completion", url=self.url)
        self.done = True
        return deltas

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    @property
    def calls(self) -> tuple[RawCall, ...]:
        return self._calls.calls()

    @property
    def usage(self) -> Usage:
        return self._usage

    @property
    def finish(self) -> Finish:
        if not self.finished:
            return Finish.BROKEN
        finish = self._finish or Finish.STOP
        return Finish.CALLS if finish is Finish.STOP and self._calls else finish

    def _take(self, chunk: Mapping[str, Any], part: str) -> list[Delta]:
        self._raise_error(chunk)
        self._usage = read_usage(chunk, self._usage)
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping) or choice.get("index") not in (0, None):
            return []
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._finish = _FINISH.get(reason, Finish.STOP)
        piece = choice.get(part) or choice.get("delta") or choice.get("message")
        return self._piece(piece) if isinstance(piece, Mapping) else []

    def _raise_error(self, chunk: Mapping[str, Any]) -> None:
        if "choices" in chunk and not chunk.get("error"):
            return
        if not chunk.get("error") and chunk.get("object") != "error":
            return
        message = error_message(chunk) or "an error without a message"
        known = recognise(message, chunk, self.url)
        raise known or EndpointError(f"{self.url} broke off: {one_line(message, 400)}", url=self.url)

    def _piece(self, piece: Mapping[str, Any]) -> list[Delta]:
        deltas: list[Delta] = []
        reasoning = next((text for name in REASONING_FIELDS if (text := _content(piece.get(name)))), "")
        if reasoning:
            self._reasoning.append(reasoning)
            deltas.append(Delta(kind=DeltaKind.REASONING, text=reasoning))
        if text := _content(piece.get("content")):
            self._text.append(text)
            deltas.append(Delta(kind=DeltaKind.TEXT, text=text))
        calls = piece.get("tool_calls")
        fragments = list(calls) if isinstance(calls, list) else []
        if isinstance(piece.get("function_call"), Mapping):
            fragments.append(piece["function_call"])
        for fragment in fragments:
            if shown := self._calls.add(fragment):
                deltas.append(Delta(kind=DeltaKind.CALL, text=shown))
        return deltas


def read_usage(chunk: Mapping[str, Any], before: Usage) -> Usage:
    """Token counts and speeds of a chunk (`usage`, llama.cpp's `timings`), over those known before."""
    usage, timings = _mapping(chunk.get("usage")), _mapping(chunk.get("timings"))
    if not usage and not timings:
        return before
    fresh, held = _count(timings.get("prompt_n")), _count(timings.get("cache_n"))
    prompt = _count(usage.get("prompt_tokens"))
    if prompt is None and fresh is not None:
        prompt = fresh + (held or 0)
    cached = _count(_mapping(usage.get("prompt_tokens_details")).get("cached_tokens"))
    completion = _count(usage.get("completion_tokens"))
    return Usage(
        prompt=_or(prompt, before.prompt),
        cached=_or(_or(cached, held), before.cached),
        completion=_or(_or(completion, _count(timings.get("predicted_n"))), before.completion),
        prefill_speed=_or(_speed(timings.get("prompt_per_second")), before.prefill_speed),
        decode_speed=_or(_speed(timings.get("predicted_per_second")), before.decode_speed),
    )


def _content(value: Any) -> str:
    """Content is a string by the protocol; some servers send it as parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_content(part.get("text")) for part in value if isinstance(part, Mapping))
    return ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None


def _speed(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9 else None


def _or(first: _Number | None, second: _Number | None) -> _Number | None:
    return second if first is None else first
