"""The one door to randomness."""

from __future__ import annotations

import secrets

_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"


def new_id(length: int = 8) -> str:
    """A fresh name of lower-case letters and digits, without those that look alike."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
