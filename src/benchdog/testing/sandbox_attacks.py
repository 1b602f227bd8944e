"""What a sandbox must stop: each attack runs twice, without any sandbox, where it must succeed (else it would prove
nothing), and inside.

The sandbox under test must find `python3` on its PATH, and its surroundings must hold the variable SECRET.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchdog.sandbox.policy import Sandbox, SandboxedCommand
from benchdog.system.process import Command, Process, kill_group, run, start
from benchdog.testing.sandbox_conformance import Yard, text

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Attack:
    """A Python script that prints REACHED when it got through, or whose `effect` shows on the host.

    `arrange` prepares the target and yields the script's arguments; it is entered anew for each of the two runs.
    """

    name: str
    script: str
    arrange: Callable[[Yard], AbstractContextManager[tuple[str, ...]]]
    effect: Callable[[Yard], bool] | None = None


def withstands(sandbox: Sandbox, yard: Yard, attack: Attack) -> None:
    """The attack gets through without a sandbox, and does not inside."""
    script = f"print('TRIED', flush=True)\n{attack.script}"
    with attack.arrange(yard) as arguments:
        variables = {"PATH": os.defpath, SECRET: "SECRET"}
        command = Command(
            argv=(sys.executable, "-c", script, *arguments), cwd=yard.tree, environment=variables, timeout=_SECONDS
        )
        outside = run(command)
        said = outside.stdout.value().decode()
        assert _gets_through(attack, yard, said), (
            f"{attack.name}: no positive control: {said} {outside.stderr.value()!r}"
        )
    with attack.arrange(yard) as arguments:
        inside = sandbox.run(
            SandboxedCommand(argv=("python3", "-c", script, *arguments), timeout=_SECONDS), yard.policy()
        )
        assert text(inside).startswith("TRIED"), f"{attack.name}: was not tried: {text(inside)}"
        assert not _got_through(attack, yard, text(inside)), f"{attack.name}: got through: {text(inside)}"


def _gets_through(attack: Attack, yard: Yard, said: str) -> bool:
    """Whether it gets through within a while: a killed process needs a moment to be dead."""
    end = time.monotonic() + _SECONDS
    while not _got_through(attack, yard, said) and time.monotonic() < end and attack.effect:
        time.sleep(0.001)
    return _got_through(attack, yard, said)


def _got_through(attack: Attack, yard: Yard, said: str) -> bool:
    return attack.effect(yard) if attack.effect else "REACHED" in said


SECRET = "BENCHDOG_TEST_SECRET"  # noqa: S105 - a variable that the surroundings of the sandbox under test must hold


def _paths(*names: str) -> Callable[[Yard], AbstractContextManager[tuple[str, ...]]]:
    return lambda yard: nullcontext(tuple(str(yard.place / name) for name in names))


@contextmanager
def _home_file(yard: Yard) -> Iterator[tuple[str, ...]]:
    """The name of a file that the home does not have."""
    path = yard.place / "home" / ".bashrc"
    path.unlink(missing_ok=True)
    yield (str(path),)


@contextmanager
def _target(yard: Yard) -> Iterator[tuple[str, ...]]:
    """A file outside of the tree, and a symbolic link to it inside."""
    target, link = yard.place / "home" / "target", yard.tree / "link"
    target.write_text("before")
    link.symlink_to(target)
    try:
        yield (str(target),)
    finally:
        link.unlink()


@contextmanager
def _victim(yard: Yard) -> Iterator[tuple[str, ...]]:
    """A process of the person's, with a secret in its environment."""
    program = (sys.executable, "-c", "import os; os.read(0, 1)")
    child = start(Command(argv=program, cwd=yard.place, environment={SECRET: "SECRET"}))
    _VICTIMS.append(child)
    try:
        yield (str(child.pid),)
    finally:
        _VICTIMS.remove(child)
        kill_group(child)
        for stream in (child.stdin, child.stdout, child.stderr):
            assert stream, "it has pipes"
            stream.close()


_VICTIMS: list[Process] = []


def _victim_died(yard: Yard) -> bool:
    return _VICTIMS[-1].poll() is not None


@contextmanager
def _listener(address: str | tuple[str, int], family: socket.AddressFamily) -> Iterator[socket.socket]:
    with socket.socket(family) as listener:
        listener.bind(address)
        listener.listen()
        yield listener


@contextmanager
def _loopback(yard: Yard) -> Iterator[tuple[str, ...]]:
    del yard
    with _listener(("127.0.0.1", 0), socket.AF_INET) as listener:
        yield (str(listener.getsockname()[1]),)


