"""The scope rules: which paths may change, which may be seen.

    1. Nothing may change but what `allow` matches (gitignore syntax; the last pattern that speaks of a path wins).
    2. Inside a glob or a folder, path classes stay closed, but for `docs` and `tests`; `open` opens more of them.
    3. A path written exactly in `allow` is open itself, whatever its classes.
    4. `vcs` is never open, however it is written.

What may be seen: the whole tree, or what `read` matches; always what may change. Class `vcs` never, class `secrets`
only when opened or named exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchdog.contract.classes import NEVER_OPEN, OPEN_BY_DEFAULT, Extra, classes_of
from benchdog.contract.globs import MAX_DEPTH, MAX_NAME, exact_path, matches
from benchdog.contract.values import PathClass, Scope

_SHOWN = 6  # patterns named in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a path may not change: `rule` is `scope` (nothing allows it) or `class` (its class is closed).

    `reason` says what is allowed, or what would open it, in words for a person and a model.
    """

    path: str
    rule: str
    reason: str


def refusal(path: str, scope: Scope, *, classes: Extra | None = None) -> Refusal | None:
    """Why `path` may not change; None: it may. `classes` are the settings' additions to path classes."""
    if problem := path_problem(path):
        return Refusal(path=path, rule="scope", reason=problem)
    found = classes_of(path, classes)
    if PathClass.VCS in found:
        return Refusal(path=path, rule="class", reason="it belongs to version control (class vcs), which is never open")
    if not matches(path, scope.allow):
        return Refusal(path=path, rule="scope", reason=f"outside of the scope (allow: {_shown(scope.allow)})")
    if path in _exact(scope.allow):
        return None
    closed = sorted(found - OPEN_BY_DEFAULT - (frozenset(scope.open) - NEVER_OPEN))
    if not closed:
        return None
    words = ", ".join(f'"{kind.value}"' for kind in closed)
    reason = (
        f"class {', '.join(closed)} is closed inside a pattern: `open = [{words}]` opens it, or name the path exactly"
    )
    return Refusal(path=path, rule="class", reason=reason)


def may_change_paths(paths: Iterable[str], scope: Scope, *, classes: Extra | None = None) -> tuple[str, ...]:
    """Those of `paths` that may change, in their order."""
    return tuple(path for path in paths if refusal(path, scope, classes=classes) is None)


def readable(path: str, scope: Scope, *, classes: Extra | None = None) -> bool:
    """Whether a worker may see `path`."""
    if path_problem(path):
        return False
    found = classes_of(path, classes)
    if PathClass.VCS in found:
        return False
    if PathClass.SECRETS in found and PathClass.SECRETS not in scope.open:
        return path in _exact((*scope.read, *scope.allow))
    return not scope.read or matches(path, scope.read) or matches(path, scope.allow)


def path_problem(path: str) -> str | None:
    """Why `path` is no path inside a repository; None: it is one."""
    parts = path.split("/")
    if not path or "\0" in path:
        return "it is empty or contains a NUL character"
    if path.startswith("/") or "" in parts or "." in parts or ".." in parts:
        return "it is no plain path from the repository's root (no leading `/`, no `.`, no `..`, no `//`)"
    if len(parts) > MAX_DEPTH:
        return f"it lies deeper than {MAX_DEPTH} folders"
    if any(len(part.encode("utf-8", "surrogatepass")) > MAX_NAME for part in parts):
        return f"a name in it is longer than {MAX_NAME} bytes"
    return None


def _exact(patterns: Iterable[str]) -> frozenset[str]:
    return frozenset(path for path in map(exact_path, patterns) if path)


def _shown(patterns: tuple[str, ...]) -> str:
    if not patterns:
        return "nothing"
    more = len(patterns) - _SHOWN
    return ", ".join(patterns[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
