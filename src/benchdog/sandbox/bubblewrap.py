"""The bubblewrap backend: a policy becomes an argument list (pure), and a thin run around it.

The chain of processes is `unshare` (a mount namespace for the overlays) -> `setpriv` (die with benchdog) -> `sh`
(mounts the overlays) -> `bwrap` -> a second `sh`, process 1 of a new process namespace -> the command. The first four
become one another by exec, so the one child that benchdog waits for is bwrap; when it ends, process 1 is killed, and
the kernel ends the namespace with it. Who kills benchdog while that is still being set up is met by the handshake:
process 1 starts the command only after benchdog answered, and by then all of it dies together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchdog.errors import SandboxUnavailable
from benchdog.sandbox.bwrap_pipes import argument_file, await_gone, status_pipe
from benchdog.sandbox.environment import Seen, command_environment
from benchdog.sandbox.layers import Layer, private_layer
from benchdog.sandbox.policy import Lending, Policy, SandboxedCommand, SandboxedResult
from benchdog.sandbox.survey import Survey, survey_host
from benchdog.system.cancel import Cancel
from benchdog.system.environment import Environment
from benchdog.system.process import Command, Completed, run

SCRATCH_PLACE = Path("/run/benchdog")
TEMPORARY_BYTES = 4 * 1024**3  # /tmp is memory: a check that fills it stops there
HOME_BYTES = 1024**3
# Mounts overlay 0, 1, … of the layer's folder, then becomes bwrap. $0 mount program, $1 folder, $2 count, $3 options,
# $4 benchdog. From `setpriv` on, the kernel kills this chain with benchdog; who died before that is no parent here.
_LAUNCH = """
[ "$PPID" = "$4" ] || exit 125
ulimit -c 0
cd "$1" || exit 125
i=0
while [ "$i" -lt "$2" ]; do
  "$0" -t overlay -o "$3lowerdir=$i/lower,upperdir=$i/upper,workdir=$i/work" benchdog "$i/merged" || exit 125
  i=$((i + 1))
done
shift 4
exec "$@"
"""
# Process 1. It says that it is there, waits to be answered, then runs the command in the foreground (so that signals
# are as usual in it) and reaps what is orphaned. Its own remarks about a killed command go nowhere.
_ALIVE = b"\x06"
_INIT = r"""printf '\006'; IFS= read -r go || exit 125; exec 3>&2 2>/dev/null; "$@" 2>&3 3>&-; exit $?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The system's programs that make the sandbox, by absolute path.

    `unshare` and `mount` None: no overlays. `setpriv` None: a benchdog that is killed within the millisecond in which
    a command starts may leave it running, until benchdog starts again.
    """

    bwrap: Path
    shell: Path = Path("/bin/sh")
    unshare: Path | None = None
    mount: Path | None = None
    setpriv: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What this system's bubblewrap and kernel were seen to do.

    `overlay`: the flags of `unshare` under which an overlay can be mounted; empty: plain copies instead.
    """

    sizes: bool = True
    disable_userns: bool = True
    overlay: str = ""


def bubblewrap_argv(policy: Policy, survey: Survey, features: Features) -> tuple[str, ...]:
    """bwrap's options for a policy whose tree and lent sources are private already. Pure.

    Mounts are made in this order, and a later one covers an earlier one:
      1. the system, read-only: everything else may lie inside of it or replace a part of it
      2. /proc, /dev: new ones, of the command's own namespaces
      3. empty /tmp, /var/tmp and home: before toolchains, exposed paths and the tree, which may lie in them
      4. toolchains and exposed paths, read-only: before the tree, which may lie below an exposed path
      5. the tree at the place of the person's repository
      6. what is lent, outer paths first: inside of the tree
      7. the scratch directory
      8. the root itself becomes read-only: last, since bwrap makes mount points in it until here
    """
    return (
        *_namespaces(survey, features),
        *_system(survey),
        *("--proc", "/proc", "--dev", "/dev"),
        *_empty(survey, features),
        *_shown(survey.binds, policy, system=False),
        *_links(survey, system=False),
        *_shown(policy.expose, policy, system=None),
        *("--bind", str(policy.tree), str(policy.mount_at)),
        *_lent(policy),
        *(("--bind", str(policy.scratch), str(SCRATCH_PLACE)) if policy.scratch else ()),
        *("--remount-ro", "/"),
    )


