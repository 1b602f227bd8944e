"""Which programs a shell line starts: enough to know a test runner, or a script, when one is named.

Not a shell: expansions stay as they are written, and a line that cannot be split names nothing.
"""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import PurePosixPath

Argv = tuple[str, ...]

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_SEPARATOR = re.compile(r"[;&|()<>]+|\n")
_REDIRECTION = re.compile(r"[&|]?[<>]+[&|]?")
_SUBSTITUTION = re.compile(r"\$\(|[`)]")
_SHELL_LINE = re.compile(r"-[a-z]*c[a-z]*")
_KEYWORDS = {"if", "then", "else", "elif", "while", "until", "do", "!", "{"}
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*(?:\.exe)?")
_RUN_WRAPPERS = {"uv", "poetry", "pdm", "hatch", "pipenv", "rye", "pixi", "conda", "coverage", "bundle"}
_PLAIN_WRAPPERS = {"env", "time", "exec", "command", "nohup", "npx", "pnpx", "bunx", "xvfb-run", "nice", "sudo"}
_PACKAGE_MANAGERS = {"npm", "pnpm", "yarn", "bun"}


def programs(run: str) -> tuple[Argv, ...]:
    """The argv of each simple command, the program's base name first, wrappers such as `uv run` taken off."""
    found: list[list[str]] = [[]]
    for token in _tokens(run, comments="#") or []:
        if _SEPARATOR.fullmatch(token):
            found.append([])
        else:
            found[-1].append(token)
    return tuple((PurePosixPath(argv[0]).name, *argv[1:]) for argv in map(_unwrapped, found) if argv)


def commands(run: str) -> tuple[Argv, ...] | None:
    """As `programs`, each program as it is written: for who asks which files a line names. None: cannot be split.

    A file redirected into a command stands among its words; what `sh -c` or `$(…)` runs is split as well.
    """
    tokens = _tokens(run, comments="")
    if tokens is None or any(token.count("`") % 2 for token in tokens):
        return None
    found: list[Argv] = []
    for argv in map(_unwrapped, _simple(tokens)):
        found += [argv] if argv else []
        for line in _inner_lines(argv):
            inner = commands(line)
            if inner is None:
                return None
            found += inner
    return tuple(found)


def _tokens(run: str, *, comments: str) -> list[str] | None:
    """The words and operators of a shell line; None where a quote stays open."""
    lexer = shlex.shlex(run.replace("\\\n", " ").replace("\n", " ; ")[:20_000], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = comments
    try:
        return list(lexer)
    except ValueError:
        return None


def _simple(tokens: list[str]) -> list[list[str]]:
    """The words of each simple command, without where its output goes and without the shell's own words before it."""
    found: list[list[str]] = [[]]
    words = iter(tokens)
    for token in words:
        if not _SEPARATOR.fullmatch(token):
            if found[-1] or token not in _KEYWORDS:
                found[-1].append(token)
        elif not _REDIRECTION.fullmatch(token):
            found.append([])
        elif ">" in token:
            next(words, None)
    return found


def _inner_lines(argv: Argv) -> list[str]:
    """The lines that a command runs by itself: of `sh -c LINE`, and of each `$(LINE)` in its words."""
    lines = [_SUBSTITUTION.sub(" ; ", word) for word in argv if "$(" in word or "`" in word]
    if argv and PurePosixPath(argv[0]).name in SHELLS:
        pairs = pairwise(argv[1:])
        lines += [line for option, line in pairs if _SHELL_LINE.fullmatch(option)][:1]
    return lines


def _unwrapped(tokens: list[str]) -> Argv:
    while tokens:
        if _ASSIGNMENT.fullmatch(tokens[0]):
            tokens = tokens[1:]
            continue
        name, rest = PurePosixPath(tokens[0]).name, tokens[1:]
        inner = _inner(name, rest)
        if inner is None:
            return (tokens[0], *rest)
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
