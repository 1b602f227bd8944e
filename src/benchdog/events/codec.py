"""Events to and from plain JSON values.

An event becomes `{"kind": class name, **fields}`; nested values become objects, tuples become lists, enums their
value. Reading is strict: an unknown kind, a missing or an extra field, or a wrong type raises ValueError.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Hashable
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from benchdog.events.kinds import Event

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in typing.get_args(Event)}

Reader = Callable[[Any], Any]
T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Any domain value as JSON-ready plain data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    return value


def encode(event: Event) -> dict[str, Any]:
    """An event as a plain object; `decode` takes it back to an equal event."""
    return {"kind": type(event).__name__, **to_plain(event)}


def decode(plain: Any) -> Event:
    """The event that `encode` wrote. Raises ValueError for anything else."""
    if not isinstance(plain, dict):
        raise ValueError(f"expected an event, found {plain!r:.80}")
    body = dict(plain)
    name = body.pop("kind", None)
    if not isinstance(name, str) or name not in _KINDS:
        raise ValueError(f"unknown event kind {name!r:.80}")
    event: Event = _reader(cast(Hashable, _KINDS[name]))(body)
    return event


def from_plain(kind: type[T], plain: Any) -> T:
    """Plain data as a value of `kind` (a dataclass). Raises ValueError."""
    value: T = _reader(cast(Hashable, kind))(plain)
    return value


@cache
def _reader(hint: Any) -> Reader:
    """A function that turns plain data into a value of the annotated type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda plain: tuple(item(each) for each in _expect(plain, list, hint))
    if origin in (types.UnionType, typing.Union):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        some = _reader(inner)
        return lambda plain: None if plain is None else some(plain)
    if dataclasses.is_dataclass(hint):
        return _record_reader(typing.cast(type[Any], hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if hint is float:
        return _float
    return lambda plain: _expect(plain, hint, hint)


def _record_reader(kind: type[Any]) -> Reader:
    hints = typing.get_type_hints(kind)
    fields = {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}

    def read(plain: Any) -> Any:
        body = _expect(plain, dict, kind)
        if body.keys() != fields.keys():
            odd = sorted(body.keys() ^ fields.keys())
            raise ValueError(f"{kind.__name__}: fields {odd} are missing or unknown")
        return kind(**{name: reader(body[name]) for name, reader in fields.items()})

    return read


def _float(plain: Any) -> float:
    if type(plain) is float:
        return plain
    try:
        return float(_expect(plain, int, float))
    except OverflowError as error:
        raise ValueError(f"expected {float}, found an integer beyond its range") from error


def _expect(plain: Any, kind: Any, hint: Any) -> Any:
    if not isinstance(plain, kind) or (isinstance(plain, bool) and kind is not bool):
        raise ValueError(f"expected {hint}, found {plain!r:.80}")
    return plain
