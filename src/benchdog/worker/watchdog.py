"""Notices a worker that goes round in circles or explores without end. Pure: a value, and what to do next.

    the same call, and nothing changed in between (so the same result): the third time it is not carried out but asked
    again, the fifth time the round is stopped
    exploring without an applied edit: after a quarter of the turns only editing, asking and finishing are let
    through, and after a third the round is stopped

Calls are counted since the last change, not in a row, so going A-B-A-B counts as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from benchdog.models.values import ToolCall

TOLD, STOPPED = 3, 5  # sightings of one call


@dataclass(frozen=True, slots=True)
class Advice:
    """`action`: narrowed or stopped."""

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

    def forgotten(self) -> Watch:
        """After a fresh window, in which the model no longer has the answers."""
        return replace(self, seen={})

    def called(self, calls: Iterable[ToolCall]) -> Watch:
        """After calls that changed nothing."""
        seen = dict(self.seen)
        for call in calls:
            key = call_key(call)
            seen[key] = seen.get(key, 0) + 1
        return replace(self, seen=seen)

    def replied(self) -> Watch:
        """After a reply that only looked."""
        return replace(self, explored=self.explored + 1)

    def repeats(self, calls: Iterable[ToolCall]) -> bool:
        """Whether a reply holds nothing but calls that were answered so often that one more says nothing new."""
        return all(self.seen.get(call_key(call), 0) >= TOLD - 1 for call in calls)

    def advice(self) -> Advice | None:
        """What to do about exploring; None: nothing."""
        reason = f"{self.explored} replies looked around and changed nothing"
        if self.explored > max(4, self.turns // 3):
            return Advice("stopped", reason)
        return Advice("narrowed", reason) if self.narrowed else None


def call_key(call: ToolCall) -> str:
    """What makes two calls the same."""
    return json.dumps([call.name, call.arguments], sort_keys=True, default=str)
