"""Landing: the verified tree enters the person's files or their git, and can be taken back.

First every path is looked at, then the journal is made durable, then the files are written, each whole or not at all.
A landing that is broken off at any instant is finished or taken back from its journal alone. What somebody changed in
between is never overwritten. The person's index, HEAD and branches stay as they are, but for what a commit needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from benchdog.errors import BenchdogError, Conflict, HostError, UserError
from benchdog.repo.commits import (
    build_commit,
    hidden_paths,
    move_entries,
    move_refs,
    new_branch,
    read_head,
    read_index,
    resolve,
)
from benchdog.repo.disk import Disk
from benchdog.repo.git import Git
from benchdog.repo.journal import IndexEntry, Journal, Move, State, extents_of, find_pending, journals_place
from benchdog.repo.listing import list_repository
from benchdog.repo.moving import AFTER, BEFORE, move_files
from benchdog.repo.planning import changed_since, changes_to_land, plan_landing
from benchdog.repo.repository import Repository
from benchdog.system.clock import Clock
from benchdog.system.files import locked
from benchdog.trees import Entry

_NOTHING = "nothing was changed; see to it, then run benchdog apply again"
FINISH = "benchdog apply --continue finishes it, benchdog apply --abort takes it back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What landed. `commit` and `ref` where a commit was made. `notes` are for the person."""

    paths: tuple[str, ...]
    commit: str | None = None
    ref: str | None = None
    notes: tuple[str, ...] = ()


def pending_journal(repository: Repository) -> Journal | None:
    """The landing or roll-back (`rolling_back`) that was broken off here, if any. Raises StoreError."""
    return find_pending(repository.place)


def apply_files(repository: Repository, base_tree: str, tree: str, journal_id: str, clock: Clock) -> Landing:
    """Writes the paths in which `tree` differs from `base_tree` into the person's files.

    Raises Conflict where one of them is not as in the base (nothing is written then), UserError, HostError (all that
    was written is taken back; where even that fails, the journal stays pending).
    """
    with landing_lock(repository), landing_disk(repository) as disk:
        plan = plan_landing(disk, repository.store, base_tree, tree)
        journal = Journal(
            id=journal_id,
            place=journals_place(repository.place) / journal_id,
            how="files",
            started=clock.now().isoformat(),
            steps=plan.steps,
            made=plan.made,
            emptied=plan.emptied,
            extents=extents_of(plan.blobs),
        )
        _keep(journal, plan.blobs)
        repository.point("journal")
        return _carry(repository, disk, journal)


def apply_commit(
    repository: Repository,
    base_tree: str,
    tree: str,
    journal_id: str,
    *,
    how: str,
    name: str | None = None,
    message: str,
    clock: Clock,
) -> Landing:
    """Makes a commit on HEAD of exactly the paths in which `tree` differs from `base_tree`.

    `how="branch"`: a new branch `name` holds it; files, index and HEAD stay as they are. `how="commit"`: the current
    branch moves to it, the files are written, and the index entries of those paths follow. Raises as `apply_files`
    does, and UserError for a repository without git, a name that is taken, or a merge in progress.
    """
    git = _git(repository)
    with landing_lock(repository), landing_disk(repository) as disk:
        head = read_head(git)
        changes = {path: new for path, (_, new) in changes_to_land(repository.store, base_tree, tree).items()}
        if how == "branch":
            ref, notes = new_branch(git, name), _carried_along(git, changes)
            plan = None
        else:
            ref, notes = head.ref, ()
            _see_that_committed(repository, git, changes)
            plan = plan_landing(disk, repository.store, base_tree, tree)
        commit, before, after = build_commit(repository, head, tree, changes, message)
        if plan is not None and (was := read_index(git, changes)) != before:
            raise _staged([path for path in changes if was[path] != before[path]])
        journal = Journal(
            id=journal_id,
            place=journals_place(repository.place) / journal_id,
            how=how,
            started=clock.now().isoformat(),
            steps=plan.steps if plan else (),
            made=plan.made if plan else (),
            emptied=plan.emptied if plan else (),
            move=Move(ref=ref, old=head.commit if plan else None, new=commit),
            index=tuple(IndexEntry(path=path, before=before[path], after=after[path]) for path in changes),
            extents=extents_of(plan.blobs if plan else {}),
        )
        _keep(journal, plan.blobs if plan else {})
        repository.point("journal")
        landing = _carry(repository, disk, journal)
        return Landing(paths=tuple(changes), commit=landing.commit, ref=landing.ref, notes=notes)


