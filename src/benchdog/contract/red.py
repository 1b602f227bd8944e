"""From a red command, or only from what it printed, to a contract's parts: goal, scope, check. No model is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from benchdog.contract.executed import executed
from benchdog.contract.languages import plain_output
from benchdog.contract.naming import name_check
from benchdog.contract.pasted import is_tap, tap_failures
from benchdog.contract.propose import Find, Proposal, propose_scope
from benchdog.contract.values import Check

_SHOWN = 3  # failures that a goal names
_WIDTH = 160  # characters of one failure

# How each tool's output is known, and the command that a person most likely typed. The first that fits is taken.
_TOOLS = (
    (
        r"^=+ (?:test session starts|short test summary info|FAILURES|ERRORS) =+$|^\d+ failed\b.* in [\d.]+s",
        "pytest -q",
    ),
    (r"^Ran \d+ tests? in [\d.]+s$", "python3 -m unittest"),
    (r"^ *Test Files  .*\bfailed", "npx vitest run"),
    (r"^Test Suites: .*\bfailed", "npx jest"),
    (r"^(?:# fail|ℹ fail) [1-9]", "node --test"),
    (r"^test result: FAILED|^error: test failed, to rerun", "cargo test"),
    (r"^(?:error(?:\[E\d+\])?: .*\n +--> )|^error: could not compile", "cargo check"),
    (r"^(?:--- FAIL: |FAIL\t)", "go test ./..."),
    (r"^# [\w./-]+\n(?:vet: )?\./?[\w/.-]+\.go:\d+:\d+: ", "go build ./..."),
    (r"error TS\d{3,5}: ", "npx tsc --noEmit"),
    (r"^Found \d+ errors? in \d+ files? \(checked \d+", "mypy ."),
    (r"^✖ \d+ problems? \(", "npx eslint ."),
    (r"^Found \d+ errors?\.$", "ruff check ."),
    (r"^\d+ examples?, [1-9]\d* failures?", "bundle exec rspec"),
    (r"^Tests: \d+, Assertions: \d+, .*(?:Failures|Errors): [1-9]", "vendor/bin/phpunit"),
)
_MAKE = re.compile(r"^make(?:\[\d+\])?: \*\*\* \[(?:[^\]\n]*: )?([\w.-]{1,80})\] Error \d+", re.MULTILINE)
_FORMS = tuple((re.compile(pattern, re.MULTILINE), command) for pattern, command in _TOOLS)

# What a failing test or the first error is called, tool by tool.
_FAILURES = (
    re.compile(r"^(?:FAILED|ERROR) (?!\((?:failures|errors|skipped)\b)(\S.*)$", re.MULTILINE),  # pytest
    re.compile(r"^(?:FAIL|ERROR): (\S.*)$", re.MULTILINE),  # unittest
    re.compile(r"^test (\S+) \.\.\. FAILED$", re.MULTILINE),  # cargo
    re.compile(r"^\s*--- FAIL: (\S+)", re.MULTILINE),  # go
    re.compile(r"^\s*● (.+)$", re.MULTILINE),  # jest
    re.compile(r"^\s*(?:FAIL|×)\s+(\S.*)$", re.MULTILINE),  # vitest
    re.compile(r"^(\S+\(\d+,\d+\): error TS\d+: .+)$", re.MULTILINE),  # tsc
    re.compile(r"^(\S+:\d+(?::\d+)?: (?:error: )?.+)$", re.MULTILINE),  # compilers, linters
    re.compile(r"^(error(?:\[\w+\])?: .+)$", re.MULTILINE),  # rustc
    re.compile(r"^(\w*(?:Error|Exception)\b.*)$", re.MULTILINE),  # a traceback's last line
)


class RedCommand(NamedTuple):
    """What `benchdog fix` sets out with. The check is the witness: red now, green at the end."""

    goal: str
    proposal: Proposal
    check: Check


def from_red_command(
    command: str, output: str, paths: Iterable[str], *, find: Find | None = None, folder: str = "."
) -> RedCommand:
    """The contract's parts for making `command` green, from what it printed. It was started in `folder`.

    What the command executes itself (`check.py` of `python3 check.py`) is never proposed.
    """
    tree = tuple(paths)
    check = Check(name=name_check(command), run=command, witness=True)
    found = failures(output)
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    named = f" Failing: {'; '.join(found[:_SHOWN])}{more}." if found else ""
    goal = f"Make `{command}` pass; what it checks stays as it is.{named}"
    instruments = executed(command, tree, folder)
    return RedCommand(goal, propose_scope("", tree, (output,), find=find, instruments=instruments), check)


def from_red_output(output: str, paths: Iterable[str], *, find: Find | None = None) -> RedCommand | None:
    """The same from pasted output alone; None where no command can be recognised in it."""
    tree = tuple(paths)
    command = recognise_command(output)
    if command is None and is_tap(output) and "package.json" in tree:
        command = "npm test"  # tape and its kin do not say how they were started; a package does
    return from_red_command(command, output, tree, find=find) if command else None


def recognise_command(output: str) -> str | None:
    """The command that prints so: its tool with the usual arguments."""
    text = plain_output(output)
    if found := _MAKE.search(text):
        return f"make {found[1]}"
    return next((command for form, command in _FORMS if form.search(text)), None)


def failures(output: str) -> tuple[str, ...]:
    """What fails, in the output's words, each once; from the first form that names anything."""
    text = plain_output(output)
    if is_tap(text) and (points := dict.fromkeys(map(_short, tap_failures(text)))):
        return tuple(points)
    for form in _FAILURES:
        if found := dict.fromkeys(_short(match) for match in form.findall(text)):
            return tuple(found)
    return ()


def _short(text: str) -> str:
    line = " ".join(re.sub(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]", " ", text).split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
