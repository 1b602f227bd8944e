"""A contract from command-line values: the same kinds, rules and messages as a file, with the flag as the place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from benchdog.contract import kinds
from benchdog.contract.kinds import Kind
from benchdog.contract.locate import KeyPath
from benchdog.contract.naming import name_check
from benchdog.contract.read import ContractFile
from benchdog.contract.rules import contract_problems, with_deliverables
from benchdog.contract.values import Check, Contract, Deliverable, Limits, Scope
from benchdog.errors import ContractError, Problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What was typed. `deliver` is PATH or PATH=TEXT: the file must exist, and contain the text. The first `=` divides;
    a path that has one in it needs a contract file. `wall` is a length of time, such as 15m.
    """

    goal: str | None = None
    allow: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    deliver: tuple[str, ...] = ()
    max_files: int | None = None
    max_lines: int | None = None
    rounds: int | None = None
    turns: int | None = None
    wall: str | None = None


def contract_from_flags(flags: Flags, *, root: str = "", need_scope: bool = True) -> ContractFile:
    """The contract that the flags make. Absolute paths below `root` are taken from there.

    `need_scope` False: nothing allowed is no problem yet (a scope will be proposed). Raises ContractError.
    """
    empty = ContractFile(file="the command line", contract=Contract(goal=""), lines={})
    return with_flags(empty, flags, root=root, need_scope=need_scope)


def with_flags(file: ContractFile, flags: Flags, *, root: str = "", need_scope: bool = True) -> ContractFile:
    """A contract under flags: what a flag says replaces what the contract says; a check only the one of its name.

    `lines` of the result names no line for what a flag gave: 0. Raises ContractError with every problem.
    """
    reader = _Reader(root)
    contract = reader.contract(file.contract, flags)
    if not reader.problems:
        reader.rules(contract, need_scope=need_scope)
    if reader.problems:
        raise ContractError(tuple(reader.problems))
    given = {f"limits.{name}": 0 for name in ("rounds", "turns", "wall") if getattr(flags, name) is not None}
    return replace(file, contract=with_deliverables(contract), lines={**file.lines, **given})


def widened(contract: Contract, allow: tuple[str, ...], *, root: str = "") -> Contract:
    """The contract with more that may change: what a person answers with `--allow`. Raises ContractError."""
    added = with_flags(ContractFile(file="", contract=contract, lines={}), Flags(allow=allow), root=root)
    together = tuple(dict.fromkeys((*contract.scope.allow, *added.contract.scope.allow)))
    return replace(contract, scope=replace(contract.scope, allow=together))


class _Reader:
    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/" if root else ""
        self.problems: list[Problem] = []

    def contract(self, base: Contract, flags: Flags) -> Contract:
        deliver = tuple(found for text in flags.deliver if (found := self._deliverable(text)))
        return replace(
            base,
            goal=base.goal if flags.goal is None else self._one("GOAL", kinds.TEXT, flags.goal, base.goal),
            scope=self._scope(base.scope, flags),
            deliver=deliver or base.deliver,
            checks=self._checks(base.checks, flags.checks),
            limits=self._limits(base.limits, flags),
        )

    def rules(self, contract: Contract, *, need_scope: bool) -> None:
        for path, message in contract_problems(contract):
            nothing = path == ("scope", "allow")
            if need_scope or not nothing:
                text = "nothing may change: name the files, such as --allow src/app.py" if nothing else message
                self._wrong(_FLAGS.get(path[:2], _FLAGS.get(path[:1], "GOAL")), text)
        if not contract.goal.strip():
            self._wrong("GOAL", 'is missing: say what is wanted, such as "ops.add must add, not subtract"')

    def _scope(self, base: Scope, flags: Flags) -> Scope:
        allow = tuple(self._pattern(pattern) for pattern in flags.allow)
        read = tuple(self._pattern(pattern) for pattern in flags.read)
        return Scope(
            allow=self._many("--allow", kinds.PATTERN, allow) or base.allow,
            read=self._many("--read", kinds.PATTERN, read) or base.read,
            open=self._many("--open", kinds.OPENED, flags.open) or base.open,
            max_files=self._number("--max-files", kinds.integer(1, 10**6), flags.max_files, base.max_files),
            max_lines=self._number("--max-lines", kinds.integer(1, 10**9), flags.max_lines, base.max_lines),
        )

    def _limits(self, base: Limits, flags: Flags) -> Limits:
        return Limits(
            rounds=self._number("--rounds", kinds.integer(1, 100), flags.rounds, base.rounds),
            turns=self._number("--turns", kinds.integer(1, 1000), flags.turns, base.turns),
            wall=self._number("--wall", kinds.DURATION, flags.wall, base.wall),
        )

    def _checks(self, base: tuple[Check, ...], commands: Iterable[str]) -> tuple[Check, ...]:
        new: dict[str, Check] = {}
        for command in commands:
            if run := self._one("--check", kinds.COMMAND, command, ""):
                name = name_check(run, new)
                new[name] = Check(name=name, run=run)
        return (*(check for check in base if check.name not in new), *new.values())

    def _deliverable(self, text: str) -> Deliverable | None:
        path, _, wanted = text.partition("=")
        found = self._one("--deliver", kinds.PATH, self._from_root(path), "")
        if found and "=" in text and not wanted:
            self._wrong("--deliver", f"{text!r} names no text: write PATH, or PATH=TEXT that it must contain")
        return Deliverable(path=found, contains=wanted or None) if found else None

    def _from_root(self, path: str) -> str:
        """As seen from the root: absolute paths below it, and `./`, are what people's shells complete."""
        if self._root and path.startswith(self._root):
            return path[len(self._root) :]
        return path[2:] if path.startswith("./") and len(path) > 2 else path

    def _pattern(self, typed: str) -> str:
        """`./x.py` is that file and no other; a bare `x.py` is any of that name, as in a .gitignore."""
        pattern = self._from_root(typed)
        here = typed != pattern and "/" not in pattern and not pattern.startswith("!")
        return f"/{pattern}" if here else pattern

    def _one(self, flag: str, kind: Kind, value: Any, fallback: T) -> T:
        try:
            parsed: T = kind.parse(value)
        except ValueError as error:
            self._wrong(flag, str(error))
            return fallback
        return parsed

    def _number(self, flag: str, kind: Kind, value: Any, fallback: T) -> T:
        return fallback if value is None else self._one(flag, kind, value, fallback)

    def _many(self, flag: str, kind: Kind, values: Iterable[str]) -> tuple[Any, ...]:
        nothing: Any = None
        parsed = [self._one(flag, kind, value, nothing) for value in values]
        return tuple(value for value in parsed if value is not None)

    def _wrong(self, flag: str, message: str) -> None:
        self.problems.append(Problem(file=flag, line=None, key="", message=message))


_FLAGS: Mapping[KeyPath, str] = {("scope", "allow"): "--allow", ("deliver",): "--deliver", ("check",): "--check"}
