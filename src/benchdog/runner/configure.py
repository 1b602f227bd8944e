"""The settings in effect for a repository: which files there are, what the person trusts, and how both are written.

A repository's `benchdog.toml` is the nearest one from the person's directory up to the root; its paths are relative to
its folder. `<state>/trust.json` holds, by the real path of such a file, what the person accepted of it.
"""

from __future__ import annotations

import difflib
import json
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchdog.contract.edit import put_endpoint
from benchdog.contract.layers import Row, Widening, merge, widening, widening_hash
from benchdog.contract.read import SettingsFile, read_settings
from benchdog.contract.rebase import rebase_settings
from benchdog.contract.values import EndpointSettings, Settings
from benchdog.contract.walk import MAX_BYTES
from benchdog.errors import StoreError, UserError
from benchdog.system.environment import Environment
from benchdog.system.files import locked, write_durably

FILE_NAME = "benchdog.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is in effect. `base` is the folder, from the root, in which the repository's file lies, else `.`.

    `rows` say where each value comes from. `inert` is what the repository's file would widen but may not.
    """

    settings: Settings
    rows: tuple[Row, ...] = ()
    inert: tuple[Widening, ...] = ()
    base: str = "."
    repository_file: Path | None = None
    person_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustQuestion:
    """What a person is asked to accept: exactly this. `before` and `after` are lines of what widens.

    `settled`: there is nothing to accept, or it is accepted already.
    """

    file: Path
    before: tuple[str, ...]
    after: tuple[str, ...]
    settled: bool

    @property
    def diff(self) -> tuple[str, ...]:
        """The lines of a unified diff between what was accepted last and what is asked now."""
        lines = difflib.unified_diff(self.before, self.after, "accepted", "now", lineterm="", n=1)
        return tuple(lines)


def load(environment: Environment, root: Path) -> Configuration:
    """The settings for the repository at `root`.

    Raises ContractError (a file does not read), UserError (it cannot be opened), StoreError (the trust records).
    """
    person = _read(environment.config, str(environment.config))
    place = find_settings(environment.cwd, root)
    if place is None:
        merged = merge(person, None, trusted=False)
        return Configuration(
            settings=merged.settings, rows=merged.rows, person_file=environment.config if person else None
        )
    base = place.parent.relative_to(root).as_posix()
    repository = _read(place, FILE_NAME if base == "." else f"{base}/{FILE_NAME}")
    assert repository is not None, "the file was found"
    repository = replace(repository, settings=rebase_settings(repository.settings, base))
    merged = merge(person, repository, trusted=_is_trusted(environment, place, widening(repository)))
    return Configuration(
        settings=merged.settings,
        rows=merged.rows,
        inert=merged.inert,
        base=base,
        repository_file=place,
        person_file=environment.config if person else None,
    )


def find_settings(start: Path, root: Path) -> Path | None:
    """The nearest `benchdog.toml` from `start` up to `root`; the root's where `start` lies elsewhere."""
    root = root.resolve()
    folder = start.resolve()
    if not folder.is_relative_to(root):
        folder = root
    while True:
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        if folder == root:
            return None
        folder = folder.parent


def trust_question(environment: Environment, root: Path) -> TrustQuestion | None:
    """What the repository's file asks the person to accept; None: there is no such file."""
    place = find_settings(environment.cwd, root)
    if place is None:
        return None
    file = _read(place, FILE_NAME)
    assert file is not None, "the file was found"
    base = place.parent.relative_to(root.resolve()).as_posix()
    found = widening(replace(file, settings=rebase_settings(file.settings, base)))
    record = _records(environment).get(_key(place), {})
    return TrustQuestion(
        file=place,
        before=tuple(record.get("accepted", ())),
        after=tuple(each.text for each in found),
        settled=not found or record.get("hash") == widening_hash(found),
    )


def trust(environment: Environment, question: TrustQuestion) -> None:
    """Records that the person accepted exactly what the question showed. Raises StoreError."""
    accepted = [Widening(key=key, value=value) for key, _, value in (line.partition(" = ") for line in question.after)]
    record = {"hash": widening_hash(accepted), "accepted": list(question.after)}
    with locked(environment.state / "trust.lock"):
        records = _records(environment) | {_key(question.file): record}
        _write_records(environment, records)


def distrust(environment: Environment, file: Path) -> bool:
    """Takes back what the person accepted of a file; False: there was nothing. Raises StoreError."""
    with locked(environment.state / "trust.lock"):
        records = _records(environment)
        found = records.pop(_key(file), None)
        if found is not None:
            _write_records(environment, records)
    return found is not None


def write_person_endpoint(environment: Environment, endpoint: EndpointSettings) -> Path:
    """Puts an endpoint into the person's own file, beside all that is there; one of the same name is replaced.

    Returns the file. Raises ContractError, StoreError, and UserError with the lines to add by hand where the file is
    written in a way that cannot be edited safely.
    """
    place = environment.config
    with locked(environment.state / "config.lock"):
        data = _bytes(place) or b""
        write_durably(place.resolve(), put_endpoint(data, endpoint, str(place)))
    return place


def _is_trusted(environment: Environment, place: Path, found: tuple[Widening, ...]) -> bool:
    return not found or _records(environment).get(_key(place), {}).get("hash") == widening_hash(found)


def _key(place: Path) -> str:
    return str(place.resolve())


def _records(environment: Environment) -> dict[str, dict[str, Any]]:
    place = _trust_place(environment)
    data = _bytes(place)
    if data is None:
        return {}
    try:
        records = json.loads(data)["repositories"]
        right = isinstance(records, dict) and all(isinstance(record, dict) for record in records.values())
    except (ValueError, KeyError, TypeError, RecursionError):
        right = False
    if not right:
        raise StoreError(f"{place} does not read", hint=f"remove it (`rm {place}`), then `benchdog trust` again")
    found: dict[str, dict[str, Any]] = records
    return found


def _write_records(environment: Environment, records: dict[str, dict[str, Any]]) -> None:
    text = json.dumps({"repositories": records}, indent=2, sort_keys=True)
    write_durably(_trust_place(environment), text.encode("ascii") + b"\n")


def _trust_place(environment: Environment) -> Path:
    return environment.state / "trust.json"


def _read(place: Path, name: str) -> SettingsFile | None:
    data = _bytes(place)
    return None if data is None else read_settings(data, name)


def _bytes(place: Path) -> bytes | None:
    """A regular file's bytes, one more than is ever right at most; None: there is none. Raises UserError."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"cannot read {place}: {error.strerror}", hint=f"look at it: ls -l {place}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UserError(f"{place} is no regular file", hint="benchdog reads its settings from a file only")
        return file.read(MAX_BYTES + 1)
