"""What each reader of a test runner's output offers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from benchdog.checks.command import Argv
from benchdog.checks.values import TestReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """One test runner. `named` says whether an argv starts it; `began` finds its own lines in a cleaned output.

    `read` makes the report of a cleaned output; its second argument is how often the command names the runner (0: it
    is known by its lines only). None: there is nothing of this runner in it.
    """

    name: str
    named: Callable[[Argv], bool]
    began: re.Pattern[str]
    read: Callable[[str, int], TestReport | None]


def unique(ids: list[str]) -> tuple[str, ...]:
    """The ids in their order, each once."""
    return tuple(dict.fromkeys(ids))


def counts(text: str) -> dict[str, int]:
    """`3 failed, 41 passed` as a mapping from word to sum."""
    found: dict[str, int] = {}
    for number, word in re.findall(r"(\d{1,9}) ([a-z]+(?: [a-z]+)?)", text):
        found[word] = found.get(word, 0) + int(number)
    return found
