"""Lengths of time as people write them: `90s`, `2m`, `1h30m`, `1.5`; numbers are seconds."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
MAX_SECONDS = 7 * 24 * 3600.0


def parse_duration(value: str | int | float) -> float:
    """Seconds. Grammar: number | [N "h"] [N "m"] [N "s"], at least one. Raises ValueError with what would be right."""
    seconds = _seconds(value) if isinstance(value, str) else float(value)
    if not math.isfinite(seconds) or not 0 < seconds <= MAX_SECONDS:
        raise ValueError(
            f"{_shown(value)} is out of bounds: a length of time is more than 0s and at most 168h (7 days)"
        )
    return seconds


def format_duration(seconds: float) -> str | float:
    """The shortest way to write it that `parse_duration` reads back to the same number."""
    if seconds != int(seconds):
        return seconds
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return "".join(f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if count)


def _shown(value: str | int | float) -> str:
    return repr(value[:40]) if isinstance(value, str) else f"{value:.20g}"


def _seconds(written: str) -> float:
    text = written.replace(" ", "")
    if _NUMBER.fullmatch(text):
        return float(text)
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise ValueError(
            f'{written[:40]!r} is no length of time (more than 0s, at most 168h): write "90s", "2m" or "1h30m"'
        )
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
