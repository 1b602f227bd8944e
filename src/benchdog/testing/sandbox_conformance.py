"""What every sandbox promises, as functions that take one and raise AssertionError where it does not keep a promise.

`PROMISES` hold for every backend, also for the one that enforces nothing; `DEFENCES` for those that enforce. What such
a backend must stop is in `sandbox_attacks.py`. The sandbox under test must find `python3` on its PATH, and everything
happens below the given empty directory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchdog.sandbox.policy import Lending, Lent, Policy, Sandbox, SandboxedCommand, SandboxedResult
from benchdog.system.cancel import Cancel

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Yard:
    """A person's repository, a checkout of it, and what lies beside: all below one directory."""

    place: Path

    @property
    def repository(self) -> Path:
        return self.place / "home" / "project"

    @property
    def tree(self) -> Path:
        return self.place / "state" / "tree"

    def policy(self, *, writable: bool = False, lent: tuple[Lent, ...] = (), scratch: Path | None = None) -> Policy:
        return Policy(tree=self.tree, mount_at=self.repository, writable=writable, lent=lent, scratch=scratch)


def lay_out(place: Path) -> Yard:
    """Makes the yard: `a` in the tree, ignored paths and secrets in the repository, a sibling beside it."""
    yard = Yard(place.resolve())
    for folder in (yard.tree / "sub", yard.repository / ".venv", yard.repository / "build", yard.repository / "sub"):
        folder.mkdir(parents=True)
    (yard.tree / "a").write_text("checked\n")
    (yard.repository / "a").write_text("original\n")
    (yard.repository / ".venv" / "library").write_text("library\n")
    (yard.repository / "build" / "output").write_text("built\n")
    (yard.repository / "local.ini").write_text("local\n")
    (yard.repository / ".env").write_text("SECRET\n")
    (yard.place / "home" / "sibling").write_text("SECRET\n")
    return yard


def listing(place: Path) -> dict[str, str]:
    """Every path below with its content: what must be the same before and after."""
    found = {}
    for folder, _, files in os.walk(place):
        found[folder] = ""
        for name in files:
            path = Path(folder, name)
            found[str(path)] = str(path.readlink()) if path.is_symlink() else path.read_text(errors="replace")
    return found


def shell(sandbox: Sandbox, policy: Policy, line: str, *, timeout: float = _SECONDS, cwd: str = ".") -> SandboxedResult:
    return sandbox.run(SandboxedCommand(argv=("/bin/sh", "-c", line), cwd=cwd, timeout=timeout), policy)


def text(result: SandboxedResult) -> str:
    return result.output.value().decode(errors="replace")


# --- promises of every backend -------------------------------------------------------------------------------------


def runs_in_the_tree(sandbox: Sandbox, yard: Yard) -> None:
    """The command sees the checked tree, not the person's own, and starts in the directory that it asked for."""
    result = shell(sandbox, yard.policy(), "cat ../a; pwd", cwd="sub")
    assert text(result).splitlines()[0] == "checked"
    assert text(result).splitlines()[1].endswith("/sub")
    assert (result.exit_status, result.timed_out, result.cancelled) == (0, False, False)


def throws_writes_away(sandbox: Sandbox, yard: Yard) -> None:
    """Nothing that a command writes below its tree stays, and nothing of the sandbox's own does."""
    before = listing(yard.place)
    line = (
        "echo x >> a; rm -r sub; mkdir -p new/deep; chmod 0 new/deep; ln -s / out; mkfifo pipe; cat a; ls -d new/deep"
    )
    result = shell(sandbox, yard.policy(), line)
    assert text(result) == "checked\nx\nnew/deep\n"
    assert listing(yard.place) == before


def starts_fresh_each_time(sandbox: Sandbox, yard: Yard) -> None:
    for _ in range(2):
        assert text(shell(sandbox, yard.policy(), "cat kept 2>/dev/null; echo 1 > kept; cat kept")) == "1\n"


def lends_as_told(sandbox: Sandbox, yard: Yard) -> None:
    """Lent paths are where they belong; private ones and copies can be written, and what was written is gone after."""
    before = listing(yard.place)
    lent = (
        Lent(path=".venv", source=yard.repository / ".venv", how=Lending.READ_ONLY),
        Lent(path="build", source=yard.repository / "build", how=Lending.PRIVATE),
        Lent(path="deep/er/build", source=yard.repository / "build", how=Lending.PRIVATE),
        Lent(path="local.ini", source=yard.repository / "local.ini", how=Lending.COPY),
        Lent(path="gone", source=yard.repository / "gone", how=Lending.COPY),
    )
    line = (
        "echo x >> build/output && rm deep/er/build/output && echo y >> local.ini && "
        "cat .venv/library build/output local.ini && ls -A deep/er/build"
    )
    assert text(shell(sandbox, yard.policy(lent=lent), line)) == "library\nbuilt\nx\nlocal\ny\n"
    assert listing(yard.place) == before


