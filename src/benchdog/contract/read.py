"""Contracts and settings files as values: the one border at which their text becomes typed.

A file is either right as a whole or it raises ContractError with every problem: file, line, key, what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchdog.contract.keys import CONTRACT, SETTINGS
from benchdog.contract.rules import contract_problems, duplicates, with_deliverables
from benchdog.contract.values import (
    Check,
    Contract,
    Deliverable,
    EndpointSettings,
    Limits,
    PathClass,
    SandboxSettings,
    Scope,
    Settings,
)
from benchdog.contract.walk import Reading, Values, read_form


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFile:
    """A contract and where its keys stand: `lines` by key text, such as `limits.rounds` or `check[0].run`."""

    file: str
    contract: Contract
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """One file of settings and where its keys stand. A key that is not in `lines` was not given."""

    file: str
    settings: Settings
    lines: Mapping[str, int]


def read_contract(data: bytes, file: str) -> Contract:
    """The contract in `data`; `file` is its name in messages. Raises ContractError."""
    return read_contract_file(data, file).contract


def read_contract_file(data: bytes, file: str) -> ContractFile:
    """The contract with the lines of its keys. Raises ContractError."""
    values, reading = read_form(data, file, CONTRACT)
    contract = Contract(
        goal=values[""].get("goal", ""),
        scope=Scope(**values["scope"]),
        deliver=_records(Deliverable, values["deliver"], ("path",)),
        checks=_checks(values),
        limits=Limits(**values["limits"]),
    )
    _check_rules(contract, values, reading)
    reading.end()
    return ContractFile(file=file, contract=with_deliverables(contract), lines=reading.given())


def read_settings(data: bytes, file: str) -> SettingsFile:
    """A `benchdog.toml` or the person's `config.toml`. Raises ContractError."""
    values, reading = read_form(data, file, SETTINGS)
    for table in ("check", "endpoint"):
        for path, message in duplicates(table, _names(values[table], "default" if table == "endpoint" else "")):
            reading.wrong(path, message)
    reading.end()
    settings = Settings(
        endpoints=_records(EndpointSettings, values["endpoint"], ("url",)),
        checks=_checks(values),
        open=values[""].get("open", ()),
        classes={PathClass(name): patterns for name, patterns in values["classes"].items()},
        sandbox=SandboxSettings(**values["sandbox"]),
        limits=Limits(**values["limits"]),
    )
    return SettingsFile(file=file, settings=settings, lines=reading.given())


def _check_rules(contract: Contract, values: Values, reading: Reading) -> None:
    """Only while nothing else is wrong with what a rule looks at: else it would speak of what was left out."""
    whole = len(contract.deliver) == len(values["deliver"]) and len(contract.checks) == len(values["check"])
    if whole:
        for path, message in contract_problems(contract):
            reading.wrong(path, message)


def _checks(values: Values) -> tuple[Check, ...]:
    return _records(Check, values["check"], ("name", "run"))


def _records(kind: type[Any], tables: list[Values], required: tuple[str, ...]) -> tuple[Any, ...]:
    """Those tables as values that have what they need; what is missing has been noted already."""
    return tuple(kind(**table) for table in tables if all(name in table for name in required))


def _names(tables: list[Values], default: str) -> tuple[str, ...]:
    return tuple(table.get("name", default) or f"#{index}" for index, table in enumerate(tables))
