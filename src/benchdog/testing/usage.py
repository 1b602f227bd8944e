"""Token counts of the scripted model, and how much of a prompt a server's cache would have held."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHARACTERS = 4  # of a prompt to one scripted token


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Scripted tokens of one request."""

    prompt: int
    cached: int
    completion: int


def rendered(body: Mapping[str, Any]) -> str:
    """A prompt as a chat template lays it out: tools first, then the messages, each closed."""
    tools = json.dumps(body.get("tools") or [], ensure_ascii=False)
    messages = body.get("messages")
    parts = [json.dumps(message, ensure_ascii=False) for message in messages] if isinstance(messages, list) else []
    return "\n".join((str(body.get("model")), tools, *parts))


class PromptCache:
    """What one slot of a server remembers: the last prompts and what was answered, as their longest common prefix."""

    def __init__(self, prompts: int = 4) -> None:
        self._prompts = prompts
        self._held: list[str] = []
        self._lock = threading.Lock()

    def count(self, prompt: str) -> tuple[int, int]:
        """Tokens of the prompt, and how many of them an earlier prompt has in common from the start."""
        with self._lock:
            common = max((_common(old, prompt) for old in self._held), default=0)
            self._held = [*self._held, prompt][-self._prompts :]
        return tokens(prompt), common // CHARACTERS


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS)


def _common(first: str, second: str) -> int:
    """The length of the longest common prefix, by halving."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[:middle] == second[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