@contextmanager
def _unix(yard: Yard) -> Iterator[tuple[str, ...]]:
    path = yard.place / "s"
    with _listener(str(path), socket.AF_UNIX):
        yield (str(path),)
    path.unlink()


@contextmanager
def _abstract(yard: Yard) -> Iterator[tuple[str, ...]]:
    name = f"benchdog-{os.getpid()}-{yard.place.name}"
    with _listener(f"\0{name}", socket.AF_UNIX):
        yield (name,)


@contextmanager
def _shared_memory(yard: Yard) -> Iterator[tuple[str, ...]]:
    path = Path("/dev/shm") / f"benchdog-{os.getpid()}-{yard.place.name}"  # noqa: S108
    path.write_text("SECRET")
    try:
        yield (str(path),)
    finally:
        path.unlink()


@contextmanager
def _segment(yard: Yard) -> Iterator[tuple[str, ...]]:
    """A System V shared memory segment (shmget(2), shmctl(2): IPC_CREAT 0o1000, IPC_RMID 0)."""
    import ctypes  # noqa: PLC0415 - a heavy import that one attack needs

    del yard
    key = 0x42440000 + os.getpid() % 65536
    library = ctypes.CDLL(None, use_errno=True)
    segment = library.shmget(key, 4096, 0o1600)
    assert segment >= 0, "the host gives a segment"
    try:
        yield (str(key),)
    finally:
        library.shmctl(segment, 0, None)


_READ = (
    "import sys\ntry: print('REACHED' if 'SECRET' in open(sys.argv[1]).read() else '')\nexcept OSError as e: print(e)"
)
_WRITE = "import sys\ntry: open(sys.argv[1], 'w').write('x')\nexcept OSError as e: print(e)"
_CONNECT = """
import socket, sys
try: socket.socket({family}).connect({address}); print("REACHED")
except OSError as error: print(error)
"""
# unshare(2): CLONE_NEWUSER 0x10000000, CLONE_NEWNS 0x20000
_NAMESPACE = "import ctypes\nprint('REACHED' if ctypes.CDLL(None).unshare(0x10000000) == 0 else 'refused')"
_MOUNT = """
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
def mount(): return library.mount(b"none", b"/usr", b"tmpfs", 0, None) == 0
library.unshare(0x20000) == 0 or library.unshare(0x10020000)
print("REACHED" if mount() else os.strerror(ctypes.get_errno()))
"""
_ENVIRONMENTS = f"""
import glob
def holds(path):
    try: return b"{SECRET}=" in open(path, "rb").read()
    except OSError: return False
print("REACHED" if any(map(holds, glob.glob("/proc/[0-9]*/environ"))) else "")
"""


def _planted(yard: Yard) -> bool:
    return (yard.place / "home" / ".bashrc").exists()


def _changed(yard: Yard) -> bool:
    return (yard.place / "home" / "target").read_text() != "before"


ATTACKS: tuple[Attack, ...] = (
    Attack("read a file beside the repository", _READ, _paths("home/sibling")),
    Attack("read an ignored secret of the repository", _READ, _paths("home/project/.env")),
    Attack("read what git ignores and nobody lent", _READ.replace("SECRET", "local"), _paths("home/project/local.ini")),
    Attack("plant a file in the home", _WRITE, _home_file, _planted),
    Attack("write through a symbolic link", "open('link', 'w').write('x')", _target, _changed),
    Attack(
        "write through a hard link",
        "import os, sys\nos.link(sys.argv[1], 'hard')\nopen('hard', 'w')",
        _target,
        _changed,
    ),
    Attack("read the environment", f"import os\nprint('REACHED' if '{SECRET}' in os.environ else '')", _paths()),
    Attack("read other processes' environments", _ENVIRONMENTS, _victim),
    Attack("kill a process", "import os, sys\nos.kill(int(sys.argv[1]), 9)", _victim, _victim_died),
    Attack(
        "reach the host's loopback",
        _CONNECT.format(family="socket.AF_INET", address="('127.0.0.1', int(sys.argv[1]))"),
        _loopback,
    ),
    Attack("reach a socket by path", _CONNECT.format(family="socket.AF_UNIX", address="sys.argv[1]"), _unix),
    Attack(
        "reach an abstract socket", _CONNECT.format(family="socket.AF_UNIX", address="'\\0' + sys.argv[1]"), _abstract
    ),
    Attack("read shared memory files", _READ, _shared_memory),
    Attack(
        "attach a System V segment",
        "import ctypes, sys\nprint('REACHED' if ctypes.CDLL(None).shmget(int(sys.argv[1]), 0, 0) >= 0 else '')",
        _segment,
    ),
    Attack("make a user namespace", _NAMESPACE, _paths()),
    Attack("mount over the system", _MOUNT, _paths()),
)
