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
_TRUE = {"true": True, "false": False}


def parse_object(text: str, tool: Tool | None = None) -> dict[str, Any] | None:
    """The JSON object that `text` is; None where it is none and no guarded repair makes it one. Never raises.

    What was repaired must consist of arguments of `tool` alone: a part of a value may have become a name.
    """
    text = _without_fence(text.strip())
    if not text:
        return {}
    value = _decoded(text)
    if isinstance(value, str) and value.strip().startswith("{"):
        value = _decoded(value)
    if value is None:
        value = _repaired(text)
        if tool is not None and isinstance(value, dict) and not _all_known(value, tool):
            return None
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


def _all_known(value: Mapping[str, Any], tool: Tool) -> bool:
    properties = tool.parameters.get("properties", {})
    named = _named(_unwrapped(value, properties), properties)
    return set(named) <= set(properties)


def fit(arguments: Mapping[str, Any], tool: Tool) -> dict[str, Any] | str:
    """The arguments as the schema wants them, or what is wrong with them in words for a model.

    Arguments that the schema does not know stay as they are: they say nothing to the tool.
    """
    properties: Mapping[str, Mapping[str, Any]] = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    values = _named(_unwrapped(arguments, properties), properties)
    for name, schema in properties.items():
        if name not in values:
            continue
        kinds = _kinds(schema)
        value = _coerced(values.pop(name), kinds)
        if value is not _MISFIT:
            values[name] = value
        elif name in required:
            return f"{tool.name}: `{name}` must be of type {' or '.join(kinds)}"
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
    """Arguments under the schema's names: exact, without case and separators, or by a listed alias."""
    named = {name: arguments[name] for name in properties if name in arguments}
    rest = {folded(name): name for name in arguments if name not in properties}
    for name in properties:
        for key in (folded(name), *PARAMETER_ALIASES.get(name, "").split()):
            if name not in named and key in rest:
                named[name] = arguments[rest.pop(key)]
    return named | {name: arguments[name] for name in rest.values()}


_MISFIT = object()


def _kinds(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The JSON types that a schema lets through; none where it says nothing."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return tuple(str(each) for each in kind)
    if isinstance(kind, str):
        return (kind,)
    options = schema.get("anyOf") or schema.get("oneOf") or ()
    return tuple(each for option in options if isinstance(option, Mapping) for each in _kinds(option))


def _coerced(value: Any, kinds: tuple[str, ...]) -> Any:
    """A value as the first type that it fits, in the order null, integer, number, boolean, object, array, string."""
    if not kinds:
        return value
    fitting = (_COERCIONS[kind](value) for kind in _COERCIONS if kind in kinds)
    return next((each for each in fitting if each is not _MISFIT), _MISFIT)


def _null(value: Any) -> Any:
    return None if value is None or value == "null" else _MISFIT


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        return _MISFIT
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,12}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else _MISFIT


def _number(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(
        r"\s*[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?\s*", value
    ):
        number = float(value)
        return int(number) if number.is_integer() and "." not in value else number
    return value if isinstance(value, int | float) and not isinstance(value, bool) else _MISFIT


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else _TRUE.get(str(value).strip().lower(), _MISFIT)


def _object(value: Any) -> Any:
    inner = _decoded(value.strip()) if isinstance(value, str) else value
    return inner if isinstance(inner, dict) else _MISFIT


def _array(value: Any) -> Any:
    inner = _decoded(value.strip()) if isinstance(value, str) else value
    return inner if isinstance(inner, list) else _MISFIT


def _string(value: Any) -> Any:
    """Models send numbers, and contents as lists of lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return "\n".join(each.removesuffix("\n") for each in value)
    return _MISFIT


_COERCIONS: dict[str, Callable[[Any], Any]] = {
    "null": _null,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "object": _object,
    "array": _array,
    "string": _string,
}
