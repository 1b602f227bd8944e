"""What a small model, and a person, needs of a red output: in few tokens, and the same for the same failure."""

from __future__ import annotations

import re

from benchdog.checks.command import programs
from benchdog.checks.excerpts import EXTRACTS, Blocks, generic_blocks, rust_blocks, traceback_blocks
from benchdog.checks.runners import RUNNERS
from benchdog.checks.text import clean
from benchdog.checks.values import TestReport

_ROOT = re.compile(r"^rootdir: (/[^\n,]+?)(?:, [^\n]*)?$", re.MULTILINE)  # pytest tells where it is
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,16}\b")
_TIMES = re.compile(r" \(\d[\d.]*m?s\)| in \d+\.\d+s\b")
_THREAD = re.compile(r"(?<=') \(\d{1,9}\)(?= panicked at)")
_MAX_LINE = 220
_MAX_IDS = 12


def distil(run: str, output: str, report: TestReport | None, limit: int = 1200, *, root: str = "") -> str:
    """First what failed, then why: at most `limit` characters. Never raises.

    Paths below `root` (found in the output where it is not given) become relative; addresses and durations go, so
    that the same failure reads the same again.
    """
    text = _steady(clean(output), root)
    lines = text.split("\n")
    head = _headline(report)
    blocks = _blocks(run, lines, report)
    return _fitted(head, blocks, limit)


def _steady(text: str, root: str) -> str:
    if not root:
        told = _ROOT.search(text)
        root = told[1] if told else ""
    if len(root) > 1:
        text = text.replace(f"{root.rstrip('/')}/", "")
    return _THREAD.sub("", _TIMES.sub("", _ADDRESS.sub("", text)))


def _headline(report: TestReport | None) -> list[str]:
    if report is None:
        return []
    parts = [
        f"{report.failed} failed, {report.passed} passed" + (f", {report.skipped} skipped" if report.skipped else "")
    ]
    if not report.complete:
        parts = [f"{report.runner} ended before its closing report"]
    shown = report.failed_ids[:_MAX_IDS]
    more = len(report.failed_ids) - len(shown)
    return [*parts, *(f"✗ {each}" for each in shown), *([f"… and {more} more"] if more else [])]


def _blocks(run: str, lines: list[str], report: TestReport | None) -> Blocks:
    named = [runner.name for argv in programs(run) for runner in RUNNERS if runner.named(argv)]
    kinds = [report.runner] if report else named
    for kind in kinds:
        for extract in EXTRACTS.get(kind, ()):
            blocks = extract(lines)
            if blocks:
                return blocks
    return traceback_blocks(lines) or rust_blocks(lines) or generic_blocks(lines)


def _fitted(head: list[str], blocks: Blocks, limit: int) -> str:
    """Whole lines until the limit; at least a part of the first block, whatever the head took."""
    kept = _within(head, limit // 2 if blocks else limit)
    for block in blocks:
        room = limit - len("\n".join(kept)) - 2
        if room < 20:
            break
        kept += ["", *_within(block, room)] if kept else _within(block, limit)
    return "\n".join(kept)[: max(0, limit)].rstrip()


def _within(lines: list[str], limit: int) -> list[str]:
    kept: list[str] = []
    used = 0
    for whole in lines:
        line = whole.rstrip() if len(whole) <= _MAX_LINE else whole[: _MAX_LINE - 1] + "…"
        if used + len(line) + 1 > limit:
            break
        kept.append(line)
        used += len(line) + 1
    return kept
