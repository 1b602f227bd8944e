"""Takes back what landed, as long as nobody built on it: else it says who is in the way and changes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass

from benchdog.errors import BenchdogError, Conflict, HostError, UserError
from benchdog.repo.commits import entries_in, read_head, read_index, resolve, revert_commit
from benchdog.repo.disk import Disk
from benchdog.repo.git import Git
from benchdog.repo.journal import Journal, Move, State, load_journal
from benchdog.repo.landing import FINISH, finish_side, landing_disk, landing_lock
from benchdog.repo.moving import AFTER, differing
from benchdog.repo.repository import Repository
from benchdog.system.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was taken back. `commit` is the one that takes it back, where others had been made after it; `undone` the
    ref that still holds what was undone."""

    paths: tuple[str, ...]
    commit: str | None = None
    undone: str | None = None


def roll_back(repository: Repository, journal_id: str, clock: Clock) -> Undone:
    """Brings the person's files (and branch, and index entries) to what they were before a landing.

    A commit that is still the tip of its branch is taken off it; after later commits, a commit is added that reverts
    it. Finishes a roll-back that was broken off. Raises Conflict, with nothing changed, where a file, entry or branch
    was changed since; UserError where nothing of this id has landed; HostError.
    """
    journal = load_journal(repository.place, journal_id)
    broken_off = _may_roll_back(journal)
    with landing_lock(repository, pending=journal if broken_off else None), landing_disk(repository) as disk:
        if not broken_off:
            _see_that_untouched(repository, disk, journal)
            journal.plan_undo(_undo(repository, journal))
            repository.point("planned")
            journal.enter(State.ROLLING_BACK)
            repository.point("begun")
        try:
            finish_side(repository, disk, journal, forward=False)
        except (BenchdogError, OSError) as error:
            _stay_landed(repository, disk, journal, error)
            raise
        return undone_of_journal(repository, journal)


def _may_roll_back(journal: Journal) -> bool:
    """True where it was begun already. Raises UserError where there is nothing to take back."""
    state = journal.state
    if state in (State.LANDED, State.ROLLING_BACK):
        return state is State.ROLLING_BACK
    if state is not None and state.pending:
        raise UserError(f"the landing {journal.id} was broken off", hint=FINISH)
    done = "was taken back already" if state is State.ROLLED_BACK else "never landed"
    raise UserError(f"the landing {journal.id} {done}: there is nothing to take back")


def _see_that_untouched(repository: Repository, disk: Disk, journal: Journal) -> None:
    changed = list(differing(disk, journal, AFTER))
    if journal.how == "commit":
        entries = read_index(repository.git, {entry.path: None for entry in journal.index})
        changed += [entry.path for entry in journal.index if entries[entry.path] != entry.after]
    if changed:
        raise _changed_after(sorted(set(changed)), "put aside what you changed in them, then roll back again")


def _changed_after(paths: list[str], hint: str) -> Conflict:
    listed = ", ".join(repr(path) for path in paths)
    return Conflict(f"changed since it landed, so nothing was taken back: {listed}", paths=tuple(paths), hint=hint)


def _undo(repository: Repository, journal: Journal) -> Move | None:
    """Which way the ref goes. Raises Conflict where it cannot go back."""
    move = journal.move
    if move is None or move.new is None:
        return None
    git = repository.git
    by_hand = f"git revert {move.new[:12]}"
    tip = resolve(git, move.ref)
    if journal.how == "branch":
        if tip is None:
            return None
        if move.ref in _checked_out(git):
            raise Conflict(f"{move.ref} is checked out; nothing was taken back", hint="git switch to another branch")
    elif read_head(git).ref != move.ref:
        raise Conflict(f"{move.ref} is not checked out; nothing was taken back", hint=f"go there, or {by_hand}")
    elif (doing := repository.in_progress()) is not None:
        raise UserError(f"git is in the middle of something here ({doing})", hint="finish or abort it first")
    if tip == move.new:
        return Move(ref=move.ref, old=tip, new=move.old)
    if tip is None or git.attempt("merge-base", "--is-ancestor", move.new, tip)[0] != 0:
        raise Conflict(f"{move.ref} does not hold the commit {move.new[:12]} any more", hint=f"see git log; {by_hand}")
    after = {entry.path: entry.after for entry in journal.index}
    now = entries_in(git, tip, after)
    if changed := [path for path, entry in after.items() if now[path] != entry]:
        raise _changed_after(changed, by_hand)
    title = os.fsdecode(git.run("log", "-1", "--format=%s", move.new)).strip()
    message = f'Revert "{title}"\n\nThis reverts commit {move.new}.\n'
    before = {entry.path: entry.before for entry in journal.index}
    return Move(ref=move.ref, old=tip, new=revert_commit(repository, tip, before, message))


def _checked_out(git: Git) -> set[str]:
    """The branches that stand in some work tree."""
    lines = git.run("worktree", "list", "--porcelain").split(b"\n")
    return {os.fsdecode(line[7:]) for line in lines if line.startswith(b"branch ")}


def _stay_landed(repository: Repository, disk: Disk, journal: Journal, reason: Exception) -> None:
    """A roll-back that cannot be completed is taken back itself."""
    try:
        finish_side(repository, disk, journal, forward=True, settle=True)
    except Conflict:
        return  # what somebody else changed meanwhile is theirs; the first error says what happened
    except (BenchdogError, OSError) as error:
        raise HostError(
            f"the roll-back stopped half-way ({reason}) and cannot be undone: {error}",
            hint=f"benchdog apply --continue finishes it; benchdog apply --abort leaves {journal.id} landed",
        ) from error


def undone_of_journal(repository: Repository, journal: Journal) -> Undone:
    """What the roll-back of a journal takes back."""
    undo = journal.undo()
    reverted = undo.new if undo and journal.move and undo.new != journal.move.old else None
    ref = f"refs/benchdog/undone/{journal.id}"
    held = journal.move is not None and resolve(repository.git, ref) is not None
    paths = journal.paths or tuple(entry.path for entry in journal.index)
    return Undone(paths=paths, commit=reverted, undone=ref if held else None)
