"""What benchdog says to the model besides files and output: short, and always what to do next."""

from __future__ import annotations

from benchdog.worker.calls import Reading
from benchdog.worker.prompt import shown_checks, shown_findings
from benchdog.worker.steps import Verification

FOUND_LIMIT = 6000  # characters of findings, and of failing output


def correction(fault: Reading | None) -> str:
    """One line for a model whose last reply could not be used."""
    if fault is None:
        return ""
    how = {
        "prose": "Answer with a tool call, not with text.",
        "empty": "Answer with a tool call.",
        "malformed": "Send the call again with valid JSON arguments.",
        "repeated": "Do something else, or call ask.",
        "question": "Work on the goal with edit or write.",
    }.get(fault.fault or "", "Send one correct tool call.")
    return f"Your last reply was not used: {fault.detail}. {how}"


def found(verification: Verification, limit: int = FOUND_LIMIT) -> str:
    """What gates and checks say to the tree as it is now."""
    parts = [
        shown_findings(verification.findings, verification.checks, limit),
        shown_checks(verification.checks, limit),
    ]
    if not any(parts):
        parts = ["Nothing fails now. If the goal is reached, call done."]
    return "\n".join(part for part in parts if part)


def narrowed() -> str:
    return "refused: enough looked around. Now only edit, write, ask, ask_scope or done"
