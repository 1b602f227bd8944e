"""Git as benchdog calls it: a fixed environment, bytes in, bytes out, errors that name what git said.

Two kinds of call. On the person's repository: their own git with their own settings (filters, excludes, identity),
but few of the caller's `GIT_*` variables, no optional locks, no pager, no prompt, no fsmonitor, no hooks. On
benchdog's own object store: no settings but the store's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchdog.errors import HostError
from benchdog.system.environment import Environment
from benchdog.system.process import Command, Process, kill_group, start

# The only GIT_* variables of the caller that say who somebody is and where their settings lie, not which repository,
# index or work tree to use (they are set so inside a hook, for one).
_KEPT = (
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
)
_FIXED = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}
_QUIET = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0")
_MISSING = "install git 2.25 or newer and see that it is in PATH"


class GitFailed(HostError):
    """A git command ended with a status that it should not. `said` is its standard error, `status` its exit status."""

    def __init__(self, argv: Sequence[str], status: int, said: str) -> None:
        shown = " ".join(argument for argument in argv if argument not in _QUIET)
        super().__init__(f"{shown} ended with status {status}: {said.strip() or 'it said nothing'}")
        self.status = status
        self.said = said


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Runs git in `cwd` with a complete environment. `options` stand before the sub-command."""

    cwd: Path
    environment: Mapping[str, str]
    options: tuple[str, ...] = field(default=_QUIET)

    def with_variables(self, **variables: str) -> Git:
        """The same git with further variables in its environment."""
        return Git(cwd=self.cwd, environment={**self.environment, **variables}, options=self.options)

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git wrote on standard output. Raises GitFailed for any status but 0, HostError without git."""
        status, output, said = self.attempt(*arguments, stdin=stdin)
        if status != 0:
            raise GitFailed(("git", *arguments), status, said)
        return output

    def attempt(self, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        """Exit status, standard output, standard error."""
        process = self.start(*arguments)
        try:
            output, said = process.communicate(stdin)
        except BaseException:
            kill_group(process)
            process.communicate()
            raise
        return process.returncode, output, os.fsdecode(said)

    def start(self, *arguments: str) -> Process:
        """A running git with pipes on its streams."""
        argv = ("git", *self.options, *arguments)
        try:
            return start(Command(argv=argv, cwd=self.cwd, environment=self.environment))
        except HostError as error:
            error.hint = _MISSING
            raise


def persons_git(environment: Environment, cwd: Path) -> Git:
    """The person's own git, for their repository."""
    kept = {name: value for name, value in environment.variables.items() if not name.startswith("GIT_")}
    kept |= {name: environment.variables[name] for name in _KEPT if name in environment.variables}
    return Git(cwd=cwd, environment={**kept, **_FIXED})


def store_git(environment: Environment, store: Path) -> Git:
    """Git on benchdog's own store: no settings of the person or the machine reach it."""
    variables = {
        **_FIXED,
        "PATH": environment.get("PATH") or os.defpath,
        "HOME": "/nonexistent",
        "GIT_DIR": str(store),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }
    return Git(cwd=store.parent, environment=variables)
