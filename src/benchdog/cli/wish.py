"""The options of `run` and `fix`: what a person asks for beside a contract, or instead of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from shlex import quote
from typing import Any, TypeVar

import click

from benchdog.contract import Check, Contract, Expect, PathClass
from benchdog.contract.classes import NEVER_OPEN
from benchdog.contract.duration import parse_duration
from benchdog.contract.flags import Flags, contract_from_flags, with_flags
from benchdog.contract.layers import apply_settings
from benchdog.contract.naming import name_check
from benchdog.contract.read import ContractFile
from benchdog.contract.rebase import rebase_contract
from benchdog.runner import Bench

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`flags` say what a contract would; `witness` are commands that are red now and must turn green.

    `no_worse`: failures that stand already may stay. `no_check`: no check at all. `timeout` (seconds) is for every
    check. `yes` accepts the files that are proposed. `where` are the options that say which model is asked, and how.
    """

    flags: Flags = field(default_factory=Flags)
    witness: tuple[str, ...] = ()
    no_worse: bool = False
    no_check: bool = False
    timeout: float | None = None
    yes: bool = False
    where: tuple[str, ...] = ()

    def words(self) -> str:
        """The options as they would be typed again; the scope left out."""
        flags = self.flags
        many = (
            ("--read", flags.read),
            ("--open", flags.open),
            ("--check", flags.checks),
            ("--witness", self.witness),
            ("--deliver", flags.deliver),
        )
        timeout = None if self.timeout is None else f"{self.timeout:g}"
        one = (
            ("--timeout", timeout),
            ("--max-files", flags.max_files),
            ("--max-lines", flags.max_lines),
            ("--rounds", flags.rounds),
            ("--turns", flags.turns),
            ("--wall", flags.wall),
        )
        words = [word for name, values in many for value in values for word in (name, value)]
        words += ["--no-worse"] * self.no_worse + ["--no-check"] * self.no_check
        words += [word for name, value in one if value is not None for word in (name, str(value))]
        return "".join(f" {quote(word)}" for word in (*words, *self.where))


def _seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_OWN = ("witness", "no_worse", "no_check", "timeout", "yes")
_CLASSES = ", ".join(kind.value for kind in PathClass if kind not in NEVER_OPEN)
_OPTIONS = (
    click.option("--allow", metavar="GLOB", multiple=True, help="What may change; nothing else may."),
    click.option("--read", metavar="GLOB", multiple=True, help="What the worker may see. [all]"),
    click.option("--open", metavar="CLASS", multiple=True, help=f"Open a class of paths inside --allow: {_CLASSES}."),
    click.option("--check", "checks", metavar="CMD", multiple=True, help="A command that must exit 0."),
    click.option("--witness", metavar="CMD", multiple=True, help="A check that is red now and must turn green."),
    click.option("--deliver", metavar="PATH[=TEXT]", multiple=True, help="A file that must exist, and contain TEXT."),
    click.option("--no-worse", is_flag=True, help="Tests that fail already may go on failing."),
    click.option("--no-check", is_flag=True, help="Run no check: then a person must read the diff."),
    click.option("--timeout", metavar="TIME", callback=_seconds, help="Of each check. [2m]"),
    click.option("--max-files", metavar="N", type=int, help="How many files may change."),
    click.option("--max-lines", metavar="N", type=int, help="How many lines may change, added plus removed."),
    click.option("--rounds", metavar="N", type=int, help="How often findings open a new round. [3]"),
    click.option("--turns", metavar="N", type=int, help="Replies of the model in a round. [20]"),
    click.option("--wall", metavar="TIME", help="Model time of the run. [15m]"),
    click.option("--yes", "-y", is_flag=True, help="Accept the files that are proposed."),
)


def wish_options(command: Function) -> Function:
    """The options that make a `Wish`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_wish(given: dict[str, Any]) -> Wish:
    """Takes the wish's options out of what click gave."""
    names = [each.name for each in fields(Flags) if each.name != "goal"]
    flags = Flags(**{name: given.pop(name) for name in names})
    own = {name: given.pop(name) for name in ("witness", "no_worse", "no_check", "timeout", "yes")}
    return Wish(flags=flags, where=_where(given), **own)


def _where(given: dict[str, Any]) -> tuple[str, ...]:
    """The model options as they were typed; they stay in `given`, for `open_for`."""
    said = ((f"--{name}", given.get(name)) for name in ("endpoint", "model"))
    words = [word for name, value in said if value for word in (name, value)]
    return (*words, *(["--unsafe-no-sandbox"] if given.get("unsafe") else []))


def wished(wish: Wish, bench: Bench, file: ContractFile | None = None) -> Contract:
    """The contract: flags over `file` (where there is one) over the settings. It may allow nothing yet.

    What is typed is meant from the folder in which work goes on, a file from that of the nearest benchdog.toml.
    Raises ContractError with every problem.
    """
    folder = work_folder(bench) if file is None else bench.configuration.base
    root = str(bench.repository.root / folder)
    if file is None:
        made = contract_from_flags(wish.flags, root=root, need_scope=False)
    else:
        made = with_flags(file, wish.flags, root=root, need_scope=False)
    contract = rebase_contract(_with_witnesses(made.contract, wish), folder)
    contract = apply_settings(contract, bench.configuration.settings, made.lines)
    if wish.no_check:
        return replace(contract, checks=())
    return replace(contract, checks=tuple(_adjusted(check, wish) for check in contract.checks))


def work_folder(bench: Bench) -> str:
    """The folder, from the root, that work is about; `.` for the root itself."""
    return bench.repository.prefix or "."


def _with_witnesses(contract: Contract, wish: Wish) -> Contract:
    for command in wish.witness:
        contract = with_witness(contract, Check(name=name_check(command), run=command))
    return contract


def with_witness(contract: Contract, check: Check) -> Contract:
    """The contract with this command as a check that must turn green; one that runs the same becomes that check."""
    for index, each in enumerate(contract.checks):
        if each.run == check.run:
            checks = list(contract.checks)
            checks[index] = replace(each, witness=True)
            return replace(contract, checks=tuple(checks))
    name = name_check(check.run, [each.name for each in contract.checks])
    return replace(contract, checks=(replace(check, name=name, witness=True), *contract.checks))


def _adjusted(check: Check, wish: Wish) -> Check:
    expect = Expect.NO_WORSE if wish.no_worse and not check.witness else check.expect
    return replace(check, timeout=wish.timeout or check.timeout, expect=expect)
