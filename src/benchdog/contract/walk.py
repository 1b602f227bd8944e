"""From a file's bytes to checked plain values, by the table of keys; every problem with its line.

Nothing is trusted: size, encoding, syntax, depth, types, unknown keys. No file raises anything but ContractError.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from benchdog.contract.keys import Form, Key, Table
from benchdog.contract.kinds import shown
from benchdog.contract.locate import KeyPath, locate
from benchdog.errors import ContractError, Problem

MAX_BYTES = 1_000_000
MAX_PROBLEMS = 100  # a file with more than that is not the file that the person meant
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")

Values = dict[str, Any]


class Reading:
    """What is being read of one file: values found so far, and what is wrong with it."""

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self._wrong: set[KeyPath] = set()

    def wrong(self, path: KeyPath, message: str) -> None:
        """Notes a problem at a key, unless one at it or below it is noted already."""
        if len(self.problems) >= MAX_PROBLEMS or any(path == known[: len(path)] for known in self._wrong):
            return
        self._wrong.add(path)
        self.problems.append(Problem(file=self.file, line=self._line(path), key=key_text(path), message=message))

    def end(self) -> None:
        """Raises ContractError where anything is wrong, in the order of the file."""
        if self.problems:
            raise ContractError(tuple(sorted(self.problems, key=lambda problem: problem.line or 0)))

    def given(self) -> Mapping[str, int]:
        """The line of each key, by its text."""
        return {key_text(path): line for path, line in self.lines.items()}

    def _line(self, path: KeyPath) -> int | None:
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


def read_form(data: bytes, file: str, form: Form) -> tuple[Values, Reading]:
    """The values by table name: a dict, or a list of dicts for an array of tables; only keys that are there and right.

    Raises ContractError at once where the text is no TOML; other problems wait in the reading for its `end`.
    """
    plain, lines = _parse(data, file)
    reading = Reading(file, lines)
    values: Values = {}
    tables = {table.name: table for table in form.tables}
    top = tables.pop("", None)
    for name, table in tables.items():
        values[name] = _read_table(plain.pop(name), table, form, reading) if name in plain else [] if table.many else {}
    if top:
        values[""] = _read_keys(plain, top, (), form, reading, others=tuple(tables))
    return values, reading


def key_text(path: KeyPath) -> str:
    """`check[1].timeout`; indices count from 0. Only what can be shown, cut where it is long."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            word = part if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", part) else repr(part[:60])
            text += f".{word}" if text else word
    return text


def _parse(data: bytes, file: str) -> tuple[Values, Mapping[KeyPath, int]]:
    if len(data) > MAX_BYTES:
        raise _broken(file, None, f"is {len(data)} bytes: a file of settings has at most {MAX_BYTES}")
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    try:
        return tomllib.loads(text), locate(text)
    except RecursionError:
        raise _broken(file, None, "is nested too deeply") from None
    except ValueError as error:  # also what int() says of numbers with thousands of digits
        said = str(error)
        found = _AT_LINE.search(said)
        line = int(found[1]) if found else text.count("\n") + 1 if "end of document" in said else None
        message = re.sub(r" \(at .*\)$", "", said)
        raise _broken(file, line, f"is no TOML: {message[:200]}") from error


def _broken(file: str, line: int | None, message: str) -> ContractError:
    return ContractError((Problem(file=file, line=line, key="", message=message),))


def _read_table(plain: Any, table: Table, form: Form, reading: Reading) -> Any:
    path: KeyPath = (table.name,)
    if not table.many:
        if isinstance(plain, dict):
            return _read_keys(plain, table, path, form, reading)
        reading.wrong(path, f"is a table: write `{table.head}` on a line of its own, its keys below")
        return {}
    if not isinstance(plain, list) or not all(isinstance(item, dict) for item in plain):
        reading.wrong(path, f"is a list of tables: write `{table.head}` above each, its keys below")
        return []
    return [_read_keys(item, table, (*path, index), form, reading) for index, item in enumerate(plain)]


def _read_keys(
    plain: Values, table: Table, path: KeyPath, form: Form, reading: Reading, *, others: tuple[str, ...] = ()
) -> Values:
    keys = {key.name: key for key in table.keys}
    values: Values = {}
    for name, value in plain.items():
        if name in keys:
            _read_value(value, keys[name], (*path, name), values, reading)
        else:
            reading.wrong((*path, name), _unknown(name, table, form, (*keys, *others)))
    for key in table.keys:
        if key.required and key.name not in plain:
            reading.wrong((*path, key.name), f"is missing: {key.kind.words}. {key.meaning}")
    return values


def _read_value(value: Any, key: Key, path: KeyPath, values: Values, reading: Reading) -> None:
    if not key.kind.many:
        try:
            values[key.name] = key.kind.parse(value)
        except ValueError as error:
            reading.wrong(path, str(error))
        return
    if not isinstance(value, list):
        reading.wrong(path, f"must be a list, such as [{_sample(value)}], found {shown(value)}")
        return
    items = []
    for index, item in enumerate(value):
        try:
            items.append(key.kind.parse(item))
        except ValueError as error:
            reading.wrong((*path, index), str(error))
    values[key.name] = tuple(items)


def _sample(value: Any) -> str:
    return repr(value)[:60].replace("'", '"') if isinstance(value, str) else '"…"'


def _unknown(name: str, table: Table, form: Form, known: tuple[str, ...]) -> str:
    full = f"{table.name}.{name}" if table.name else name
    if full in form.elsewhere:
        return form.elsewhere[full]
    near = difflib.get_close_matches(name[:60], known, n=1, cutoff=0.5)
    if near:
        return f"is not known: did you mean `{near[0]}`?"
    for other in form.tables:
        if other.name != table.name and any(key.name == name for key in other.keys):
            return f"belongs below a line `{other.head}`" if other.head else "belongs at the top of the file"
    return "is not known here: " + ", ".join(f"`{word}`" for word in known)
