"""What of the host a sandboxed command needs to see: the system's read-only parts and the toolchains on PATH.

Toolchains are found, not configured: each PATH entry, the interpreters of lent virtual environments, and whatever
their symbolic links lead to. Only what is needed becomes visible, and nothing of it can be written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchdog.sandbox.policy import Lent
from benchdog.system.environment import Environment

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
# Of /etc only what tools read: no host keys, no shadow files, no private keys, no mail or network credentials.
ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts",
    "gai.conf", "group", "host.conf", "hostname", "hosts", "inputrc", "java", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "locale.alias", "localtime", "magic", "man_db.conf", "manpath.config", "mime.types",
    "nsswitch.conf", "os-release", "passwd",
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
_PROGRAMS = ("bin", "sbin", "condabin")
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
    home = str(environment.home)
    found = _Finder(home, str(mount_at))
    found.add_system()
    for each in lent:
        found.add_interpreters(str(each.source))
    entries = [os.path.normpath(entry) for entry in (environment.get("PATH") or "").split(":") if entry[:1] == "/"]
    entries = list(dict.fromkeys(entries))
    for entry in entries:
        found.add_tools(entry)
    for place in _packages(environment, home):
        found.add(place)
    return Survey(
        home=_home(home, str(mount_at)),
        uid=os.getuid(),
        gid=os.getgid(),
        binds=tuple(Path(bind) for bind in sorted(found.binds)),
        links=tuple((text, Path(place)) for place, text in sorted(found.links.items())),
        path=tuple(Path(entry) for entry in entries if found.sees(entry)),
    )


def follow(path: str, known: dict[str, str | None] | None = None) -> tuple[dict[str, str], str]:
    """Every symbolic link on the way through an absolute path (place -> text), and the real path at its end.

    `known` remembers what each place held: the text of a link, or None.
    """
    known = {} if known is None else known
    links: dict[str, str] = {}
    todo = path.split("/")[::-1]
    here, hops = "", 0
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            here = here.rpartition("/")[0]
            continue
        step = f"{here}/{part}"
        if step not in known:
            known[step] = _link_text(step)
        text = known[step]
        if text is None or hops >= _HOPS:
            here = step
            continue
        hops += 1
        links[step] = text
        if text[:1] == "/":
            here = ""
        todo.extend(text.split("/")[::-1])
    return links, here or "/"


def is_below(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies below it. Both are absolute and normal."""
    return root in (path, "/") or path.startswith(f"{root}/")


def _link_text(place: str) -> str | None:
    try:
        return os.readlink(place)  # noqa: PTH115 - the exact text, not a tidied path
    except OSError:
        return None


def _home(home: str, mount_at: str) -> Path:
    """Where the empty home lies: at the person's own path, unless that is in the way of something else."""
    inside_system = any(is_below(home, root) for root in (*SYSTEM, "/etc", "/proc", "/dev"))
    if home[:1] != "/" or home == "/" or is_below(home, mount_at) or inside_system:
        return Path("/tmp/home")  # noqa: S108 - inside of the sandbox
    return Path(home)


def _packages(environment: Environment, home: str) -> list[str]:
    """What language tools keep in the home besides programs: packages that were installed or fetched there."""
    cargo = environment.get("CARGO_HOME") or f"{home}/.cargo"
    rustup = environment.get("RUSTUP_HOME") or f"{home}/.rustup"
    go = environment.get("GOPATH") or f"{home}/go"
    own = f"{home}/.local/lib"
    return [
        *(f"{cargo}/{name}" for name in ("registry", "git")),  # not its configuration: it may hold tokens
        *(f"{rustup}/{name}" for name in ("toolchains", "settings.toml")),
        f"{go}/pkg/mod",
        *(f"{own}/{name}" for name in _names(own) if name.startswith("python3")),
        f"{home}/.m2/repository",
    ]


