"""What of the host a sandboxed command needs to see: the system's read-only parts and the toolchains on PATH.

Toolchains are found, not configured: each PATH entry, the interpreters of lent virtual environments, and whatever
their symbolic links lead to. Only what is needed becomes visible, and nothing of it can be written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchdog.sandbox.policy import Lent
from benchdog.system.environment import Environment

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
# Of /etc only what tools read: no host keys, no shadow files, no private keys, no mail or network credentials.
ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts",
    "gai.conf", "group", "host.conf", "hostname", "hosts", "inputrc", "java", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "locale.alias", "localtime", "magic", "mime.types", "nsswitch.conf", "os-release", "passwd",
    "perl", "pki/ca-trust", "pki/tls/certs", "pki/tls/openssl.cnf", "protocols", "python3", "services", "ssl/certs",
    "ssl/openssl.cnf", "terminfo", "timezone",
)  # fmt: skip
ETC_PREFIXES = ("java-", "python3.")  # versioned configuration that Debian links to from /usr/lib
_SCAN = 512  # entries of one PATH directory that are looked at for links
_HOPS = 40  # symbolic links in one chain, as the kernel counts
# Directories whose whole content is one version manager.
_MANAGERS = frozenset(
    {
        ".pyenv",
        ".rbenv",
        ".nodenv",
        ".goenv",
        ".jenv",
        ".asdf",
        ".volta",
        ".bun",
        ".deno",
        ".sdkman",
        "mise",
        ".juliaup",
    }
)
_PREFIX_MARKS = ("lib", "lib64", "libexec", "pyvenv.cfg", "conda-meta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """`binds`: real host paths, ancestors first, none below another. `links`: symbolic links, (text, place).

    `path` are the PATH directories that the command will see, `home` the place of its own empty home.
    """

    home: Path
    uid: int
    gid: int
    binds: tuple[Path, ...] = ()
    links: tuple[tuple[str, Path], ...] = ()
    path: tuple[Path, ...] = ()


def survey_host(environment: Environment, mount_at: Path, lent: Iterable[Lent] = ()) -> Survey:
    """Looks at the host for a tree that will be mounted at `mount_at`. Nothing below that is taken from the host."""
    found = _Finder(environment, mount_at)
    found.add_system()
    for each in lent:
        found.add_interpreters(each.source)
    entries = [Path(entry) for entry in (environment.get("PATH") or "").split(":") if entry.startswith("/")]
    for entry in entries:
        found.add_tools(entry)
    found.add_home_tools()
    return Survey(
        home=_home(environment.home, mount_at),
        uid=os.getuid(),
        gid=os.getgid(),
        binds=tuple(sorted(found.binds)),
        links=tuple(sorted((text, place) for place, text in found.links.items())),
        path=tuple(dict.fromkeys(entry for entry in entries if found.sees(entry))),
    )


def follow(path: Path) -> tuple[dict[Path, str], Path]:
    """Every symbolic link on the way through `path` (place -> text), and the real path at its end."""
    links: dict[Path, str] = {}
    todo = list(reversed(path.parts[1:]))
    here = Path("/")
    while todo:
        part = todo.pop()
        if part == "..":
            here = here.parent
            continue
        step = here / part
        try:
            text = os.readlink(step)  # noqa: PTH115 - the exact text, not a tidied path
        except OSError:
            here = step
            continue
        if len(links) >= _HOPS:
            break
        links[step] = text
        target = PurePosixPath(text)
        if target.is_absolute():
            here = Path("/")
        todo.extend(part for part in reversed(target.parts) if part != "/")
    return links, here


def _home(home: Path, mount_at: Path) -> Path:
    """Where the empty home lies: at the person's own path, unless that is in the way of something else."""
    blocked = mount_at.is_relative_to(home) and mount_at == home
    if blocked or home.is_relative_to(mount_at) or not home.is_absolute() or len(home.parts) < 2:
        return Path("/tmp/home")  # noqa: S108 - inside of the sandbox
    if any(home.is_relative_to(root) for root in (*SYSTEM, "/etc", "/proc", "/dev")):
        return Path("/tmp/home")  # noqa: S108
    return home


