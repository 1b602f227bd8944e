"""From the text of a call's arguments to values that fit the tool's schema, or the reason why not. Pure.

JSON first, then JSON with raw control characters in strings, then a repair under guard: it is accepted only where
the text is whole and nothing of it is lost or made up, so that no half of a replacement is ever written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from benchdog.models.values import Tool
from benchdog.worker.tools import PARAMETER_ALIASES, folded

MAX_REPAIR = 200_000  # characters; what is longer and malformed is not worth the time
_TRAILER = re.compile(r"(?:\s|</?[a-z_|]{1,40}>|<\|[a-z_]{1,40}\|>|;)*", re.IGNORECASE)
_STRUCTURE = re.compile(r"\\[\"'\\/bfnrt]|[\s\"',:\\]")
_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')
_WRAPPERS = ("arguments", "parameters", "args", "input", "kwargs")
_TRUE = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def parse_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is; None where it is none and no guarded repair makes it one. Never raises."""
    text = _without_fence(text.strip())
    if not text:
        return {}
    value = _decoded(text)
    if isinstance(value, str) and value.strip().startswith("{"):
        value = _decoded(value)
    if value is None:
        value = _repaired(text)
    return value if isinstance(value, dict) else None


def _decoded(text: str) -> Any:
    """Strict JSON but for raw control characters; after it only closing tags and special tokens."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if _TRAILER.fullmatch(text, end) else None


def _repaired(text: str) -> Any:
    if len(text) > MAX_REPAIR or text[:1] != "{":
        return None
    import json_repair  # noqa: PLC0415 - only malformed replies pay for the import

    try:
        value = json_repair.loads(text, skip_json_loads=True)
        shown = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError, TypeError, IndexError, KeyError, AttributeError):
        return None
    if not isinstance(value, dict) or not _kept_all(text, shown):
        return None
    return value if all(_stands_in(each, text) for each in _strings(value)) else None


def _kept_all(text: str, shown: str) -> bool:
    """Whether the text was whole, and the repair lost and made up nothing but quotes, white space, commas and colons.

    An odd number of quotes, or no bracket at the end, is a text that was cut.
    """
    if not text.endswith("}") or len(_QUOTE.findall(text)) % 2:
        return False
    return _STRUCTURE.sub("", text) == _STRUCTURE.sub("", shown)


def _strings(value: dict[str, Any]) -> list[str]:
    found: list[str] = []
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return found


def _stands_in(value: str, text: str) -> bool:
    """Whether a string stands in the text literally: as it is, or as JSON would write it."""
    escaped = json.dumps(value, ensure_ascii=False)[1:-1]
    return value in text or escaped in text or json.dumps(value)[1:-1] in text or escaped.replace('\\"', '"') in text


def _without_fence(text: str) -> str:
    if not text.startswith("```") or not text.endswith("```") or "\n" not in text:
        return text
    return text[text.index("\n") + 1 : -3].strip()


def fit(arguments: Mapping[str, Any], tool: Tool) -> dict[str, Any] | str:
    """The arguments as the schema wants them, or what is wrong with them in words for a model."""
    properties: Mapping[str, Mapping[str, Any]] = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    given = _named(_unwrapped(arguments, properties), properties)
    values: dict[str, Any] = {}
    for name, schema in properties.items():
        if given.get(name) is None:
            continue
        value = _coerced(given[name], str(schema.get("type", "string")))
        if value is not None:
            values[name] = value
        elif name in required:
            return f"{tool.name}: `{name}` must be of type {schema.get('type', 'string')}"
    missing = [name for name in required if name not in values]
    if missing:
        return f"{tool.name} needs " + " and ".join(f"`{name}`" for name in missing)
    return values


def _unwrapped(arguments: Mapping[str, Any], properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Some models put the arguments into one more object."""
    if len(arguments) == 1:
        ((name, inner),) = arguments.items()
        if isinstance(inner, dict) and name in _WRAPPERS and name not in properties:
            return inner
    return arguments


def _named(arguments: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments under the schema's names: exact, without case and separators, or a listed alias. Others are dropped."""
    named = {name: arguments[name] for name in properties if name in arguments}
    rest = {folded(name): value for name, value in arguments.items() if name not in properties}
    for name in properties:
        keys = (folded(name), *PARAMETER_ALIASES.get(name, "").split())
        for key in keys:
            if name not in named and key in rest:
                named[name] = rest.pop(key)
    return named


def _coerced(value: Any, kind: str) -> Any:
    """A value as the schema's type, or None where it cannot be."""
    return _COERCIONS.get(kind, _as_is)(value)


def _as_is(value: Any) -> Any:
    return value


def _string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return "\n".join(each.removesuffix("\n") for each in value)
    return None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,12}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _TRUE.get(str(value).strip().lower())


_COERCIONS: dict[str, Callable[[Any], Any]] = {"string": _string, "integer": _integer, "boolean": _boolean}
