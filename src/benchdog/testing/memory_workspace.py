"""A workspace in memory, as a worker sees it: for tests of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchdog.errors import UserError


class MemoryWorkspace:
    """Files by path. `writes` are the paths that were written, in order; `versions` all that each file ever was."""

    def __init__(self, files: Mapping[str, bytes | str] | None = None) -> None:
        self.files: dict[str, bytes] = {}
        for path, data in (files or {}).items():
            self.files[path] = data.encode() if isinstance(data, str) else data
        self.writes: list[str] = []

    def paths(self) -> Sequence[str]:
        return sorted(self.files)

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def write(self, path: str, data: bytes) -> None:
        if not path or path.startswith("/") or ".." in path.split("/"):
            raise UserError(f"{path!r} leaves the tree")
        if any(each.startswith(f"{path}/") or path.startswith(f"{each}/") for each in self.files):
            raise UserError(f"{path!r} is a folder, or lies below a file")
        self.files[path] = data
        self.writes.append(path)

    def text(self, path: str) -> str:
        """A file as text, for comparing."""
        return self.files[path].decode()
