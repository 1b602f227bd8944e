"""Lengths of time as people write them: `90s`, `2m`, `1h30m`, `1.5`; numbers are seconds."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
MAX_SECONDS = 7 * 24 * 3600.0


def parse_duration(value: str | int | float) -> float:
    """Seconds. Grammar: number | [N "h"] [N "m"] [N "s"], at least one. Raises ValueError with what would be right."""
    seconds = _seconds(value.replace(" ", "")) if isinstance(value, str) else float(value)
    if not math.isfinite(seconds) or not 0 < seconds <= MAX_SECONDS:
        raise ValueError("must be more than nothing and at most 7 days (168h)")
    return seconds


def format_duration(seconds: float) -> str | float:
    """The shortest way to write it that `parse_duration` reads back to the same number."""
    if seconds != int(seconds):
        return seconds
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return "".join(f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if count)


def _seconds(text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise ValueError(f'{text[:40]!r} is no length of time: write "90s", "2m", "1h30m" or a number of seconds')
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
