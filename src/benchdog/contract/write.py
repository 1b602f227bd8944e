"""A contract as canonical TOML: equal contracts give equal text, and reading it gives the contract back.

What is left out is what the file means without it; limits and time-outs are always written, so that the text keeps
its meaning should a default ever change. Names that are not UTF-8 are held as surrogate escapes: encode the text with
`surrogateescape`.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchdog.contract.duration import format_duration
from benchdog.contract.values import Check, Contract, Deliverable, Limits, Scope

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
Value = str | int | float | bool | Iterable[str] | None


def write_contract(contract: Contract) -> str:
    """The contract's canonical text."""
    tables = [_table("", {"goal": contract.goal}), _scope(contract.scope)]
    tables += [_deliver(deliverable) for deliverable in contract.deliver]
    tables += [write_check(check) for check in contract.checks]
    tables.append(_limits(contract.limits))
    return "\n".join(tables)


def write_check(check: Check) -> str:
    """One `[[check]]` table."""
    return _table(
        "[[check]]",
        {
            "name": check.name,
            "run": check.run,
            "timeout": format_duration(check.timeout),
            "expect": check.expect.value,
            "witness": check.witness,
            "when": check.when.value if check.when else None,
            "cwd": check.cwd if check.cwd != "." else None,
            "git": check.git or None,
        },
    )


def toml_string(text: str) -> str:
    """`text` as a basic string on one line."""
    return '"' + "".join(_ESCAPES.get(c) or (c if _may_stand(c) else f"\\u{ord(c):04x}") for c in text) + '"'


def _may_stand(character: str) -> bool:
    return character >= " " and character != "\x7f"


def _scope(scope: Scope) -> str:
    return _table(
        "[scope]",
        {
            "allow": scope.allow,
            "read": scope.read or None,
            "open": tuple(kind.value for kind in scope.open) or None,
            "max_files": scope.max_files,
            "max_lines": scope.max_lines,
        },
    )


def _deliver(deliverable: Deliverable) -> str:
    keys: dict[str, Value] = {name: getattr(deliverable, name) for name in ("path", "contains", "matches", "sha256")}
    return _table("[[deliver]]", keys)


def _limits(limits: Limits) -> str:
    return _table("[limits]", {"rounds": limits.rounds, "turns": limits.turns, "wall": format_duration(limits.wall)})


def _table(head: str, keys: dict[str, Value]) -> str:
    lines = [head] if head else []
    lines += [f"{key} = {toml_value(value)}" for key, value in keys.items() if value is not None]
    return "\n".join(lines) + "\n"


def toml_value(value: Value) -> str:
    """A value on one line; a sequence becomes a list of strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return toml_string(value)
    return "[" + ", ".join(toml_string(item) for item in value or ()) + "]"
