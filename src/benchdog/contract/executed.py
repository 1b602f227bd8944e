"""Which files of the tree a command executes: what a check is made of is never proposed as what may change.

`python3 check.py`, `./check.sh`, `sh check.sh`, `python -m tools.check`, `. ./env`, `node check.js`, also inside
`sh -c '…'`. A file that is merely an argument (`grep -q x ops.py`) is none of them. Not a shell: what a script calls
is not followed, and a line that cannot be split executes every file that it names.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator

_SEPARATOR = re.compile(r"[;&|()]+")
_REDIRECTION = re.compile(r"[&|]?[<>]+[&|]?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_SHELL = re.compile(r"sh|bash|dash|ash|zsh|ksh|source|\.")
_INTERPRETER = re.compile(
    r"(?:python|pypy)[\d.]*|node|nodejs|deno|bun|tsx|ts-node|ruby|perl|php|lua|Rscript|julia|awk|gawk|"
    r"sh|bash|dash|ash|zsh|ksh|source|\."
)
_INLINE = re.compile(r"-[a-z]*[ce]")
_MAX_DEPTH = 4  # `sh -c` inside `sh -c`


def executed(command: str, paths: Iterable[str], folder: str = ".") -> frozenset[str]:
    """Those of `paths` that `command`, started in `folder`, executes."""
    tree = frozenset(paths)
    found = set()
    for word in _run_words(command, _MAX_DEPTH):
        path = posixpath.normpath(posixpath.join("" if folder == "." else folder, word))
        found |= {path} & tree
    return frozenset(found)


def _run_words(line: str, depth: int) -> Iterator[str]:
    """Words that are paths of what is run; more of them than there are files."""
    commands = _commands(line)
    if commands is None:
        yield from re.split(r"[^\w./+@-]+", line[:20_000])
        return
    for argv in commands:
        yield from argv[:1]
        for index, word in enumerate(argv):
            name = word.rpartition("/")[2]
            if _INTERPRETER.fullmatch(name):
                yield word
                yield from _scripts(argv[index + 1 :], depth, shell=bool(_SHELL.fullmatch(name)))
                break


def _scripts(words: list[str], depth: int, *, shell: bool) -> Iterator[str]:
    """What an interpreter is given to run: a module, a line of its own, or the first words up to a file's name."""
    for index, word in enumerate(words):
        following = words[index + 1 : index + 2]
        if word == "-m":
            yield from (path for module in following for path in _module(module))
            return
        if _INLINE.fullmatch(word) and shell:
            yield from (each for line in following if depth for each in _run_words(line, depth - 1))
            return
        if _INLINE.fullmatch(word):
            return
        yield word
        if not word.startswith("-") and ("/" in word or "." in word):
            return


def _module(name: str) -> Iterator[str]:
    path = name.replace(".", "/")
    yield from (f"{path}.py", f"{path}/__main__.py")


def _commands(line: str) -> list[list[str]] | None:
    """The words of each simple command; None where a quote stays open."""
    lexer = shlex.shlex(line.replace("\\\n", " ").replace("\n", " ; ")[:20_000], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    found: list[list[str]] = [[]]
    try:
        tokens = iter(list(lexer))
    except ValueError:
        return None
    for token in tokens:
        if _SEPARATOR.fullmatch(token):
            found.append([])
        elif _REDIRECTION.fullmatch(token):
            if ">" in token:
                next(tokens, None)
        elif found[-1] or not _ASSIGNMENT.fullmatch(token):
            found[-1].append(token)
    return [argv for argv in found if argv]