def tells_how_it_ended(sandbox: Sandbox, yard: Yard) -> None:
    """Exit statuses pass; a signal is 128 and its number, as a shell says it."""
    ends = {"exit 0": 0, "exit 3": 3, "kill -9 $$": 137, "kill -TERM $$": 143, "exit 125": 125, "no-such-program": 127}
    found = {line: shell(sandbox, yard.policy(), line).exit_status for line in ends}
    assert found == ends


def interleaves_output(sandbox: Sandbox, yard: Yard) -> None:
    seen: list[bytes] = []
    command = SandboxedCommand(
        argv=("/bin/sh", "-c", "echo 1; echo 2 >&2; echo 3; cat"), stdin=b"4\n", timeout=_SECONDS
    )
    result = sandbox.run(command, yard.policy(), on_output=seen.append)
    assert (text(result), b"".join(seen)) == ("1\n2\n3\n4\n", b"1\n2\n3\n4\n")


def bounds_output(sandbox: Sandbox, yard: Yard) -> None:
    result = shell(sandbox, yard.policy(), "yes | head -c 20000000; echo end")
    value = result.output.value()
    assert (result.output.total, value[:2], value[-4:]) == (20_000_004, b"y\n", b"end\n")
    assert len(value) < 1_000_000


def ends_in_time(sandbox: Sandbox, yard: Yard) -> None:
    """A command that ignores being asked ends at its limit, and nothing of it is left."""
    with lifeline(yard) as (scratch, all_ended):
        line = f"trap '' TERM; exec 3>{_LINE}; echo up >&3; sleep 600 & sleep 600"
        result = shell(sandbox, yard.policy(scratch=scratch), line, timeout=0.5)
        assert result.timed_out
        assert result.seconds < 10
        assert all_ended()


def ends_when_cancelled(sandbox: Sandbox, yard: Yard) -> None:
    cancel = Cancel()
    command = SandboxedCommand(argv=("/bin/sh", "-c", "echo up; sleep 600"), timeout=_SECONDS)
    result = sandbox.run(command, yard.policy(), cancel=cancel, on_output=lambda _: cancel.set())
    assert result.cancelled
    assert not result.timed_out


def leaves_no_process(sandbox: Sandbox, yard: Yard) -> None:
    """A process that left its group, session and parent ends with the command."""
    with lifeline(yard) as (scratch, all_ended):
        result = sandbox.run(
            SandboxedCommand(argv=("/bin/sh", "-c", _DAEMON), timeout=_SECONDS), yard.policy(scratch=scratch)
        )
        assert (result.exit_status, result.timed_out) == (0, False), text(result)
        assert all_ended()


def gives_scratch(sandbox: Sandbox, yard: Yard) -> None:
    scratch = yard.place / "scratch"
    scratch.mkdir()
    result = shell(
        sandbox, yard.policy(scratch=scratch), 'echo told > "$BENCHDOG_SCRATCH/told"; echo "${BENCHDOG_SCRATCH:+set}"'
    )
    assert (text(result), (scratch / "told").read_text()) == ("set\n", "told\n")
    assert text(shell(sandbox, yard.policy(), 'echo "${BENCHDOG_SCRATCH:-unset}"')) == "unset\n"


def writes_no_core(sandbox: Sandbox, yard: Yard) -> None:
    assert text(shell(sandbox, yard.policy(), "ulimit -c")) == "0\n"


PROMISES: tuple[Callable[[Sandbox, Yard], None], ...] = (
    runs_in_the_tree,
    throws_writes_away,
    starts_fresh_each_time,
    lends_as_told,
    tells_how_it_ended,
    interleaves_output,
    bounds_output,
    ends_in_time,
    ends_when_cancelled,
    leaves_no_process,
    gives_scratch,
    writes_no_core,
)

