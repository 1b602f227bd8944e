"""The environment of a sandboxed command: an allow-list, so that no secret of the person's can be in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchdog.sandbox.policy import Lent, Policy
from benchdog.system.environment import Environment

SCRATCH = "BENCHDOG_SCRATCH"
# Which version of a toolchain is meant, and where it lies: names and paths, never secrets.
_TOOLS = (
    "ASDF_DATA_DIR", "CARGO_HOME", "CONDA_PREFIX", "GOPATH", "GOROOT", "JAVA_HOME", "NVM_DIR", "PYENV_ROOT",
    "PYENV_VERSION", "RBENV_VERSION", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TZ", "VOLTA_HOME",
)  # fmt: skip
_FIXED = {
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PYTHONDONTWRITEBYTECODE": "1",
    # There is no network: tools that would wait for it fail at once, or use what they have.
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
    "UV_NO_SYNC": "1",
    "UV_OFFLINE": "1",
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
}
_DEFAULT_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where a command sees things: its tree, its home, its scratch directory, the directories of programs."""

    root: Path
    home: Path
    scratch: Path | None
    path: tuple[Path, ...]


def command_environment(environment: Environment, policy: Policy, seen: Seen, cwd: str) -> dict[str, str]:
    """All that a command gets which runs in `cwd` (relative to the tree)."""
    environments = _near(policy.lent, cwd)
    directories = [seen.root / each / "bin" for each in environments.python]
    directories += [seen.root / each for each in environments.programs]
    directories += list(seen.path) or [Path(each) for each in _DEFAULT_PATH]
    found = {name: value for name in _TOOLS if (value := environment.get(name)) is not None}
    found |= _FIXED
    found["PATH"] = ":".join(dict.fromkeys(str(directory) for directory in directories))
    found["HOME"] = str(seen.home)
    if environments.python:
        found["VIRTUAL_ENV"] = str(seen.root / environments.python[0])
    if seen.scratch is not None:
        found[SCRATCH] = str(seen.scratch)
    return found | dict(policy.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Near:
    """Lent environments that a command would use, nearest first: virtual environments, and directories of programs."""

    python: tuple[str, ...]
    programs: tuple[str, ...]


def _near(lent: Iterable[Lent], cwd: str) -> _Near:
    """Those in the command's directory and in the directories above it."""
    here = PurePosixPath(cwd)
    near = [each for each in lent if here.is_relative_to(PurePosixPath(each.path).parent)]
    near.sort(key=lambda each: -each.path.count("/"))
    programs = [f"{each.path}/.bin" for each in near if PurePosixPath(each.path).name == "node_modules"]
    programs += [f"{each.path}/bin" for each in near if PurePosixPath(each.path).name == "vendor"]
    python = [each.path for each in near if (each.source / "pyvenv.cfg").is_file()]
    return _Near(python=tuple(python), programs=tuple(programs))
