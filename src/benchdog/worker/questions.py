"""Questions that are none: some models answer a task with a greeting, or with the task. Pure."""

from __future__ import annotations

import re

_OFFER = re.compile(
    r"how (?:can|may|could) i (?:help|assist)|what (?:would|do) you (?:like|want|need)(?: me)?(?: to do)?"
    r"|(?:shall|should|can|may|could) i (?:proceed|start|begin|go ahead|continue)"
    r"|(?:do|would) you (?:want|like) me to|is there anything|let me know|ready to (?:help|start)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_SMALL_WORDS = """
a an the is are be do does i you me we it this that to of in on for and or not should shall can could would will want
need please what which how so then make sure must have has with
"""
_SMALL = frozenset(_SMALL_WORDS.split())


def idle_question(question: str, goal: str) -> bool:
    """Whether a question offers help or only says the task again."""
    if not question.strip() or _OFFER.search(question[:2000]):
        return True
    asked, known = _words(question), _words(goal)
    return not asked or len(asked & known) >= 0.8 * len(asked)


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text[:20_000].casefold()) if word not in _SMALL}
