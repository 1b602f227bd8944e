"""Three-way merge of trees in benchdog's store: the person's tree moved on, and the candidate is brought to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchdog.errors import StoreError
from benchdog.repo.repository import Repository
from benchdog.system.folders import own_folder
from benchdog.trees import Both, Mode, merge_modes, merge_paths

_SIDES = ("yours", "base", "candidate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    tree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeConflict:
    """Paths that both sides changed and that cannot be brought together without a person, ordered."""

    paths: tuple[str, ...]


def merge(repository: Repository, base_tree: str, current_tree: str, candidate_tree: str) -> Merged | MergeConflict:
    """The current tree plus what the candidate changed since the base. Renames are not followed.

    Contents that both sides changed are merged by lines (`git merge-file`). Raises StoreError.
    """
    store = repository.store
    plan = merge_paths(store.entries(base_tree), store.entries(current_tree), store.entries(candidate_tree))
    conflicts = set(plan.blocked)
    contents: dict[str, tuple[Mode, bytes] | None] = {}
    for path, both in plan.both.items():
        content = _merge_contents(repository, both) if both.mergeable else None
        if content is None:
            conflicts.add(path)
        else:
            contents[path] = (merge_modes(both), content)
    if conflicts:
        return MergeConflict(paths=tuple(sorted(conflicts)))
    return Merged(tree=repository.put(store.edited(current_tree, plan.take), contents))


def _merge_contents(repository: Repository, both: Both) -> bytes | None:
    """The merged bytes; None where lines conflict or the file is binary."""
    store = repository.store
    entries: Mapping[str, str] = {
        "yours": both.ours.blob if both.ours else "",
        "base": both.base.blob if both.base else "",
        "candidate": both.theirs.blob if both.theirs else "",
    }
    with own_folder(repository.workbenches) as folder:
        try:
            for side in _SIDES:
                (folder / side).write_bytes(store.read(entries[side]))
        except OSError as error:
            raise StoreError(f"cannot merge in {folder}: {error.strerror}") from error
        files = [str(folder / side) for side in _SIDES]
        status, merged, said = store.git.attempt("merge-file", "-p", "-q", *files)
    if status == 0:
        return merged
    if status < 0:
        raise StoreError(f"git merge-file ended by signal {-status}: {said.strip()}")
    return None