def continue_landing(repository: Repository, journal: Journal) -> Landing:
    """Finishes what was broken off: a landing, or a roll-back (then `abort_landing` is what goes back to landed).

    Raises Conflict where files were changed meanwhile: they are kept, all others are done, and it stays pending.
    """
    with landing_lock(repository, pending=journal), landing_disk(repository) as disk:
        forward = not journal.rolling_back
        finish_side(repository, disk, journal, forward=forward)
        return landing_of_journal(journal)


def abort_landing(repository: Repository, journal: Journal) -> Landing:
    """Takes back what was broken off: after it, everything is as before the landing (or before the roll-back).

    Raises Conflict where files were changed meanwhile: they are kept, all others are restored, and it is over.
    """
    with landing_lock(repository, pending=journal), landing_disk(repository) as disk:
        if journal.state is State.LANDING:
            journal.enter(State.ABORTING)
        finish_side(repository, disk, journal, forward=journal.rolling_back, settle=True)
        return landing_of_journal(journal)


def _carry(repository: Repository, disk: Disk, journal: Journal) -> Landing:
    """The landing itself, from a durable journal on. Takes everything back where it cannot be completed."""
    journal.enter(State.LANDING)
    repository.point("begun")
    try:
        finish_side(repository, disk, journal, forward=True)
    except Conflict as error:
        _take_back(repository, disk, journal, error)
        raise changed_since(list(error.paths)) from error
    except BenchdogError as error:
        _take_back(repository, disk, journal, error)
        error.hint = error.hint or _NOTHING
        raise
    except OSError as error:
        _take_back(repository, disk, journal, error)
        where = error.filename or "the files"
        raise HostError(f"cannot write {where}: {error.strerror or error}", hint=_NOTHING) from error
    return landing_of_journal(journal)


def _take_back(repository: Repository, disk: Disk, journal: Journal, reason: Exception) -> None:
    try:
        journal.enter(State.ABORTING)
        finish_side(repository, disk, journal, forward=False, settle=True)
    except Conflict:
        return  # what somebody else changed meanwhile is theirs; the first error says what happened
    except (BenchdogError, OSError) as error:
        raise HostError(
            f"the landing stopped half-way ({reason}) and cannot be taken back: {error}", hint=FINISH
        ) from error


def finish_side(repository: Repository, disk: Disk, journal: Journal, *, forward: bool, settle: bool = False) -> None:
    """Brings refs, files and index entries to one side, and says in the journal that they are there.

    Raises Conflict where something was kept as somebody changed it; with `settle` the journal is closed all the same.
    """
    kept: list[str] = []
    _move_refs(repository, journal, forward=forward, kept=kept)
    repository.point("refs")
    if not kept or settle:
        kept += move_files(disk, journal, AFTER if forward else BEFORE, repository.point)
        if journal.how == "commit" and (not kept or settle):
            kept += move_entries(repository.git, journal.index, forward=forward)
            repository.point("index")
    if not kept or settle:
        journal.enter(_END[journal.state, forward])
        repository.point("end")
    if kept:
        raise _changed_meanwhile(kept, settle=settle)


_END: Mapping[tuple[State | None, bool], State] = {
    (State.LANDING, True): State.LANDED,
    (State.ABORTING, True): State.LANDED,
    (State.LANDING, False): State.ABORTED,
    (State.ABORTING, False): State.ABORTED,
    (State.ROLLING_BACK, False): State.ROLLED_BACK,
    (State.ROLLING_BACK, True): State.LANDED,
}


