"""A name for a check, from its command."""

from __future__ import annotations

import re
from collections.abc import Iterable

# In this order: the first that is found in the command names it.
_NAMES = (
    (
        "tests",
        r"pytest|unittest|nose2?|tox|nox|jest|vitest|mocha|ava|jasmine|karma|playwright|cypress|ctest|rspec|phpunit",
    ),
    ("tests", r"node\b.*--test|(?:cargo|go|dotnet|swift|mix|deno|bun|zig|gradlew?|mvn|sbt|stack|cabal)\b.*\btest"),
    (
        "tests",
        r"nextest|gotestsum|(?:npm|pnpm|yarn|make|just|task|rake|hatch)\b.*\btests?\b|\btests?\.(?:sh|py)|(?:script|bin)/test",
    ),
    ("types", r"mypy|pyright|basedpyright|\btsc\b|\bty\b|pyre\b|flow\b|vue-tsc"),
    ("lint", r"ruff|eslint|flake8|pylint|clippy|golangci|go vet|biome|stylelint|shellcheck|rubocop|oxlint|\blint\b"),
    ("format", r"\bblack\b|prettier|rustfmt|gofmt|cargo fmt|isort|\bformat\b"),
    ("build", r"\bcheck\b|\bbuild\b|compileall|compile|^make\b|cmake|ninja|webpack|vite\b"),
)
_FORMS = tuple((name, re.compile(pattern)) for name, pattern in _NAMES)


def name_check(run: str, taken: Iterable[str] = ()) -> str:
    """A short name that is not in `taken`: what the command does where that is known, else the program's name."""
    line = run[:2000]
    name = next((name for name, form in _FORMS if form.search(line)), None) or _program(line)
    known = set(taken)
    if name not in known:
        return name
    return next(fresh for number in range(2, len(known) + 3) if (fresh := f"{name}-{number}") not in known)


def _program(line: str) -> str:
    for word in line.split():
        if "=" not in word:
            name = re.sub(r"[^A-Za-z0-9_.-]", "", word.rstrip("/").rpartition("/")[2])
            if name:
                return name[:40]
    return "check"
