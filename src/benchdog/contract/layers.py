"""How the layers add up: flags over the contract over the repository's file over the person's. Pure.

    limits                    the highest layer that names the key
    check, endpoint           by name, the highest layer that has it; the repository's come first
    open, classes, sandbox    together

A repository's file is not trusted: what widens in it (endpoints, opened classes, what is exposed, lent or passed
through) is inert until the person has accepted exactly that. `key_env` of a repository's endpoint is never used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from benchdog.contract.duration import format_duration
from benchdog.contract.read import SettingsFile
from benchdog.contract.values import (
    Check,
    Contract,
    EndpointSettings,
    Limits,
    PathClass,
    SandboxSettings,
    Settings,
)
from benchdog.contract.write import toml_value

T = TypeVar("T")

LIMITS = ("rounds", "turns", "wall")
_WIDENING_SANDBOX = ("expose", "lend", "environment")
_ENDPOINT_KEYS = ("url", "model", "key_env", "context", "temperature", "top_p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value in effect, as TOML, and where it comes from: `file:line`, a flag, or `default`."""

    key: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """One thing that a repository's file would widen. `line` is where it stands, None where it cannot be told."""

    key: str
    value: str
    line: int | None = None

    @property
    def text(self) -> str:
        """One line, as it is shown and compared."""
        return f"{self.key} = {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The settings in effect, each with its source, and what a repository's file asks for in vain."""

    settings: Settings
    rows: tuple[Row, ...]
    inert: tuple[Widening, ...] = ()


def widening(file: SettingsFile) -> tuple[Widening, ...]:
    """Everything in a repository's file that needs the person's trust, in a stable order."""
    settings, found = file.settings, []
    for index, endpoint in enumerate(settings.endpoints):
        for name in _ENDPOINT_KEYS:
            if (value := getattr(endpoint, name)) is not None:
                key = f"endpoint {toml_value(endpoint.name)} {name}"
                line = file.lines.get(f"endpoint[{index}].{name}", file.lines.get(f"endpoint[{index}]"))
                found.append(Widening(key=key, value=toml_value(value), line=line))
    for name in _WIDENING_SANDBOX:
        for index, value in enumerate(getattr(settings.sandbox, name)):
            line = file.lines.get(f"sandbox.{name}[{index}]")
            found.append(Widening(key=f"sandbox.{name}", value=toml_value(value), line=line))
    for index, kind in enumerate(settings.open):
        found.append(Widening(key="open", value=toml_value(kind.value), line=file.lines.get(f"open[{index}]")))
    return tuple(sorted(found, key=lambda each: each.text))


def widening_hash(found: Iterable[Widening]) -> str:
    """What the person accepts: the same for the same widening, wherever in the file it stands."""
    texts = sorted({each.text for each in found})
    return hashlib.sha256(json.dumps(texts).encode("ascii")).hexdigest()


def merge(person: SettingsFile | None, repository: SettingsFile | None, *, trusted: bool) -> Merged:
    """The settings in effect. `trusted`: the person has accepted exactly what the repository's file widens."""
    inert = widening(repository) if repository and not trusted else ()
    layers = _Layers([file for file in (_usable(repository, trusted=trusted), person) if file])
    settings = Settings(
        endpoints=layers.endpoints(),
        checks=layers.checks(),
        open=layers.together("open", lambda settings: settings.open),
        classes={kind: found for kind in PathClass if (found := layers.patterns(kind))},
        sandbox=SandboxSettings(
            expose=layers.together("sandbox.expose", lambda settings: settings.sandbox.expose),
            fresh=layers.together("sandbox.fresh", lambda settings: settings.sandbox.fresh),
            lend=layers.together("sandbox.lend", lambda settings: settings.sandbox.lend),
            environment=layers.together("sandbox.environment", lambda settings: settings.sandbox.environment),
        ),
        limits=layers.limits(),
    )
    return Merged(settings=settings, rows=tuple(layers.rows), inert=inert)


