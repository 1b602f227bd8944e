"""The contract and the settings as frozen values. No I/O, no parsing: `read.py` makes these from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PathClass(StrEnum):
    """A kind of path that stays closed inside an allow glob unless it is opened on purpose."""

    DEPENDENCIES = "dependencies"
    CONFIG = "config"
    CI = "ci"
    GENERATED = "generated"
    MIGRATIONS = "migrations"
    TESTS = "tests"
    DOCS = "docs"
    SECRETS = "secrets"
    VCS = "vcs"
    AUTORUN = "autorun"


class Expect(StrEnum):
    """What a check must show: all green, or per test id nothing worse than the base."""

    GREEN = "green"
    NO_WORSE = "no-worse"


class When(StrEnum):
    """How often a check runs while the worker works. Every check runs whole before the verdict."""

    REPLY = "reply"
    ROUND = "round"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which paths may change and which may be seen. Patterns are gitignore syntax, relative to the root.

    `max_lines` counts added plus removed lines; None: no limit.
    """

    allow: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    open: tuple[PathClass, ...] = ()
    max_files: int | None = None
    max_lines: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    """A path that must exist at the end, exactly so spelled. At most one requirement on its content is usual."""

    path: str
    contains: str | None = None
    matches: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A command that must exit 0. `run` is a shell line; `timeout` is in seconds; `cwd` is below the root.

    `witness` None: not said; a goal with exactly one red check marks that one.
    `when` None: decided from the time that the baseline took.
    """

    name: str
    run: str
    timeout: float = 120.0
    expect: Expect = Expect.GREEN
    witness: bool | None = None
    when: When | None = None
    cwd: str = "."
    git: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a run stops by itself. `wall` is model time in seconds; `turns` are replies a round."""

    rounds: int = 3
    turns: int = 20
    wall: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The task: what is wanted, what may change, what must hold at the end."""

    goal: str
    scope: Scope = field(default_factory=Scope)
    deliver: tuple[Deliverable, ...] = ()
    checks: tuple[Check, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """A server that serves models. `key_env` names the environment variable that holds its API key.

    `context` overrides the context length in tokens where the server does not tell it.
    """

    name: str = "default"
    url: str
    model: str | None = None
    key_env: str | None = None
    context: int | None = None
    temperature: float | None = None
    top_p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What a person widens or narrows for checks. Paths in `expose` are host paths, `~` allowed.

    `fresh`: ignored paths that are not lent. `lend`: ignored paths lent beyond the default.
    `environment`: names of variables passed through to checks.
    """

    expose: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    lend: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a repository's `benchdog.toml` and the person's `config.toml` hold between contracts.

    `classes` adds gitignore patterns to a path class. `checks` are the default checks of contracts.
    """

    endpoints: tuple[EndpointSettings, ...] = ()
    checks: tuple[Check, ...] = ()
    open: tuple[PathClass, ...] = ()
    classes: Mapping[PathClass, tuple[str, ...]] = field(default_factory=dict)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    limits: Limits = field(default_factory=Limits)
