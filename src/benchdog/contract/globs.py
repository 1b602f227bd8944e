"""Patterns in gitignore syntax over paths: compiled by `pathspec`, made strict, bounded.

Three things differ from pathspec's own compilation, each to git's side: a bracket never matches `/`, a pattern never
matches a name with a newline added, and what git would silently take for "matches nothing" is a problem to report.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_PATTERN = 1000  # characters
MAX_DEEP = 3  # `**` that may match anywhere: each multiplies the work of a match
MAX_STARS = 3  # `*` within one part of a path, likewise
MAX_DEPTH = 128  # folders of a path: deeper ones match nothing
MAX_NAME = 255  # bytes of one part, as file systems have it: longer ones match nothing

_LITERAL = re.compile(r"\\(.)|\[([^\]!^\\])\]|([^*?\[\\])", re.DOTALL)
_SPECIAL = re.compile(r"[\\\[\]*?]")
# What pathspec makes: an escape, its own wildcard, or a bracket of the person's.
_TOKEN = re.compile(r"(\\.)|(\[\^/\])|\[(\^?\]?[^\]]*)\]", re.DOTALL)


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether the last pattern that speaks of `path` includes it. A pattern that does not compile matches nothing."""
    if path.count("/") > MAX_DEPTH or any(len(part) > MAX_NAME for part in path.split("/")):
        return False
    return bool(_spec(patterns).match_file(path))


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern, in words with the right way; None: it is one."""
    if problem := _form_problem(pattern):
        return problem
    return None if _compile(pattern) else "is no gitignore pattern: an open bracket, a bad range or a lone `\\`"


def _form_problem(pattern: str) -> str | None:
    bare = pattern.strip()
    parts = bare.removeprefix("!").split("/")
    for wrong, message in (
        (not bare or bare in ("/", "!"), "is empty: name a file or a folder, such as `src/app.py` or `src/**`"),
        (bare.startswith("#"), "begins with `#`, which makes it a comment: write `\\#`"),
        ("\0" in pattern, "contains a NUL character"),
        (len(pattern) > MAX_PATTERN, f"is longer than {MAX_PATTERN} characters"),
        (".." in parts or "." in parts, "must not contain `.` or `..`: paths start at the repository's root"),
        ("" in parts[1:-1], "contains `//`"),
        (parts[:-1].count("**") > MAX_DEEP, f"contains more than {MAX_DEEP} `**`"),
        (any(part != "**" and part.count("*") > MAX_STARS for part in parts), f"has over {MAX_STARS} `*` in one part"),
        ("[[:" in pattern, "uses a class such as `[[:alpha:]]`, which is not supported: write `[a-zA-Z]`"),
    ):
        if wrong:
            return message
    return None


def exact_path(pattern: str) -> str | None:
    """The one path that a pattern without wildcards names from the root; None for a glob, a folder or a negation."""
    if pattern.startswith(("!", "#")) or not pattern.endswith("\\ "):
        pattern = pattern.rstrip()
    if not pattern or pattern.startswith(("!", "#")) or pattern.endswith("/"):
        return None
    path, end = "", 0
    for token in _LITERAL.finditer(pattern):
        if token.start() != end:
            return None
        path += token[1] or token[2] or token[3]
        end = token.end()
    return path.removeprefix("/") if end == len(pattern) else None


def exact_pattern(path: str) -> str:
    """The pattern that matches the file `path` (and, were it a folder, what is below) and nothing else."""
    text = _SPECIAL.sub(lambda found: "\\" + found[0], path)
    if text[-1:].isspace():
        text = text[:-1] + ("\\ " if text[-1] == " " else f"[{text[-1]}]")
    if "/" not in text:
        text = "/" + text
    return "\\" + text if text[0] in "!#" else text


@lru_cache(maxsize=1024)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - start-up time
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # noqa: PLC0415 - start-up time

    compiled = [found for found in map(_compile, patterns) if found]
    return GitIgnoreSpec([GitIgnoreSpecPattern(regex, include) for regex, include in compiled], backend="simple")


@lru_cache(maxsize=4096)
def _compile(pattern: str) -> tuple[re.Pattern[str], bool] | None:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # noqa: PLC0415 - start-up time

    if _form_problem(pattern):
        return None
    try:
        raw, include = GitIgnoreSpecPattern.pattern_to_regex(pattern)
        if raw is None or include is None:
            return None
        return re.compile(_strict(raw), re.DOTALL), include
    except (ValueError, re.error):
        return None


def _strict(raw: str) -> str:
    """Brackets that never match `/` and hold only literal characters and ranges; an end that is the end."""
    return _TOKEN.sub(_strict_token, raw).replace("|$)", r"|\Z)")


def _strict_token(token: re.Match[str]) -> str:
    if token[3] is None:
        return token[0]
    inner = re.sub(r"[\[&|~]", lambda found: "\\" + found[0], token[3])
    return f"(?!/)[{inner}]"
