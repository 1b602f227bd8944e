"""How the scripted model's replies look on the wire: chunks of a stream, whole answers, usage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchdog.testing.policy import ScriptedReply
from benchdog.testing.usage import Counts, tokens

PIECE = 24  # characters of text in one chunk of a stream


def pieces(reply: ScriptedReply) -> Iterator[dict[str, Any]]:
    """The deltas in which a reply is streamed: role, reasoning, text, then each call in fragments."""
    yield {"role": "assistant", "content": ""}
    for name, text in (("reasoning_content", reply.reasoning), ("content", reply.text)):
        for start in range(0, len(text), PIECE):
            yield {name: text[start : start + PIECE]}
    for index, call in enumerate(reply.calls):
        head = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": _id(index, call.id), "type": "function", "function": head}]}
        for start in range(0, len(call.text), PIECE):
            piece = {"arguments": call.text[start : start + PIECE]}
            yield {"tool_calls": [{"index": index, "function": piece}]}


def whole(model: str, reply: ScriptedReply, counts: Counts) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = [
            {"id": _id(index, call.id), "type": "function", "function": {"name": call.name, "arguments": call.text}}
            for index, call in enumerate(reply.calls)
        ]
    answer = chunk(model, {"message": message, "finish_reason": reply.finish_reason})
    return {**answer, "object": "chat.completion", "usage": usage(counts)}


def chunk(model: str, choice: dict[str, Any] | None = None) -> dict[str, Any]:
    choices = [] if choice is None else [{"index": 0, **choice}]
    return {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "model": model, "choices": choices}


def usage(counts: Counts) -> dict[str, Any]:
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.completion,
        "total_tokens": counts.prompt + counts.completion,
        "prompt_tokens_details": {"cached_tokens": counts.cached},
    }


def completion(reply: ScriptedReply) -> int:
    return sum(tokens(text) for text in (reply.text, reply.reasoning, *(call.name + call.text for call in reply.calls)))


def _id(index: int, given: str | None) -> str:
    return given if given is not None else f"scripted{index}"
