"""Gate `deliverables`: each path exists at the end, exactly so spelled, with the content that the contract requires.

`matches` is a Python regular expression in multi-line mode (`^` and `$` at each line). It is a person's, so it is
not hostile, but the file is a model's: only files up to MATCH_BYTES are searched, a larger one does not hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from benchdog.contract import Deliverable
from benchdog.contract.rules import is_found_in_nothing
from benchdog.gates.case import Case
from benchdog.trees import Mode, TreeView
from benchdog.verdict import Finding, Severity

MATCH_BYTES = 256 * 1024
_ALIKE = 0.8  # similarity of two names that are likely meant to be the same


def judge(case: Case) -> tuple[Finding, ...]:
    findings = []
    for deliverable in case.contract.deliver:
        lack = lacking(case.candidate, deliverable)
        if lack is None:
            continue
        near = _near_miss(case, deliverable.path) if deliverable.path not in case.candidate.entries else None
        hint = f"; {near!r} is there instead: rename it to exactly {deliverable.path!r}" if near else ""
        message = f"{deliverable.path!r} {lack}{hint}"
        findings.append(Finding(gate="deliverables", severity=Severity.BLOCK, path=deliverable.path, message=message))
    return tuple(findings)


def lacking(tree: TreeView, deliverable: Deliverable) -> str | None:
    """What a deliverable lacks in `tree` and would satisfy it, in words that follow its path; None: it holds."""
    entry = tree.entries.get(deliverable.path)
    if entry is None:
        return "does not exist: create it under exactly this name"
    if entry.mode not in (Mode.FILE, Mode.EXECUTABLE):
        return "is not a regular file: make it one"
    if requires_content(deliverable):
        return _content_lacking(tree.read(deliverable.path), deliverable)
    return None


def requires_content(deliverable: Deliverable) -> bool:
    """Whether it asks for more than to be there. What an empty file would satisfy asks for nothing."""
    matches = deliverable.matches is not None and not is_found_in_nothing(deliverable.matches)
    return bool(deliverable.contains) or matches or deliverable.sha256 is not None


def _content_lacking(data: bytes, deliverable: Deliverable) -> str | None:
    if deliverable.contains is not None and deliverable.contains.encode("utf-8", "surrogateescape") not in data:
        return f"does not contain {deliverable.contains!r}: it must, literally"
    if deliverable.matches is not None:
        lack = _match_lacking(data, deliverable.matches)
        if lack is not None:
            return lack
    if deliverable.sha256 is not None:
        digest = hashlib.sha256(data).hexdigest()
        if digest != deliverable.sha256.lower():
            return f"has the SHA-256 {digest}; it must have {deliverable.sha256.lower()}"
    return None


def _match_lacking(data: bytes, pattern: str) -> str | None:
    if len(data) > MATCH_BYTES:
        return f"has {len(data)} bytes; only up to {MATCH_BYTES} are searched for {pattern!r}: make it smaller"
    try:
        found = re.search(pattern, data.decode("utf-8", "surrogateescape"), re.MULTILINE)
    except re.error as error:
        return f"cannot be judged: {pattern!r} is no regular expression ({error}): correct the contract"
    return None if found else f"has nothing that matches {pattern!r}: it must"


def _near_miss(case: Case, path: str) -> str | None:
    """A path of the candidate that was likely meant: what the worker added comes first."""
    added = [change.path for change in case.changes if change.before is None and change.after is not None]
    found = _nearest(path, added[:1000])
    if found is not None:
        return found
    folded = _folded(path)
    return next((each for each in sorted(case.candidate.entries) if _folded(each) == folded), None)


def _nearest(path: str, candidates: Iterable[str]) -> str | None:
    rated = [(_alike(path, each), each) for each in candidates]
    good = [(-score, each) for score, each in rated if score >= _ALIKE]
    return min(good)[1] if good else None


def _alike(one: str, other: str) -> float:
    """Of the whole paths, or of the names alone where only the directory differs."""
    whole = _ratio(_folded(one), _folded(other))
    names = _ratio(_folded(one.rpartition("/")[2]), _folded(other.rpartition("/")[2]))
    return max(whole, names - 0.01)


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one[:300], other[:300], autojunk=False).ratio()


def _folded(path: str) -> str:
    return "".join(char for char in path.casefold() if char.isalnum() or char == "/")