class _Finder:
    """Collects what becomes visible. Every `add` is safe to call for a path that does not exist.

    Paths are plain strings here: this runs before every command, and there are hundreds of them.
    """

    def __init__(self, home: str, mount_at: str) -> None:
        self._home = home
        self._mount_at = mount_at
        self._known: dict[str, str | None] = {}
        shared = (".local", ".local/share", ".config", ".cache", ".cargo", ".gem", ".docker")
        self._shared = frozenset(f"{home}/{name}" for name in shared)
        self._holders = (home, mount_at, "/tmp", "/opt", "/var", "/srv", "/mnt", "/run", "/etc")  # noqa: S108
        self.binds: list[str] = []
        self.links: dict[str, str] = {}

    def add_system(self) -> None:
        for name in SYSTEM:
            self.add(name)
        for name in (*ETC, *(name for name in _names("/etc") if name.startswith(ETC_PREFIXES))):
            self.add(f"/etc/{name}")
        self.add("/run/current-system")  # NixOS keeps the system's profile there

    def add_tools(self, directory: str) -> None:
        """A directory of programs, the installation that it belongs to, and where links in it lead."""
        links, real = follow(directory, self._known)
        if real in ("/usr/bin", "/usr/sbin", "/bin", "/sbin") or not os.path.isdir(real):  # noqa: PTH112
            return
        self.add(self._installation(real))
        self.add(real)
        self._add_links(links)
        prefix, _, name = real.rpartition("/")
        if name in _PROGRAMS and os.path.isfile(f"{prefix}/pyvenv.cfg"):  # noqa: PTH113
            self.add_interpreters(prefix)
        for program in _linked_programs(real):
            self._add_program(program)

    def add_interpreters(self, environment: str) -> None:
        """The Python that a virtual environment runs: its `home`, and every step of the links in its `bin`."""
        home = _home_of(environment)
        if home is None:
            return
        for program in (f"{home}/python3", f"{environment}/bin/python", f"{environment}/bin/python3"):
            self._add_program(program, seen=environment)

    def sees(self, path: str) -> bool:
        """Whether the command will see it, as things stand; what lies below the tree's place counts as seen."""
        real = follow(path, self._known)[1]
        return is_below(real, self._mount_at) or self._is_bound(real)

    def add(self, path: str) -> None:
        """Makes a path visible, and the links that lead to it; nothing that holds more than was asked for."""
        links, real = follow(path, self._known)
        if is_below(real, self._mount_at) or self._is_shared(real) or not os.path.exists(real):  # noqa: PTH110
            return
        self._add_links(links)
        if self._is_bound(real):
            return
        self.binds = [bind for bind in self.binds if not is_below(bind, real)] + [real]
        self.links = {place: text for place, text in self.links.items() if not is_below(place, real)}

    def _add_program(self, program: str, seen: str = "") -> None:
        """A program, with its installation and those on the way of its links. What lies below `seen` is there."""
        links, real = follow(program, self._known)
        if not os.path.isfile(real):  # noqa: PTH113
            return
        for place in (*links, real):
            directory = place.rpartition("/")[0]
            if seen and is_below(place, seen):
                continue
            if not self.sees(directory):
                installation = self._installation(directory)
                self.add(real if installation == directory else installation)
        self._add_links({place: text for place, text in links.items() if not (seen and is_below(place, seen))})

    def _installation(self, directory: str) -> str:
        """The whole installation to which a directory of programs belongs, else the directory alone."""
        parts = directory.split("/")
        for depth in range(len(parts) - 1, 1, -1):
            manager = "/".join(parts[:depth])
            if parts[depth - 1] in _MANAGERS and not self._is_shared(manager):
                return manager
        prefix, _, name = directory.rpartition("/")
        if name not in _PROGRAMS or self._is_shared(prefix):
            return directory
        whole = any(os.path.exists(f"{prefix}/{mark}") for mark in _PREFIX_MARKS)  # noqa: PTH110
        return prefix if whole else directory

    def _is_shared(self, path: str) -> bool:
        """Whether a directory holds more than one installation, or the tree: it is never shown whole."""
        return path in self._shared or any(is_below(holder, path) for holder in self._holders)

    def _is_bound(self, path: str) -> bool:
        return any(is_below(path, bind) for bind in self.binds)

    def _add_links(self, links: dict[str, str]) -> None:
        for place, text in links.items():
            if not (is_below(place, self._mount_at) or self._is_bound(place) or self._is_shared(place)):
                self.links[place] = text


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _linked_programs(directory: str) -> list[str]:
    """The symbolic links in a directory of programs."""
    try:
        with os.scandir(directory) as entries:
            return [entry.path for entry, _ in zip(entries, range(_SCAN), strict=False) if entry.is_symlink()]
    except OSError:
        return []


def _home_of(environment: str) -> str | None:
    """`home = …` of a pyvenv.cfg; None where there is none that can be used."""
    try:
        with open(f"{environment}/pyvenv.cfg", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123
            text = lines.read(16_384)
    except OSError:
        return None
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip()[:1] == "/":
            return value.strip()
    return None
