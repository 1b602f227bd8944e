"""How many tokens something may be, and how many are left: pure formulas, on the safe side.

Without the model's own tokenizer a text is counted by its UTF-8 bytes: three to a token. Source code of the usual
languages measures 3.3 to 4 bytes a token with the vocabularies of 2026, Chinese and Japanese about 3; digits are
counted one by one, as Qwen and Llama split them. The estimate is therefore high for prose, and meant to be: a prompt
that is refused costs more than one that is a little shorter.
"""

from __future__ import annotations

import json
import re

from benchdog.models.values import Message, Request

MESSAGE_TOKENS = 8  # role, separators and a call's frame, in the templates of 2026 3 to 7
MARGIN = 512  # tokens kept free for what a template adds
CAP = 8192  # tokens of one reply, however large the context
_BYTES = 3
_DIGIT = re.compile(r"[0-9]")


def estimate_tokens(text: str) -> int:
    """At most about how many tokens `text` is."""
    digits = len(_DIGIT.findall(text))
    rest = len(text.encode("utf-8", "surrogatepass")) - digits
    return digits + -(-rest // _BYTES)


def estimate_request(request: Request) -> int:
    """At most about how many tokens a request's prompt is: its messages and tools."""
    tools = sum(
        estimate_tokens(tool.name + tool.description + json.dumps(tool.parameters, default=str)) + MESSAGE_TOKENS
        for tool in request.tools
    )
    return tools + sum(_message(message) for message in request.messages)


def room(context: int, prompt_tokens: int, *, cap: int = CAP, margin: int = MARGIN) -> int:
    """How long a reply may be, in tokens, so that prompt and reply fit the context. 0: the prompt is too long."""
    return max(0, min(cap, context - prompt_tokens - margin))


def _message(message: Message) -> int:
    calls = sum(
        estimate_tokens(call.name + json.dumps(call.arguments, default=str, ensure_ascii=False)) + MESSAGE_TOKENS
        for call in message.calls
    )
    return MESSAGE_TOKENS + calls + estimate_tokens(message.content) + estimate_tokens(message.reasoning or "")