# A pipe with a name, held open by whoever is to be gone later: its reader sees the end of the last of them.
_LINE = '"$BENCHDOG_SCRATCH"/line'
_DAEMON = f"""
python3 - {_LINE} "$BENCHDOG_SCRATCH"/ready >/dev/null 2>&1 <<'END'
import os, sys, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
line = os.open(sys.argv[1], os.O_WRONLY)
os.write(line, b"up")
os.closerange(0, line)
with open(sys.argv[2], "w") as ready:
    ready.write("up")
time.sleep(600)
END
read up < "$BENCHDOG_SCRATCH"/ready || [ "$up" = up ]
"""


@contextmanager
def lifeline(yard: Yard) -> Iterator[tuple[Path, Callable[[], bool]]]:
    """A scratch directory with the pipe `line`, and a question: did all who wrote to it end?"""
    scratch = yard.place / "lifeline"
    scratch.mkdir()
    os.mkfifo(scratch / "line")
    os.mkfifo(scratch / "ready")
    reader = os.open(scratch / "line", os.O_RDONLY | os.O_NONBLOCK)

    def all_ended() -> bool:
        said = b""
        try:
            while piece := os.read(reader, 100):
                said += piece
        except BlockingIOError:
            return False
        assert said.startswith(b"up"), "the process that should be gone was never there"
        return True

    try:
        yield scratch, all_ended
    finally:
        os.close(reader)


# --- what only a real sandbox promises -----------------------------------------------------------------------------


def shows_nothing_beside_the_tree(sandbox: Sandbox, yard: Yard) -> None:
    result = shell(sandbox, yard.policy(), f"ls -A '{yard.repository.parent}'; pwd")
    assert text(result) == f"project\n{yard.repository}\n"


def keeps_what_is_read_only(sandbox: Sandbox, yard: Yard) -> None:
    lent = (Lent(path=".venv", source=yard.repository / ".venv", how=Lending.READ_ONLY),)
    places = "/usr/planted /etc/planted /planted .venv/planted"
    result = shell(sandbox, yard.policy(lent=lent), f"for p in {places}; do (: > $p) 2>/dev/null && echo $p; done")
    assert text(result) == ""


def has_a_loopback_of_its_own(sandbox: Sandbox, yard: Yard) -> None:
    script = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(s.getsockname()); print('up')"
    )
    result = sandbox.run(SandboxedCommand(argv=("python3", "-c", script), timeout=_SECONDS), yard.policy())
    assert text(result) == "up\n"


def gives_no_rights(sandbox: Sandbox, yard: Yard) -> None:
    """No capabilities, none to be had, and no descriptors but the three streams."""
    line = "grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs)' /proc/self/status; "
    line += "for n in $(seq 0 255); do [ -e /proc/$$/fd/$n ] && echo $n; done"
    shown = text(shell(sandbox, yard.policy(), line)).split()
    none = "0000000000000000"
    assert shown == ["CapPrm:", none, "CapEff:", none, "CapBnd:", none, "NoNewPrivs:", "1", "0", "1", "2"], shown


def lends_a_made_up_git(sandbox: Sandbox, yard: Yard) -> None:
    """The `.git` is there, can be written, and stays as it was."""
    made_up = yard.place / "made-up"
    made_up.mkdir()
    (made_up / "HEAD").write_text("ref: refs/heads/main\n")
    policy = Policy(tree=yard.tree, mount_at=yard.repository, git_directory=made_up)
    assert (
        text(shell(sandbox, policy, "cat .git/HEAD; echo x > .git/HEAD; cat .git/HEAD")) == "ref: refs/heads/main\nx\n"
    )
    assert (made_up / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert text(shell(sandbox, yard.policy(), "ls -d .git 2>/dev/null || echo none")) == "none\n"


def writes_where_it_may(sandbox: Sandbox, yard: Yard) -> None:
    """Under a writable policy the tree itself changes; the places made for what is lent are gone after."""
    lent = (
        Lent(path=".venv", source=yard.repository / ".venv", how=Lending.READ_ONLY),
        Lent(path="local.ini", source=yard.repository / "local.ini", how=Lending.COPY),
    )
    result = shell(
        sandbox, yard.policy(writable=True, lent=lent), "cat .venv/library local.ini; echo n > new; echo z > local.ini"
    )
    assert text(result) == "library\nlocal\n"
    assert sorted(path.name for path in yard.tree.iterdir()) == ["a", "new", "sub"]
    assert (yard.repository / "local.ini").read_text() == "local\n"


DEFENCES: tuple[Callable[[Sandbox, Yard], None], ...] = (
    shows_nothing_beside_the_tree,
    keeps_what_is_read_only,
    has_a_loopback_of_its_own,
    gives_no_rights,
    lends_a_made_up_git,
    writes_where_it_may,
)
