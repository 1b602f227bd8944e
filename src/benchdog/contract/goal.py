"""A look at a goal without a model: is there anything to hold on to, and is it one thing?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from benchdog.contract.languages import COMMON_WORDS

MAX_GOALS = 1

# What looks like a path, a file, a symbol or an option: `src/x.py`, `ops.add`, `parse_date`, `HttpClient`, `f()`.
_HOLD = re.compile(
    r"`[^`\n]+`"
    r"|(?<![\w.-])[\w.-]+/[\w./-]+"
    r"|\b\w{1,60}\.(?!(?:g|e)\b)[A-Za-z_]\w{0,60}"
    r"|\b[A-Za-z]\w*_\w+\b"
    r"|\b[a-z]+[A-Z]\w*|\b[A-Z][a-z0-9]+[A-Z]\w*"
    r"|\b\w+\(\)"
    r"|--\w[\w-]+"
    r"|:\d+\b"
)
_CHECK = re.compile(r"\b(?:tests?|pytest|check|build|lint|mypy|tsc|compiles?)\b", re.IGNORECASE)
_WHOLE = re.compile(
    r"\b(?:design|ship|build|implement|write|create|develop|rewrite|refactor|redo)\b[^.!?\n]{0,40}?"
    r"\b(?:whole|entire|complete|everything|full[- ](?:stack|blown)|from scratch|end[- ]to[- ]end|"
    r"production[- ]ready)\b",
    re.IGNORECASE,
)
_VERB = (
    r"(?:add|fix|remove|rename|refactor|rewrite|write|create|implement|make|update|change|replace|move|delete|improve|"
    r"document|test|log|support|migrate|convert|extract|split|design|build|ship)"
)
_NEXT_GOAL = re.compile(
    r"(?:;|\.\s|\n|,?\s(?:and\s+(?:then|also)|then|also|additionally|furthermore|as well as)\b)"
    rf"[\s,*\d.)-]{{0,8}}{_VERB}\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+\S", re.MULTILINE)


def lint_goal(goal: str, paths: Iterable[str], *, allow: Iterable[str] = ()) -> tuple[str, ...]:
    """Hints that make a goal easier to meet; none where it is fine. `paths` are the tree's files.

    `allow` is the scope, where somebody gave it: then the goal need not say where.
    """
    text = goal.strip()[:20_000]
    hints = []
    said_where = any(True for _ in allow)
    if not said_where and not _HOLD.search(text) and not _CHECK.search(text) and not _names_file(text, paths):
        hints.append("the goal names no file, symbol or check: say where, such as `src/app.py` or `parse_date`")
    goals = len(_BULLET.findall(text)) or 1 + len(_NEXT_GOAL.findall(text))
    if goals > MAX_GOALS:
        hints.append(f"the goal asks for about {goals} things: one run does one thing best, `benchdog refine` the next")
    if found := _WHOLE.search(text):
        said = " ".join(found[0].split())
        hints.append(f"{said!r} is too much for one run: name the first file or function that is to work")
    return tuple(hints)


def _names_file(text: str, paths: Iterable[str]) -> bool:
    """Whether a word of the goal is the name, or the stem, of a file or folder of the tree."""
    words = {word.lower() for word in re.findall(r"[\w.-]{3,}", text)} - COMMON_WORDS
    words |= {word.rstrip(".") for word in words}
    return any(_names_of(path) & words for path in paths)


def _names_of(path: str) -> set[str]:
    parts = path.lower().split("/")
    return {*parts, parts[-1].split(".", 1)[0]} - COMMON_WORDS
