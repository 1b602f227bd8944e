"""The syntaxes in which local models' tool calls leak into the text of a reply, as models write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from benchdog.testing.policy import ScriptedCall

Leak = Callable[[Sequence[ScriptedCall]], str]


def hermes(calls: Sequence[ScriptedCall]) -> str:
    """`<tool_call>{"name": …, "arguments": …}</tool_call>`: Hermes, Qwen2.5, Qwen3."""
    return "\n".join(f"<tool_call>\n{_object(call)}\n</tool_call>" for call in calls)


def qwen3_coder(calls: Sequence[ScriptedCall]) -> str:
    """`<function=NAME><parameter=KEY>…`: Qwen3-Coder, here without the `<tool_call>` that it often leaves out."""
    return "\n".join(_function(call) for call in calls)


def fenced(calls: Sequence[ScriptedCall]) -> str:
    """JSON in a Markdown fence, after a word of introduction: many small models."""
    return "I will do this now:\n\n" + "\n\n".join(f"```json\n{_object(call)}\n```" for call in calls)


def mistral(calls: Sequence[ScriptedCall]) -> str:
    """`[TOOL_CALLS][{…}]`: Mistral and Devstral behind a server without their parser."""
    return "[TOOL_CALLS][" + ", ".join(_object(call) for call in calls) + "]"


def llama3(calls: Sequence[ScriptedCall]) -> str:
    """`<|python_tag|>{"name": …, "parameters": …}`: Llama 3."""
    return "; ".join(f"<|python_tag|>{_object(call, 'parameters')}" for call in calls)


LEAKS: dict[str, Leak] = {
    "hermes": hermes,
    "qwen3-coder": qwen3_coder,
    "fenced": fenced,
    "mistral": mistral,
    "llama3": llama3,
}


def _object(call: ScriptedCall, arguments: str = "arguments") -> str:
    return json.dumps({"name": call.name, arguments: _plain(call)}, ensure_ascii=False)


def _function(call: ScriptedCall) -> str:
    plain = _plain(call)
    parameters = plain.items() if isinstance(plain, dict) else ()
    lines = [f"<parameter={name}>\n{_shown(value)}\n</parameter>" for name, value in parameters]
    return "\n".join((f"<function={call.name}>", *lines, "</function>"))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(call: ScriptedCall) -> Any:
    return call.arguments if isinstance(call.arguments, str) else dict(call.arguments)
