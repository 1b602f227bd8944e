"""Which of the paths that git ignores a check sees, and how: pure.

Dependencies are read-only, but for node_modules, in which tools insist on a cache: that is a private layer. So is
every other ignored directory; single files are copied. Secrets are never lent. Caches are not lent either: a stale one
could make a check green.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from benchdog.contract import SandboxSettings
from benchdog.sandbox.policy import Lending, Lent

# Written by a package manager and not by a build: a check only reads them.
_DEPENDENCIES = (
    ".venv", ".venv*", "venv", "venv*", "virtualenv", "env", "node_modules", "bower_components", "jspm_packages",
    "vendor", ".tox", ".nox", ".bundle", "Pods", ".pixi", ".conda", "__pypackages__", ".yarn", ".pnpm-store", ".eggs",
    "elm-stuff", "site-packages",
)  # fmt: skip
# Caches, editor leavings and records of earlier runs.
_NEVER = (
    "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache", ".pytype",
    ".coverage", ".coverage.*", "coverage.xml", "htmlcov", ".nyc_output", ".cache", ".parcel-cache", ".turbo",
    ".eslintcache", ".stylelintcache", ".ipynb_checkpoints", "*.pyc", "*.pyo", "*.swp", "*~", ".DS_Store", "Thumbs.db",
    ".git", ".jj", ".hg", ".svn", ".benchdog*",
)  # fmt: skip


def decide_lending(
    ignored: Sequence[tuple[str, bool]], settings: SandboxSettings, root: Path, secrets: Callable[[str], bool]
) -> tuple[Lent, ...]:
    """What is lent of the ignored paths below `root`: pairs of relative path and whether it is a directory.

    `secrets` tells whether a path is of the class `secrets`. `settings.fresh` removes, `settings.lend` adds what is
    not lent otherwise; both name paths (`packages/*/dist`), or a name at any depth (`dist`).
    """
    lent = []
    for given, is_directory in ignored:
        path = given.rstrip("/")
        if not path or _is_secret(path, is_directory, secrets) or _named(path, settings.fresh):
            continue
        if _named_part(path, _NEVER) and not _named(path, settings.lend):
            continue
        lent.append(Lent(path=path, source=root / path, how=_how(path, is_directory)))
    return tuple(_outermost(lent))


def _how(path: str, is_directory: bool) -> Lending:
    if PurePosixPath(path).name == "node_modules" and is_directory:
        return Lending.PRIVATE
    if is_dependency(path):  # a link to a dependency directory is no directory to git
        return Lending.READ_ONLY
    return Lending.PRIVATE if is_directory else Lending.COPY


def is_dependency(path: str) -> bool:
    """Whether the path's name is one that package managers give to what they install."""
    return any(fnmatchcase(PurePosixPath(path).name, pattern) for pattern in _DEPENDENCIES)


def _is_secret(path: str, is_directory: bool, secrets: Callable[[str], bool]) -> bool:
    parents = [str(parent) for parent in PurePosixPath(path).parents][:-1]
    return any(secrets(each) for each in (path, *parents)) or (is_directory and secrets(f"{path}/"))


def _named(path: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern names the path or a directory above it."""
    whole = PurePosixPath(path)
    places = [whole, *whole.parents][:-1]
    return any(_matches(place, pattern) for place in places for pattern in patterns)


def _matches(place: PurePosixPath, pattern: str) -> bool:
    plain = pattern.strip().removeprefix("./").rstrip("/")
    if "/" in plain:
        return fnmatchcase(str(place), plain.removeprefix("/"))
    return fnmatchcase(place.name, plain)


def _named_part(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(part, pattern) for part in PurePosixPath(path).parts for pattern in patterns)


def _outermost(lent: list[Lent]) -> list[Lent]:
    """Without what lies below another lent directory: it comes with that."""
    kept: list[Lent] = []
    for each in sorted(lent, key=lambda each: PurePosixPath(each.path).parts):
        if not kept or not PurePosixPath(each.path).is_relative_to(kept[-1].path):
            kept.append(each)
    return kept
