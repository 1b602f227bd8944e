"""The report's published JSON Schema, generated from the report's own types, so that the two cannot differ."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from enum import Enum
from typing import Any

from benchdog.ledger.account import FORM, Report

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `report.json`."""
    definitions: dict[str, Any] = {}
    _definition(Report, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"The report of a run ({FORM})",
        "$ref": "#/$defs/Report",
        "$defs": definitions,
    }


def _definition(kind: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A reference to the schema of a dataclass, which is added to the definitions."""
    name = kind.__name__
    if name not in definitions:
        schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
        definitions[name] = schema
        hints = typing.get_type_hints(kind)
        fields = [field.name for field in dataclasses.fields(kind)]
        schema["description"] = _words(kind)
        schema["properties"] = {field: _schema(hints[field], definitions) for field in fields}
        schema["required"] = fields
    return {"$ref": f"#/$defs/{name}"}


def _words(kind: type[Any]) -> str:
    """What a person wrote about it: a dataclass without a docstring gets its signature, which says nothing here."""
    words = " ".join((inspect.getdoc(kind) or "").split())
    return kind.__name__ if not words or words.startswith(f"{kind.__name__}(") else words


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin in (types.UnionType, typing.Union):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return {"anyOf": [_schema(inner, definitions), {"type": "null"}]}
    if dataclasses.is_dataclass(hint):
        return _definition(typing.cast(type[Any], hint), definitions)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return {"type": _PLAIN[hint]}