def _namespaces(survey: Survey, features: Features) -> Iterator[str]:
    # bwrap's own process 1 binds its life to bwrap's only when the command runs already: ours is bound before.
    yield from ("--unshare-all", "--unshare-user", "--as-pid-1", "--die-with-parent", "--new-session")
    yield from ("--uid", str(survey.uid), "--gid", str(survey.gid), "--cap-drop", "ALL")
    if features.disable_userns:
        yield "--disable-userns"


_SYSTEM_ROOTS = tuple(
    Path(root) for root in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/nix", "/gnu")
)


def _is_system(path: Path) -> bool:
    return any(path.is_relative_to(root) for root in _SYSTEM_ROOTS)


def _system(survey: Survey) -> Iterator[str]:
    for bind in survey.binds:
        if _is_system(bind):
            yield from ("--ro-bind", str(bind), str(bind))
    yield from _links(survey, system=True)


def _links(survey: Survey, *, system: bool) -> Iterator[str]:
    for text, place in survey.links:
        if _is_system(place) is system:
            yield from ("--symlink", text, str(place))


def _empty(survey: Survey, features: Features) -> Iterator[str]:
    places: list[tuple[str, int, str]] = [
        ("1777", TEMPORARY_BYTES, "/tmp"),  # noqa: S108 - the command's own
        ("1777", TEMPORARY_BYTES, "/var/tmp"),  # noqa: S108
        ("0700", HOME_BYTES, str(survey.home)),
    ]
    for mode, size, place in places:
        if features.sizes:
            yield from ("--size", str(size))
        yield from ("--perms", mode, "--tmpfs", place)


def _shown(paths: Iterable[Path], policy: Policy, *, system: bool | None) -> Iterator[str]:
    for path in paths:
        if system is None or _is_system(path) is system:
            yield from ("--ro-bind", str(path), str(path))


def _lent(policy: Policy) -> Iterator[str]:
    for lent in policy.lent:
        place = policy.mount_at / lent.path
        yield from ("--ro-bind" if lent.how is Lending.READ_ONLY else "--bind", str(lent.source), str(place))