class _Finder:
    """Collects what becomes visible. Every `add` is safe to call for a path that does not exist."""

    def __init__(self, environment: Environment, mount_at: Path) -> None:
        self._environment = environment
        self._home = environment.home
        self._mount_at = mount_at
        self.binds: list[Path] = []
        self.links: dict[Path, str] = {}

    def add_system(self) -> None:
        for name in SYSTEM:
            self._add(Path(name))
        etc = Path("/etc")
        names = [*ETC, *(name for name in _names(etc) if name.startswith(ETC_PREFIXES))]
        for name in names:
            self._add(etc / name)
        self._add(Path("/run/current-system"))  # NixOS keeps the system's profile there

    def add_tools(self, directory: Path) -> None:
        """A directory of programs, the installation that it belongs to, and where links in it lead."""
        if self._within_system(directory) or not directory.is_dir():
            return
        links, real = follow(directory)
        self._add(self._installation(real))
        if not self.sees(real):
            self._add(real)
        for place, text in links.items():
            self._link(place, text)
        if real.name in ("bin", "sbin") and (real.parent / "pyvenv.cfg").is_file():
            self.add_interpreters(real.parent)
        for target in _linked_programs(real):
            self._add_program(target)

    def add_interpreters(self, environment: Path) -> None:
        """The Python that a virtual environment runs: its `home`, and every step of the links in its `bin`."""
        home = _home_of(environment)
        if home is None:
            return
        self._add_program(home / "python3")
        for name in ("python", "python3"):
            self._add_program(environment / "bin" / name)

    def add_home_tools(self) -> None:
        """What language tools keep in the home besides programs: packages that were installed or fetched there."""
        cargo = Path(self._environment.get("CARGO_HOME") or self._home / ".cargo")
        rustup = Path(self._environment.get("RUSTUP_HOME") or self._home / ".rustup")
        go = Path(self._environment.get("GOPATH") or self._home / "go")
        for path in (
            *(cargo / name for name in ("registry", "git")),  # not its configuration: it may hold tokens
            *(rustup / name for name in ("toolchains", "settings.toml")),
            go / "pkg" / "mod",
            *(self._home / ".local" / "lib").glob("python3*"),
            self._home / ".m2" / "repository",
        ):
            if path.is_absolute() and path.exists():
                self._add(path)

    def sees(self, path: Path) -> bool:
        """Whether the command will see it, as things stand; what lies below the tree's place counts as seen."""
        real = follow(path)[1]
        return real.is_relative_to(self._mount_at) or any(real.is_relative_to(bind) for bind in self.binds)

    def _add_program(self, program: Path) -> None:
        links, real = follow(program)
        for place, text in links.items():
            self._link(place, text)
            if not self.sees(place.parent):
                self._add(self._installation(place.parent))
        if not self.sees(real) and real.exists():
            self._add(self._installation(real.parent))

    def _installation(self, directory: Path) -> Path:
        """The whole installation to which a directory of programs belongs, else the directory alone."""
        for parent in directory.parents:
            if parent.name in _MANAGERS and not self._protected(parent):
                return parent
        prefix = directory.parent
        if directory.name not in ("bin", "sbin", "condabin") or self._protected(prefix):
            return directory
        if any((prefix / mark).exists() for mark in _PREFIX_MARKS):
            return prefix
        return directory

    def _protected(self, path: Path) -> bool:
        """Directories that hold more than one installation: never shown whole."""
        shared = (self._home / ".local", self._home / ".config", self._home / ".cache", self._home / ".local" / "share")
        holds = (self._home, self._mount_at, Path("/tmp"), Path("/opt"), Path("/var"), Path("/srv"), Path("/mnt"))  # noqa: S108
        return path in shared or any(place.is_relative_to(path) for place in holds)

    def _add(self, path: Path) -> None:
        links, real = follow(path)
        if real.is_relative_to(self._mount_at) or not real.exists() or self._protected(real):
            return
        for place, text in links.items():
            self._link(place, text)
        if any(real.is_relative_to(bind) for bind in self.binds):
            return
        self.binds = [bind for bind in self.binds if not bind.is_relative_to(real)] + [real]
        self.links = {place: text for place, text in self.links.items() if not place.is_relative_to(real)}

    def _link(self, place: Path, text: str) -> None:
        if place.is_relative_to(self._mount_at) or any(place.is_relative_to(bind) for bind in self.binds):
            return
        if not self._protected(place):
            self.links[place] = text

    def _within_system(self, directory: Path) -> bool:
        real = follow(directory)[1]
        return any(real.is_relative_to(root) for root in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"))


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _linked_programs(directory: Path) -> list[Path]:
    """The symbolic links in a directory of programs."""
    try:
        with os.scandir(directory) as entries:
            return [Path(entry.path) for entry, _ in zip(entries, range(_SCAN), strict=False) if entry.is_symlink()]
    except OSError:
        return []


def _home_of(environment: Path) -> Path | None:
    """`home = …` of a pyvenv.cfg; None where there is none that can be used."""
    try:
        with (environment / "pyvenv.cfg").open(encoding="utf-8", errors="replace") as lines:
            text = lines.read(16_384)
    except OSError:
        return None
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip().startswith("/"):
            return Path(value.strip())
    return None
