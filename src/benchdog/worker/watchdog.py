"""Notices a worker that goes round in circles or explores without end. Pure: a value, and what to do next.

    identical call, identical result, nothing changed in between: the third time it is told, the fifth it is stopped
    exploring without an applied edit: after a quarter of the turns only editing, asking and finishing are let
    through, and after a third it is stopped

Calls are counted since the last change, not in a row, so going A-B-A-B counts as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TOLD, STOPPED = 3, 5  # sightings of one call with one result


@dataclass(frozen=True, slots=True)
class Advice:
    """`action`: told, narrowed or stopped. `new` is False where it was said before."""

    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen since the last change. `turns` is the limit of the round; `explored` counts replies."""

    turns: int
    seen: Mapping[str, int] = field(default_factory=dict)
    explored: int = 0

    @property
    def narrowed(self) -> bool:
        """Whether only calls that edit, ask or finish are let through now."""
        return self.explored >= max(3, self.turns // 4)

    def changed(self) -> Watch:
        """After an edit that was applied."""
        return replace(self, seen={}, explored=0)

    def called(self, name: str, arguments: Mapping[str, Any], result: str) -> Watch:
        """After a call that changed nothing."""
        key = call_key(name, arguments, result)
        return replace(self, seen={**self.seen, key: self.seen.get(key, 0) + 1})

    def replied(self) -> Watch:
        """After a reply that only looked."""
        return replace(self, explored=self.explored + 1)

    def times(self, name: str, arguments: Mapping[str, Any], result: str) -> int:
        """How often this call had this result since the last change."""
        return self.seen.get(call_key(name, arguments, result), 0)

    def advice(self) -> Advice | None:
        """What to do about it; None: nothing."""
        most = max(self.seen.values(), default=0)
        if most >= STOPPED:
            return Advice("stopped", f"the same call with the same result {most} times, and nothing changed")
        if self.explored > max(4, self.turns // 3):
            return Advice("stopped", f"{self.explored} replies looked around and changed nothing")
        if self.narrowed:
            return Advice("narrowed", f"{self.explored} replies looked around and changed nothing")
        if most >= TOLD:
            return Advice("told", f"the same call with the same result {most} times, and nothing changed")
        return None


def call_key(name: str, arguments: Mapping[str, Any], result: str) -> str:
    """One call with one result, in a few characters."""
    text = json.dumps([name, arguments, result], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
