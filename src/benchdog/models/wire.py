"""A request as the bytes of an OpenAI chat completion's body.

    body = '{' stable ',"messages":[' message *( ',' message ) ']' changing '}'

`stable` is what does not change in a window: model, sampling, streaming, tools. `changing` is what may: the reply's
bound, the seed, the choice of tools. So a request whose messages extend those of an earlier one begins with that
one's bytes up to the end of its last message, and the server's prompt cache holds for all of it.

Keys are sorted, but not inside of a tool's parameters and a call's arguments: there the order is what the model reads
and wrote.
"""

from __future__ import annotations

import json
import math
from typing import Any

from benchdog.models.values import Facts, Message, Request, Role, Tool, ToolCall

REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")
_READS_REASONING = ("vllm", "ollama")  # these servers read it back under `reasoning`


def encode_request(request: Request, facts: Facts) -> bytes:
    """The body of a request: the same bytes for the same values."""
    stable = {
        "model": facts.model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
    }
    head = _members(stable)
    if request.tools:
        head += ',"tools":' + _dump([_tool(tool) for tool in request.tools])
    field = reasoning_field(facts)
    messages = ",".join(_dump(_message(message, field)) for message in request.messages)
    tail = _members(_changing(request))
    return _utf8(f'{{{head},"messages":[{messages}],{tail}}}')


def reasoning_field(facts: Facts) -> str:
    """Under which name this server reads a model's earlier reasoning back."""
    server = facts.server.lower()
    return "reasoning" if any(name in server for name in _READS_REASONING) else "reasoning_content"


def _changing(request: Request) -> dict[str, Any]:
    changing: dict[str, Any] = {"max_tokens": request.max_tokens}
    if request.sampling.seed is not None:
        changing["seed"] = request.sampling.seed
    if request.tools:
        named = request.tool_choice not in ("auto", "required", "none")
        changing["tool_choice"] = (
            {"function": {"name": request.tool_choice}, "type": "function"} if named else request.tool_choice
        )
    return changing


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"description": tool.description, "name": tool.name, "parameters": _finite(tool.parameters)}
    return {"function": function, "type": "function"}


def _message(message: Message, reasoning: str) -> dict[str, Any]:
    plain: dict[str, Any] = {"content": message.content, "role": message.role.value}
    if message.role is Role.ASSISTANT and message.reasoning:
        plain[reasoning] = message.reasoning
    if message.calls:
        plain["tool_calls"] = [_call(call) for call in message.calls]
    if message.call_id is not None:
        plain["tool_call_id"] = message.call_id
    return dict(sorted(plain.items()))


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"arguments": _dump(_finite(call.arguments)), "name": call.name}
    return {"function": function, "id": call.id, "type": "function"}


def _members(values: dict[str, Any]) -> str:
    return _dump(dict(sorted(values.items())))[1:-1]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    """Plain JSON: mappings as objects, and null for the numbers that JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "items"):
        return {str(name): _finite(item) for name, item in value.items()}
    return value


def _utf8(text: str) -> bytes:
    """UTF-8, with a replacement character for a lone surrogate (a byte of a file that was no UTF-8)."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text).encode()