class _Layers:
    """Files from the highest layer to the lowest; each question that is answered adds its rows."""

    def __init__(self, files: list[SettingsFile]) -> None:
        self._files = files
        self.rows: list[Row] = []

    def endpoints(self) -> tuple[EndpointSettings, ...]:
        taken: dict[str, EndpointSettings] = {}
        for file in self._files:
            for index, endpoint in enumerate(file.settings.endpoints):
                if taken.setdefault(endpoint.name, endpoint) is endpoint:
                    value = toml_value(endpoint.url)
                    self._row(f"endpoint {toml_value(endpoint.name)}", value, file, f"endpoint[{index}]")
        return tuple(taken.values())

    def checks(self) -> tuple[Check, ...]:
        taken: dict[str, Check] = {}
        for file in self._files:
            for index, check in enumerate(file.settings.checks):
                if taken.setdefault(check.name, check) is check:
                    self._row(f"check {toml_value(check.name)}", toml_value(check.run), file, f"check[{index}]")
        return tuple(taken.values())

    def patterns(self, kind: PathClass) -> tuple[str, ...]:
        return self.together(f"classes.{kind.value}", lambda settings: settings.classes.get(kind, ()))

    def together(self, key: str, part: Callable[[Settings], tuple[T, ...]]) -> tuple[T, ...]:
        found: dict[T, None] = {}
        for file in self._files:
            if values := part(file.settings):
                found.update(dict.fromkeys(values))
                self._row(key, toml_value(tuple(str(value) for value in values)), file, key)
        return tuple(found)

    def limits(self) -> Limits:
        values = {}
        for name in LIMITS:
            key = f"limits.{name}"
            file = next((file for file in self._files if key in file.lines), None)
            values[name] = getattr(file.settings.limits if file else Limits(), name)
            shown = format_duration(values[name]) if name == "wall" else values[name]
            if file:
                self._row(key, toml_value(shown), file, key)
            else:
                self.rows.append(Row(key=key, value=toml_value(shown), source="default"))
        return Limits(**values)

    def _row(self, key: str, value: str, file: SettingsFile, place: str) -> None:
        line = file.lines.get(place)
        self.rows.append(Row(key=key, value=value, source=f"{file.file}:{line}" if line else file.file))


def _usable(file: SettingsFile | None, *, trusted: bool) -> SettingsFile | None:
    """A repository's file without what may not hold: all that widens until it is trusted, and API keys ever."""
    if file is None:
        return None
    settings = file.settings
    if trusted:
        endpoints = tuple(replace(endpoint, key_env=None) for endpoint in settings.endpoints)
        return replace(file, settings=replace(settings, endpoints=endpoints))
    sandbox = replace(settings.sandbox, **dict.fromkeys(_WIDENING_SANDBOX, ()))
    return replace(file, settings=replace(settings, endpoints=(), open=(), sandbox=sandbox))


def apply_settings(contract: Contract, settings: Settings, given: Container[str]) -> Contract:
    """The contract with what the settings add. `given` holds the keys that it names itself, such as `limits.rounds`.

    Default checks are added unless the contract has one of that name or that runs the same in the same place; of
    such a one a check that says nothing but its command takes the rest. Opened classes are opened in it too.
    """
    limits = {name: getattr(contract.limits if f"limits.{name}" in given else settings.limits, name) for name in LIMITS}
    known = {(check.run, check.cwd): check for check in reversed(settings.checks)}
    checks = tuple(_completed(check, known.get((check.run, check.cwd))) for check in contract.checks)
    names, commands = {check.name for check in checks}, {(check.run, check.cwd) for check in checks}
    added = tuple(
        check for check in settings.checks if check.name not in names and (check.run, check.cwd) not in commands
    )
    opened = tuple(dict.fromkeys((*contract.scope.open, *settings.open)))
    return replace(
        contract,
        scope=replace(contract.scope, open=opened),
        checks=(*checks, *added),
        limits=Limits(**limits),
    )


def _completed(check: Check, known: Check | None) -> Check:
    """A check that only names its command, with what the settings say of that command."""
    bare = Check(name=check.name, run=check.run, cwd=check.cwd, witness=check.witness)
    if known is None or check != bare:
        return check
    return replace(known, name=check.name, witness=known.witness if check.witness is None else check.witness)
