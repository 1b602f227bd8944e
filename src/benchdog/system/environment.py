"""The one door to the process's environment: read once, at the start, into a value."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """What benchdog takes from its surroundings. Passed down; nothing else reads `os.environ`."""

    variables: Mapping[str, str]
    cwd: Path
    home: Path
    state: Path
    """Where benchdog keeps runs and object stores: `$XDG_STATE_HOME/benchdog`."""
    config: Path
    """The person's own settings: `$XDG_CONFIG_HOME/benchdog/config.toml`."""
    platform: str

    def get(self, name: str) -> str | None:
        return self.variables.get(name)


def read_environment(variables: Mapping[str, str] | None = None, cwd: Path | None = None) -> Environment:
    """The environment of this process, or of the given variables and directory."""
    found = dict(os.environ if variables is None else variables)
    home = Path(found.get("HOME") or Path("~").expanduser())
    state = Path(found.get("XDG_STATE_HOME") or home / ".local" / "state")
    config = Path(found.get("XDG_CONFIG_HOME") or home / ".config")
    return Environment(
        variables=found,
        cwd=cwd or Path.cwd(),
        home=home,
        state=state / "benchdog",
        config=config / "benchdog" / "config.toml",
        platform=sys.platform,
    )
