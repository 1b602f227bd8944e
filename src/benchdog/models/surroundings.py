"""Whether a server may run beside this machine rather than on it: under WSL and in containers."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from benchdog.system.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`neighbours`: hosts on which a server may run besides this one; empty on an ordinary machine."""

    neighbours: tuple[str, ...] = ()


def read_surroundings(environment: Environment, root: Path = Path("/")) -> Surroundings:
    """Looks at a few files below `root`; on an ordinary machine that is all it costs."""
    if environment.platform != "linux" or not (_is_wsl(environment, root) or _is_container(root)):
        return Surroundings()
    gateway = default_gateway(_read(root / "proc/net/route"))
    return Surroundings(neighbours=tuple(host for host in (gateway, "host.docker.internal") if host))


def default_gateway(routes: str) -> str | None:
    """The gateway of the default route in the text of `/proc/net/route` (little-endian hexadecimal IPv4)."""
    for line in routes.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 3 and fields[1] == "00000000" and fields[2] != "00000000":
            try:
                return socket.inet_ntoa(struct.pack("<I", int(fields[2], 16)))
            except (ValueError, struct.error):
                continue
    return None


def _is_wsl(environment: Environment, root: Path) -> bool:
    return bool(environment.get("WSL_DISTRO_NAME")) or "microsoft" in _read(root / "proc/sys/kernel/osrelease").lower()


def _is_container(root: Path) -> bool:
    return (root / ".dockerenv").exists() or (root / "run/.containerenv").exists()


def _read(path: Path) -> str:
    try:
        return path.read_text("latin-1")
    except OSError:
        return ""
