"""Which sandbox this system has: found by trying it for real, once a process. Never falls back to less silently."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from benchdog.errors import HostError, SandboxUnavailable
from benchdog.sandbox.bubblewrap import Bubblewrap, Features, Programs
from benchdog.sandbox.layers import own_folder
from benchdog.sandbox.policy import Policy, Sandbox, SandboxedCommand
from benchdog.sandbox.unsafe import Unsafe
from benchdog.system.environment import Environment
from benchdog.system.process import kill_strays

# Programs that make the sandbox come from the system's own directories, never from the person's PATH: a repository
# that the person works in may have put itself there.
_PROGRAM_DIRECTORIES = ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/run/current-system/sw/bin")
_TRIAL_SECONDS = 10.0
_INSTALL = {
    "debian": "sudo apt-get install bubblewrap",
    "ubuntu": "sudo apt-get install bubblewrap",
    "fedora": "sudo dnf install bubblewrap",
    "rhel": "sudo dnf install bubblewrap",
    "suse": "sudo zypper install bubblewrap",
    "arch": "sudo pacman -S bubblewrap",
    "alpine": "sudo apk add bubblewrap util-linux",
    "nixos": "nix-env -iA nixos.bubblewrap",
}
_ELSE = "or run with --unsafe-no-sandbox: checks then run with all your rights"
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_APPARMOR_FIX = (
    "Ubuntu 24.04 and later restrict user namespaces through AppArmor. Install the profile that lets bubblewrap have "
    "them: sudo apt-get install apparmor-profiles && sudo ln -s "
    "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo systemctl reload apparmor"
)

_found: dict[tuple[Path, str], Sandbox] = {}
_lock = Lock()


def choose_sandbox(environment: Environment, *, unsafe: bool) -> Sandbox:
    """The first backend that works here; `unsafe` asks for the one that enforces nothing, and gets no other.

    Raises SandboxUnavailable with the line that would install one.
    """
    if unsafe:
        return Unsafe(environment)
    key = (environment.state, environment.get("PATH") or "")
    with _lock:
        if key not in _found:
            _found[key] = _first(environment)
        return _found[key]


def _first(environment: Environment) -> Sandbox:
    reasons = []
    for try_backend in _BACKENDS:
        try:
            return try_backend(environment)
        except SandboxUnavailable as error:
            reasons.append(error)
    raise reasons[0]


def _try_bubblewrap(environment: Environment) -> Sandbox:
    if environment.platform != "linux":
        raise SandboxUnavailable(
            f"this version has no sandbox for {environment.platform}",
            hint="--unsafe-no-sandbox is the only way here: checks then run with all your rights",
        )
    bwrap = _program("bwrap")
    if bwrap is None:
        raise SandboxUnavailable(
            "bubblewrap is not installed (no bwrap in /usr/bin)", hint=f"{install_line()}, {_ELSE}"
        )
    programs = Programs(bwrap=bwrap, unshare=_program("unshare"), mount=_program("mount"), setpriv=_program("setpriv"))
    failures = []
    for features in _candidates(programs, os.getuid()):
        sandbox = Bubblewrap(environment, programs, features)
        try:
            _trial(sandbox, environment)
        except SandboxUnavailable as error:
            failures.append(error)
            continue
        return sandbox
    raise SandboxUnavailable(failures[-1].message, hint=_reason(failures[-1].message))


_BACKENDS: tuple[Callable[[Environment], Sandbox], ...] = (_try_bubblewrap,)


def _candidates(programs: Programs, uid: int) -> list[Features]:
    """What to try, best first. The first one holds on current systems, so the rest costs nothing there."""
    overlays = [""]
    if programs.unshare and programs.mount:
        # Root needs no user namespace for a mount, and keeps the owners of files without one.
        overlays = ["-m", "-Urm"] if uid == 0 else ["-Urm"]
    full = [Features(overlay=overlay) for overlay in overlays]
    older = [Features(overlay=overlays[-1], sizes=sizes, disable_userns=False) for sizes in (True, False)]
    return [*full, *older]


def _trial(sandbox: Bubblewrap, environment: Environment) -> None:
    """Runs `true` as a check would run, beside where trees will lie. Raises SandboxUnavailable."""
    try:
        environment.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        kill_strays("bwrap", environment.state.resolve(), removed_only=True)
        with own_folder(environment.state) as place:
            tree = place / "tree"
            tree.mkdir()
            policy = Policy(tree=tree, mount_at=Path("/tmp/trial"))  # noqa: S108 - inside of the sandbox
            result = sandbox.run(SandboxedCommand(argv=("/bin/true",), timeout=_TRIAL_SECONDS), policy)
    except OSError as error:
        raise HostError(
            f"cannot write in {environment.state}: {error.strerror or error}",
            hint="set XDG_STATE_HOME to a directory that can be written",
        ) from error
    if result.exit_status != 0:
        said = result.output.value().decode(errors="replace").strip()
        raise SandboxUnavailable(f"a trial of bubblewrap failed (exit status {result.exit_status}): {said[-500:]}")


def _program(name: str) -> Path | None:
    for directory in _PROGRAM_DIRECTORIES:
        path = Path(directory) / name
        if os.access(path, os.X_OK):
            return path
    return None


def install_line(release: Path = Path("/etc/os-release")) -> str:
    """The command that installs bubblewrap on this system, by its `ID` and `ID_LIKE` (os-release(5))."""
    try:
        text = release.read_text(errors="replace")[:16_384]
    except OSError:
        text = ""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    lines = [
        line for name in names for known, line in _INSTALL.items() if name == known or name.startswith(f"{known}-")
    ]
    return lines[0] if lines else "install the package `bubblewrap` of your system"


def _reason(said: str, apparmor: Path = _APPARMOR) -> str:
    """What a person can do about bubblewrap that is there but does not work."""
    try:
        restricted = apparmor.read_text().strip() == "1"
    except OSError:
        restricted = False
    if restricted:
        return f"{_APPARMOR_FIX}; {_ELSE}"
    if "setting up uid map" in said or "user namespace" in said or "Creating new namespace" in said:
        return (
            "this kernel or container gives no user namespaces: look at user.max_user_namespaces and "
            f"kernel.unprivileged_userns_clone (sysctl), or at the container's seccomp profile; {_ELSE}"
        )
    return _ELSE.removeprefix("or ")