class Bubblewrap:
    """Runs commands under bubblewrap. Made by `choose.py`, which has tried what `features` says."""

    name = "bubblewrap"
    unsafe = False

    def __init__(self, environment: Environment, programs: Programs, features: Features) -> None:
        self.environment = environment
        self.programs = programs
        self.features = features
        self._copying: set[int] = set()
        """Devices (st_dev) on which an overlay could not be mounted."""

    @property
    def layers(self) -> tuple[str, ...]:
        private = "overlayfs" if self.features.overlay and not self._copying else "a copy for every command"
        found = [
            "own user, process, mount, network, IPC and host-name namespaces",
            "no network but its own loopback",
            "no capabilities, no new privileges",
            f"private tree ({private})",
        ]
        if self.features.disable_userns:
            found.append("no user namespaces inside")
        return tuple(found)

    def run(
        self,
        command: SandboxedCommand,
        policy: Policy,
        *,
        cancel: Cancel | None = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> SandboxedResult:
        """See `policy.Sandbox`."""
        _refuse_impossible(policy)
        device = policy.tree.parent.stat().st_dev
        if self.features.overlay and device not in self._copying:
            result = self._attempt(command, policy, overlay=True, cancel=cancel, on_output=on_output)
            if result is not None:
                return result
            self._copying.add(device)
        result = self._attempt(command, policy, overlay=False, cancel=cancel, on_output=on_output)
        assert result is not None, "only an overlay is given up"
        return result

    def _attempt(
        self,
        command: SandboxedCommand,
        policy: Policy,
        *,
        overlay: bool,
        cancel: Cancel | None,
        on_output: Callable[[bytes], None] | None,
    ) -> SandboxedResult | None:
        """One run; None where the overlay could not be mounted. Raises SandboxUnavailable where nothing ran."""
        survey = survey_host(self.environment, policy.mount_at, policy.lent)
        with private_layer(policy, overlay=overlay) as layer, status_pipe() as status:
            options = (*bubblewrap_argv(layer.policy, survey, self.features), *self._for(command, policy, survey))
            with argument_file(options) as arguments:
                bwrap = (str(self.programs.bwrap), "--json-status-fd", str(status.writing), "--args", str(arguments))
                started = Command(
                    argv=(*self._launcher(layer), *bwrap, "--", "/bin/sh", "-c", _INIT, "sh", *command.argv),
                    cwd=layer.folder,
                    environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                    stdin=command.stdin,
                    timeout=command.timeout,
                    pass_fds=(status.writing, arguments),
                    merge=True,
                    handshake=_ALIVE,
                )
                completed = run(started, cancel=cancel, on_output=on_output)
            facts = status.read()
            await_gone(facts.get("child-pid"))
        if completed.timed_out or completed.cancelled or ("exit-code" in facts and not _is_bwraps_own(completed)):
            return _result(completed)
        if layer.overlays and "child-pid" not in facts and not _is_bwraps_own(completed):
            return None
        raise _failed(completed)

    def _launcher(self, layer: Layer) -> tuple[str, ...]:
        programs = self.programs
        options = "userxattr," if "U" in self.features.overlay else ""
        script = (str(layer.folder), str(layer.overlays), options, str(os.getpid()))
        namespace = (str(programs.unshare), self.features.overlay) if layer.overlays else ()
        bound = (str(programs.setpriv), "--pdeathsig", "KILL") if programs.setpriv else ()
        return (*namespace, *bound, str(programs.shell), "-c", _LAUNCH, str(programs.mount or ""), *script)

    def _for(self, command: SandboxedCommand, policy: Policy, survey: Survey) -> tuple[str, ...]:
        """The options that depend on the command: its directory and its environment."""
        seen = Seen(
            root=policy.mount_at,
            home=survey.home,
            scratch=SCRATCH_PLACE if policy.scratch else None,
            path=survey.path,
        )
        variables = command_environment(self.environment, policy, seen, command.cwd)
        settings = [option for name, value in variables.items() for option in ("--setenv", name, value)]
        return ("--clearenv", *settings, "--chdir", str(policy.mount_at / command.cwd))


def _refuse_impossible(policy: Policy) -> None:
    place = policy.mount_at
    if not place.is_absolute() or len(place.parts) < 2 or place in _SYSTEM_ROOTS or str(place) in ("/proc", "/dev"):
        raise SandboxUnavailable(
            f"the tree cannot be mounted at {str(place)!r}: the system itself lies there",
            hint="move the repository into a directory of its own",
        )
    for path in policy.expose:
        if not path.is_absolute() or not path.exists():
            raise SandboxUnavailable(
                f"the exposed path {str(path)!r} does not exist", hint="mend [sandbox] expose, or make the path"
            )


def _is_bwraps_own(completed: Completed) -> bool:
    """Whether all that was printed is bwrap saying that it could not set the sandbox up: its only way to tell."""
    said = completed.stdout.value()
    return completed.exit_status == 1 and re.fullmatch(rb"bwrap: [^\n]{1,2000}\n", said) is not None


def _result(completed: Completed) -> SandboxedResult:
    return SandboxedResult(
        exit_status=completed.exit_status,
        output=completed.stdout,
        seconds=completed.seconds,
        timed_out=completed.timed_out,
        cancelled=completed.cancelled,
    )


def _failed(completed: Completed) -> SandboxUnavailable:
    said = completed.stdout.value().decode(errors="replace").strip() or f"exit status {completed.exit_status}"
    return SandboxUnavailable(
        f"bubblewrap did not start the command: {said[-500:]}", hint="`benchdog doctor` says what this system allows"
    )
