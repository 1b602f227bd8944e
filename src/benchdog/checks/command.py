"""Which programs a shell line starts: enough to know a test runner when one is named.

Not a shell: expansions stay as they are written, and a line that cannot be split names nothing.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

Argv = tuple[str, ...]

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_SEPARATOR = re.compile(r"[;&|()<>]+|\n")
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*(?:\.exe)?")
_RUN_WRAPPERS = {"uv", "poetry", "pdm", "hatch", "pipenv", "rye", "pixi", "conda", "coverage", "bundle"}
_PLAIN_WRAPPERS = {"env", "time", "exec", "command", "nohup", "npx", "pnpx", "bunx", "xvfb-run", "nice", "sudo"}
_PACKAGE_MANAGERS = {"npm", "pnpm", "yarn", "bun"}


def programs(run: str) -> tuple[Argv, ...]:
    """The argv of each simple command, the program's base name first, wrappers such as `uv run` taken off."""
    lexer = shlex.shlex(run.replace("\\\n", " ").replace("\n", " ; ")[:20_000], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        tokens = list(lexer)
    except ValueError:  # an open quote
        return ()
    commands: list[list[str]] = [[]]
    for token in tokens:
        if _SEPARATOR.fullmatch(token):
            commands.append([])
        else:
            commands[-1].append(token)
    return tuple(argv for argv in (_unwrapped(command) for command in commands) if argv)


def _unwrapped(tokens: list[str]) -> Argv:
    while tokens:
        if _ASSIGNMENT.fullmatch(tokens[0]):
            tokens = tokens[1:]
            continue
        name, rest = PurePosixPath(tokens[0]).name, tokens[1:]
        inner = _inner(name, rest)
        if inner is None:
            return (name, *rest)
        tokens = inner
    return ()


def _inner(name: str, rest: list[str]) -> list[str] | None:
    """The command that a wrapper starts; None where `name` is no wrapper."""
    if _PYTHON.fullmatch(name):
        return _python_module(rest)
    if name in _PLAIN_WRAPPERS:
        return _after_options(rest)
    if name == "timeout":
        return _after_options(rest)[1:]
    if name in _RUN_WRAPPERS and rest[:1] == ["run"]:
        inner = _after_options(rest[1:])
        module = _python_module(rest[1:]) if name == "coverage" else None
        return module or inner
    if name in _PACKAGE_MANAGERS and rest[:1] == ["exec"]:
        return _after_options(rest[1:])
    return None


def _python_module(rest: list[str]) -> list[str] | None:
    """What `python -m X …` runs; None for a script."""
    words = iter(range(len(rest)))
    for index in words:
        if rest[index] == "-m":
            return rest[index + 1 :] or None
        if rest[index] in ("-X", "-W"):
            next(words, None)  # their value
        elif not rest[index].startswith("-"):
            return None
    return None


def _after_options(tokens: list[str]) -> list[str]:
    for index, token in enumerate(tokens):
        if not token.startswith("-"):
            return tokens[index:]
    return []
