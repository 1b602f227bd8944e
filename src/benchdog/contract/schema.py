"""JSON Schema (2020-12) of contracts and settings files, from the table of keys: editors complete and check by it."""

from __future__ import annotations

from typing import Any

from benchdog.contract.keys import CONTRACT, SETTINGS, Form, Key, Table

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def contract_schema() -> dict[str, Any]:
    """The schema of a contract file."""
    return _form_schema(CONTRACT)


def settings_schema() -> dict[str, Any]:
    """The schema of `benchdog.toml` and of the person's `config.toml`."""
    return _form_schema(SETTINGS)


def _form_schema(form: Form) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for table in form.tables:
        if not table.name:
            properties |= {key.name: _key_schema(key) for key in table.keys}
            required += [key.name for key in table.keys if key.required]
        else:
            properties[table.name] = _named_schema(table)
    return {"$schema": _DIALECT, "title": form.title, **_object(properties, required)}


def _named_schema(table: Table) -> dict[str, Any]:
    body = _object({key.name: _key_schema(key) for key in table.keys}, [key.name for key in table.keys if key.required])
    if table.many:
        return {"type": "array", "description": table.meaning, "items": body}
    return {"description": table.meaning, **body}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return schema | ({"required": required} if required else {})


def _key_schema(key: Key) -> dict[str, Any]:
    default = f" Default: {key.default}." if key.default else ""
    return {**key.kind.schema, "description": key.meaning + default}