def _move_refs(repository: Repository, journal: Journal, *, forward: bool, kept: list[str]) -> None:
    """Moves the ref, unless it is there already. Where it is on neither side, it is kept."""
    undo = journal.undo() if journal.rolling_back else None
    move = undo or journal.move
    if move is None:
        return
    onward = forward if undo is None else not forward
    goal, other = (move.new, move.old) if onward else (move.old, move.new)
    now = resolve(repository.git, move.ref)
    if now == goal:
        return
    if now != other:
        kept.append(move.ref)
        return
    moves = [Move(ref=move.ref, old=now, new=goal)]
    keep = f"refs/benchdog/undone/{journal.id}" if undo or not forward else f"refs/benchdog/{journal.id}"
    if now is not None or goal is not None:
        held = journal.move.new if journal.move else None
        if held is not None and resolve(repository.git, keep) is None:
            moves.append(Move(ref=keep, old=None, new=held))
    verb = "apply" if forward else "take back"
    move_refs(repository.git, tuple(moves), f"benchdog {verb} {journal.id}")


def _changed_meanwhile(kept: list[str], *, settle: bool) -> Conflict:
    listed = ", ".join(repr(path) for path in kept)
    done = "all else is as it was before" if settle else "all else stands; this landing is still open"
    hint = "look at them: they are as you left them" if settle else FINISH
    return Conflict(f"changed meanwhile, and left as they are: {listed}; {done}", paths=tuple(kept), hint=hint)


def landing_of_journal(journal: Journal) -> Landing:
    """What a journal lands."""
    move = journal.move
    paths = journal.paths or tuple(entry.path for entry in journal.index)
    return Landing(paths=paths, commit=move.new if move else None, ref=move.ref if move else None)


def _keep(journal: Journal, blobs: dict[str, bytes]) -> None:
    if journal.state is not None:
        raise UserError(f"there is a landing {journal.id!r} already", hint="benchdog rollback takes it back")
    journal.write(blobs)


def _git(repository: Repository) -> Git:
    if not repository.is_git:
        raise UserError(f"{repository.root} is no git repository: a commit needs one", hint="benchdog apply")
    return repository.git


def _carried_along(git: Git, changes: Mapping[str, Entry | None]) -> tuple[str, ...]:
    """A branch holds whole files: what was not committed of them goes along, and the person is told."""
    along = sorted(set(list_repository(git).changed) & set(changes))
    return (f"the commit holds uncommitted work of yours too: {', '.join(along)}",) if along else ()


def _see_that_committed(repository: Repository, git: Git, changes: Mapping[str, Entry | None]) -> None:
    """Raises where a commit of exactly the verified changes cannot be made: they stand on uncommitted work."""
    if (doing := repository.in_progress()) is not None:
        raise UserError(
            f"git is in the middle of something here ({doing})", hint="finish or abort it first, or benchdog apply"
        )
    open_work = sorted(set(list_repository(git).changed) & set(changes)) or hidden_paths(git, changes)
    if open_work:
        raise _staged(open_work)


def _staged(paths: list[str]) -> Conflict:
    listed = ", ".join(repr(path) for path in paths)
    return Conflict(
        f"these files have uncommitted work, which the commit would hold too: {listed}; nothing was changed",
        paths=tuple(paths),
        hint="commit or put aside that work first, or benchdog apply without --commit",
    )


@contextmanager
def landing_lock(repository: Repository, pending: Journal | None = None) -> Iterator[None]:
    """Only one landing goes on at a time, and none begins while another is pending."""
    with locked(repository.store.path.parent / "landing.lock", wait=False, patience=1.0) as mine:
        if not mine:
            raise UserError("another benchdog is landing here right now", hint="wait for it to end")
        found = find_pending(repository.place)
        if pending is None and found is not None:
            raise UserError(f"the landing {found.id} was broken off", hint=FINISH)
        if pending is not None and (found is None or found.id != pending.id):
            raise UserError(f"the landing {pending.id} is not open any more", hint="benchdog runs lists what there is")
        yield


@contextmanager
def landing_disk(repository: Repository) -> Iterator[Disk]:
    try:
        disk = Disk(repository.root)
    except OSError as error:
        raise HostError(f"cannot enter {repository.root}: {error.strerror}") from error
    try:
        yield disk
    except OSError as error:
        raise HostError(
            f"cannot read or write {error.filename or repository.root}: {error.strerror or error}",
            hint=f"see to it, then run the command again; where a landing is open, {FINISH}",
        ) from error
    finally:
        disk.close()
