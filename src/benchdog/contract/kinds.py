"""The kinds of value that keys of a file may have: what is right in words, as JSON Schema, and as a parser.

A parser takes what TOML gave and returns the domain's value. It raises ValueError whose text completes "key: …".
"""

from __future__ import annotations

import difflib
import math
import re
import warnings
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from benchdog.contract.classes import NEVER_OPEN
from benchdog.contract.duration import parse_duration
from benchdog.contract.globs import pattern_problem
from benchdog.contract.scope import path_problem
from benchdog.contract.values import Expect, PathClass, When

MAX_TEXT = 20_000  # characters of one value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`words` name the type for the reference. `many`: a list of what `parse` reads."""

    words: str
    schema: Mapping[str, Any]
    parse: Callable[[Any], Any]
    many: bool = False

    @property
    def list(self) -> Kind:
        """A list of this kind."""
        schema = {"type": "array", "items": dict(self.schema)}
        return Kind(words=f"list of {self.words}", schema=schema, parse=self.parse, many=True)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, found {shown(value)}")
    if len(value) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    return value


def _words(value: Any) -> str:
    text = _string(value)
    if not text.strip():
        raise ValueError("must not be empty")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("is not valid UTF-8")
    if "\0" in text:
        raise ValueError("contains a NUL character")
    return text


def _command(value: Any) -> str:
    text = _string(value)
    if not text.strip() or "\0" in text:
        raise ValueError('must be a shell line, such as "python3 -m pytest -q"')
    return text


def _name(value: Any) -> str:
    text = _words(value)
    if len(text) > 60 or not text.isprintable() or text != text.strip():
        raise ValueError("must be a short name: at most 60 printable characters")
    return text


def _pattern(value: Any) -> str:
    text = _string(value)
    if problem := pattern_problem(text):
        raise ValueError(f"{text[:80]!r} {problem}")
    return text


def _path(value: Any) -> str:
    text = _string(value)
    if problem := path_problem(text):
        raise ValueError(f"{text[:80]!r}: {problem}")
    return text


def _folder(value: Any) -> str:
    text = _string(value)
    return "." if text in (".", "./") else _path(text.removesuffix("/"))


def _host_path(value: Any) -> str:
    text = _words(value)
    if not text.startswith(("/", "~/")) or ".." in text.split("/"):
        raise ValueError(f'{text[:80]!r} must be an absolute path, or begin with "~/", without `..`')
    return text


def _lent_path(value: Any) -> str:
    return _path(_string(value).removesuffix("/"))


def _regex(value: Any) -> str:
    text = _string(value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern that later versions may read otherwise is still one
            re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text[:80]!r} is no regular expression: {error}") from error
    return text


def _digest(value: Any) -> str:
    text = _string(value).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError("must be the 64 hexadecimal digits that `sha256sum FILE` prints")
    return text


def _duration(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f'must be a length of time, such as "90s" or "2m", found {shown(value)}')
    return parse_duration(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, found {shown(value)}")
    return value


def _url(value: Any) -> str:
    text = _words(value)
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        secret = parts.username is not None or parts.password is not None
    except ValueError:
        right, secret = False, False
    if not right or not text.isprintable() or " " in text:
        raise ValueError(f'{text[:80]!r} must be an address such as "http://127.0.0.1:8080/v1"')
    if secret:
        raise ValueError("must not hold a password: put the key into an environment variable and name it in key_env")
    return text


def _variable(value: Any) -> str:
    text = _words(value)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", text):
        raise ValueError(f"{text[:80]!r} must be the name of an environment variable, not its value")
    return text


def _opened(value: Any) -> PathClass:
    if isinstance(value, str) and value in NEVER_OPEN:
        raise ValueError('"vcs" is never open: benchdog alone writes what belongs to version control')
    found: PathClass = _choose(PathClass, value, without=NEVER_OPEN)
    return found


def _choose(choices: type[StrEnum], value: Any, *, without: Container[StrEnum] = ()) -> Any:
    words = [choice.value for choice in choices if choice not in without]
    if isinstance(value, str) and value in words:
        return choices(value)
    near = difflib.get_close_matches(value, words, n=1) if isinstance(value, str) else []
    right = f"did you mean {near[0]!r}?" if near else "one of " + ", ".join(repr(word) for word in words)
    raise ValueError(f"{shown(value)} is not known: {right}")


def shown(value: Any) -> str:
    """A value from a file, short enough for a message."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)[:60] if not isinstance(value, int) or abs(value) < 10**30 else "a huge number"


def integer(low: int, high: int) -> Kind:
    """A whole number in a range."""

    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, found {shown(value)}")
        return value

    return Kind(words="whole number", schema={"type": "integer", "minimum": low, "maximum": high}, parse=parse)


def number(low: float, high: float) -> Kind:
    """A number in a range."""

    def parse(value: Any) -> float:
        fine = isinstance(value, int | float) and not isinstance(value, bool)
        if not fine or not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}, found {shown(value)}")
        return float(value)

    return Kind(words="number", schema={"type": "number", "minimum": low, "maximum": high}, parse=parse)


def choice(choices: type[StrEnum]) -> Kind:
    words = [each.value for each in choices]
    return Kind(words=" or ".join(words), schema={"enum": words}, parse=lambda value: _choose(choices, value))


def _text_kind(words: str, parse: Callable[[Any], Any], **schema: Any) -> Kind:
    return Kind(words=words, schema={"type": "string", "minLength": 1, **schema}, parse=parse)


TEXT = _text_kind("text", _words)
CONTENT = _text_kind("text", _words)
COMMAND = _text_kind("shell line", _command)
NAME = _text_kind("name", _name, maxLength=60)
PATTERN = _text_kind("pattern", _pattern, description="gitignore syntax, from the repository's root")
PATH = _text_kind("path", _path, description="a plain path from the repository's root")
FOLDER = _text_kind("folder", _folder)
HOST_PATH = _text_kind("host path", _host_path)
LENT_PATH = _text_kind("path", _lent_path)
REGEX = _text_kind("regular expression", _regex, format="regex")
DIGEST = _text_kind("SHA-256", _digest, pattern="^[0-9a-fA-F]{64}$")
URL = _text_kind("address", _url, pattern="^https?://")
VARIABLE = _text_kind("variable name", _variable, pattern="^[A-Za-z_][A-Za-z0-9_]*$")
FLAG = Kind(words="true or false", schema={"type": "boolean"}, parse=_flag)
DURATION = Kind(
    words="time", schema={"anyOf": [{"type": "string"}, {"type": "number", "exclusiveMinimum": 0}]}, parse=_duration
)
OPENED = Kind(
    words="path class", schema={"enum": [kind.value for kind in PathClass if kind not in NEVER_OPEN]}, parse=_opened
)
EXPECT = choice(Expect)
WHEN = choice(When)
