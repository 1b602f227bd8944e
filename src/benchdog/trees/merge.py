"""Three-way merge of trees, path by path. Pure: what lies in both sides' hands is returned, not decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchdog.trees.objects import changed_paths
from benchdog.trees.paths import parents_of
from benchdog.trees.values import Entry, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """A path that both sides changed, differently. None: not there."""

    base: Entry | None
    ours: Entry | None
    theirs: Entry | None

    @property
    def mergeable(self) -> bool:
        """Whether the contents can be merged line by line: regular files on all three sides."""
        files = (Mode.FILE, Mode.EXECUTABLE)
        return all(entry is not None and entry.mode in files for entry in (self.base, self.ours, self.theirs))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathMerge:
    """`take` is what is to change in our tree (None: removed); `both` needs its contents merged, or is a conflict;
    `blocked` are paths of which one side has a file where the other has a directory."""

    take: Mapping[str, Entry | None]
    both: Mapping[str, Both]
    blocked: tuple[str, ...]


def merge_paths(base: Mapping[str, Entry], ours: Mapping[str, Entry], theirs: Mapping[str, Entry]) -> PathMerge:
    """What `theirs` changed since `base`, for `ours`. A rename is a removal and an addition."""
    take: dict[str, Entry | None] = {}
    both: dict[str, Both] = {}
    for path, (old, new) in changed_paths(base, theirs).items():
        mine = ours.get(path)
        if mine == old:
            take[path] = new
        elif mine != new:
            both[path] = Both(base=old, ours=mine, theirs=new)
    merged = {path for path in ours if path not in take or take[path] is not None}
    merged.update(path for path, entry in take.items() if entry is not None)
    blocked = {path for path in merged for parent in parents_of(path) if parent in merged}
    return PathMerge(take=take, both=both, blocked=tuple(sorted(blocked)))


def merge_modes(both: Both) -> Mode:
    """The mode of a file whose contents are merged: whichever side changed it."""
    assert both.base and both.ours and both.theirs, "only files that are on all three sides are merged"
    return both.theirs.mode if both.ours.mode is both.base.mode else both.ours.mode
