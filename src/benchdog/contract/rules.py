"""What must hold of a contract as a whole, however it was written: file, flags or proposal."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchdog.contract.classes import classes_of
from benchdog.contract.globs import exact_path, exact_pattern
from benchdog.contract.locate import KeyPath
from benchdog.contract.values import Contract, PathClass

Wrong = tuple[KeyPath, str]


def with_deliverables(contract: Contract) -> Contract:
    """The contract with each deliverable's path in `allow`, exactly: to ask for a file is to allow it."""
    allow = contract.scope.allow
    exact = {exact_path(pattern) for pattern in allow}
    wanted = dict.fromkeys(deliverable.path for deliverable in contract.deliver)
    missing = tuple(exact_pattern(path) for path in wanted if path not in exact)
    return replace(contract, scope=replace(contract.scope, allow=(*allow, *missing))) if missing else contract


def contract_problems(contract: Contract) -> tuple[Wrong, ...]:
    """Everything that the parts alone do not show."""
    return (
        *_nothing_allowed(contract),
        *_version_control(contract),
        *_requires_nothing(contract),
        *duplicates("check", _names(contract)),
    )


def is_found_in_nothing(pattern: str) -> bool:
    """Whether a regular expression is found in an empty text, and so in every text. One that is none is not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern that later versions may read otherwise is still one
            return re.search(pattern, "", re.MULTILINE) is not None
    except (re.error, RecursionError, OverflowError):
        return False


def duplicates(table: str, names: Sequence[str]) -> Iterator[Wrong]:
    """Names that were given before."""
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (table, index, "name"), f"{name!r} is already the name of {table}[{names.index(name)}]"


def _names(contract: Contract) -> tuple[str, ...]:
    return tuple(check.name for check in contract.checks)


def _nothing_allowed(contract: Contract) -> Iterator[Wrong]:
    if all(pattern.startswith("!") for pattern in contract.scope.allow) and not contract.deliver:
        yield ("scope", "allow"), 'nothing may change: name the files, such as allow = ["src/app.py"]'


def _requires_nothing(contract: Contract) -> Iterator[Wrong]:
    for index, deliverable in enumerate(contract.deliver):
        if deliverable.contains == "":
            yield ("deliver", index, "contains"), "every file contains the empty text: name what must stand in it"
        if deliverable.matches is not None and is_found_in_nothing(deliverable.matches):
            message = f"{deliverable.matches[:80]!r} is found in an empty file as well: name what must stand in it"
            yield ("deliver", index, "matches"), message


def _version_control(contract: Contract) -> Iterator[Wrong]:
    for index, pattern in enumerate(contract.scope.allow):
        path = exact_path(pattern)
        if path and PathClass.VCS in classes_of(path):
            yield ("scope", "allow", index), f"{path!r} belongs to version control, which is never open"
    for index, deliverable in enumerate(contract.deliver):
        if PathClass.VCS in classes_of(deliverable.path):
            yield ("deliver", index, "path"), f"{deliverable.path!r} belongs to version control, which is never open"
