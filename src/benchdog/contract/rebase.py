"""A file that lies in a folder of the repository speaks of paths from there: these say the same from the root."""

from __future__ import annotations

from dataclasses import replace

from benchdog.contract.globs import exact_path, exact_pattern
from benchdog.contract.values import Check, Contract, SandboxSettings, Settings


def rebase_pattern(pattern: str, folder: str) -> str:
    """A gitignore pattern as `folder/.gitignore` would mean it, from the root; `.` is the root itself."""
    if folder == ".":
        return pattern
    bang, bare = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if bare.startswith("\\!") or bare.startswith("\\#"):
        bare = bare[1:]  # no longer the first character
    head = exact_pattern(folder + "/x").removesuffix("x")
    anchored = "/" in bare.rstrip("/ ")
    return bang + head + (bare.removeprefix("/") if anchored else f"**/{bare}")


def as_typed(pattern: str, folder: str) -> str | None:
    """A pattern from the root as a person who stands in `folder` types it; None: it cannot be said from there."""
    if folder != ".":
        head = exact_pattern(folder + "/x").removesuffix("x")
        if not pattern.startswith(head) or len(pattern) == len(head):
            return None
        pattern = "/" + pattern[len(head) :]
    bare = pattern.removeprefix("/")
    if not pattern.startswith("/") or "/" in bare.rstrip("/"):
        return bare
    return f"./{bare}"


def rebase_path(path: str, folder: str) -> str:
    """A plain path, or `.`, from the root."""
    if folder == ".":
        return path
    return folder if path == "." else f"{folder}/{path}"


def rebase_contract(contract: Contract, folder: str) -> Contract:
    """The contract with all its paths from the root."""
    if folder == ".":
        return contract
    scope = replace(
        contract.scope,
        allow=_patterns(contract.scope.allow, folder),
        read=_patterns(contract.scope.read, folder),
    )
    return replace(
        contract,
        scope=scope,
        deliver=tuple(replace(each, path=rebase_path(each.path, folder)) for each in contract.deliver),
        checks=_checks(contract.checks, folder),
    )


def rebase_settings(settings: Settings, folder: str) -> Settings:
    """The settings with all their paths in the repository from the root."""
    if folder == ".":
        return settings
    sandbox = settings.sandbox
    return replace(
        settings,
        checks=_checks(settings.checks, folder),
        classes={kind: _patterns(patterns, folder) for kind, patterns in settings.classes.items()},
        sandbox=SandboxSettings(
            expose=sandbox.expose,
            fresh=tuple(rebase_path(path, folder) for path in sandbox.fresh),
            lend=tuple(rebase_path(path, folder) for path in sandbox.lend),
            environment=sandbox.environment,
        ),
    )


def _patterns(patterns: tuple[str, ...], folder: str) -> tuple[str, ...]:
    """A person's exact path stays exact: `app.py` means that file in this folder, and any below it."""
    found: list[str] = []
    for pattern in patterns:
        path = exact_path(pattern)
        if path and "/" not in path:
            found.append(exact_pattern(rebase_path(path, folder)))
        if not (path and pattern.startswith("/") and "/" not in path):
            found.append(rebase_pattern(pattern, folder))
    return tuple(found)


def _checks(checks: tuple[Check, ...], folder: str) -> tuple[Check, ...]:
    return tuple(replace(check, cwd=rebase_path(check.cwd, folder)) for check in checks)
