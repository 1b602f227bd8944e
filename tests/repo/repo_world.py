"""A person's folder with real git in it, and benchdog's repository adapter on it."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchdog.repo import Repository, open_repository
from benchdog.system.clock import SystemClock
from benchdog.system.environment import read_environment
from benchdog.trees import Mode

CLOCK = SystemClock()
Files = Mapping[str, tuple[Mode, bytes]]
Picture = dict[str, tuple[int, bytes]]


class World:
    """`root` is the person's folder, `state` benchdog's own place."""

    def __init__(self, folder: Path, *, git: bool = True) -> None:
        self.folder = folder
        self.root = folder / "work"
        self.state = folder / "state"
        self.root.mkdir(parents=True)
        if git:
            self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=cwd or self.root, capture_output=True, check=True)
        return os.fsdecode(done.stdout).rstrip("\n")

    def commit(self, message: str = "more") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def write(self, path: str, data: bytes | str = b"", mode: int | None = None) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data if isinstance(data, bytes) else data.encode())
        if mode is not None:
            place.chmod(mode)
        return place

    @contextmanager
    def repository(self, start: Path | None = None) -> Iterator[Repository]:
        environment = read_environment({**os.environ, "XDG_STATE_HOME": str(self.state)}, self.root)
        with open_repository(environment, start or self.root, CLOCK) as repository:
            yield repository

    def picture(self) -> Picture:
        """Everything below the root but `.git`: full mode and bytes (or target, or nothing for a directory)."""
        return {path: seen for path, seen in picture(self.root).items() if not (path + "/").startswith(".git/")}

    def own_git(self) -> Picture:
        """The person's git directory, byte for byte, but for what benchdog may add: objects and its own refs."""
        own = picture(self.root / ".git")
        return {path: seen for path, seen in own.items() if not path.startswith(("objects", "refs/benchdog"))}


def picture(root: Path) -> Picture:
    seen: Picture = {}
    for directory, names, files in os.walk(root):
        for name in (*names, *files):
            place = Path(directory) / name
            status = place.lstat()
            data = b""
            if stat.S_ISLNK(status.st_mode):
                data = os.fsencode(place.readlink())
            elif stat.S_ISREG(status.st_mode):
                data = place.read_bytes()
            seen[str(place.relative_to(root))] = (status.st_mode, data)
    return seen


def files_of(repository: Repository, tree: str) -> dict[str, tuple[Mode, bytes]]:
    """A tree as a dictionary."""
    view = repository.view(tree)
    return {path: (entry.mode, view.read(path)) for path, entry in view.entries.items()}


def text(content: str, mode: Mode = Mode.FILE) -> tuple[Mode, bytes]:
    return mode, content.encode()


def in_child(act: Callable[[], str]) -> tuple[int, str]:
    """Runs `act` in a process of its own: its wait status, and what it returned or how it failed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            os.write(writer, act().encode())
            status = 0
        except BaseException as error:  # noqa: BLE001 - told to the parent, whatever it is
            os.write(writer, f"{type(error).__name__}: {error} [{getattr(error, 'hint', None)}]".encode())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    return os.waitpid(child, 0)[1], said
