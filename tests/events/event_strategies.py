"""Any event at all, drawn from the types themselves: a new kind or field is tested without a line here."""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import Enum
from typing import Any, cast

from hypothesis import strategies as st

from benchdog.events import Event

# What Python holds of file names that are not UTF-8: low surrogates alone. High ones never come from a file name.
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}
KINDS: tuple[type[Any], ...] = typing.get_args(Event)


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return st.lists(of_type(arguments[0]), max_size=3).map(tuple)
    if origin in (types.UnionType, typing.Union):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return st.none() | of_type(inner)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        fields = {field.name: of_type(hints[field.name]) for field in dataclasses.fields(hint)}
        return st.builds(cast(type[Any], hint), **fields)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return _PLAIN[hint]


def events() -> st.SearchStrategy[Event]:
    return st.one_of([of_type(kind) for kind in KINDS])
