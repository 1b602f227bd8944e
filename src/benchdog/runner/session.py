"""One sitting at one run: its log held open and locked, its state folded as events are added."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from benchdog.checks import TestReport
from benchdog.contract import Check, Contract
from benchdog.contract.read import read_contract
from benchdog.errors import StoreError, UserError
from benchdog.events import (
    Event,
    Landed,
    LandingAborted,
    RolledBack,
    RunState,
    Sealed,
    fold,
    from_plain,
    step,
)
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import RunLog
from benchdog.ledger.report import write_report
from benchdog.models.values import Endpoint
from benchdog.repo import Checkout, journal_state, landing_of, undone_of
from benchdog.runner.baseline import Baseline
from benchdog.runner.bench import Bench
from benchdog.runner.checks import CheckContext, CheckRun
from benchdog.runner.cleanroom import check_in
from benchdog.runner.known import environment_key
from benchdog.system.places import run_place
from benchdog.trees import Change, TreeView


class Session:
    """Records events and holds what lives only while this process carries the run: connections and checkouts."""

    def __init__(self, bench: Bench, log: RunLog, place: Path, stack: ExitStack) -> None:
        self.bench = bench
        self.place = place
        self.evidence = Evidence(place)
        self.state: RunState = fold(log.events)
        self._log = log
        self._stack = stack
        self._endpoint: Endpoint | None = None
        self._contract: tuple[str, Contract] | None = None
        self._reports: dict[str, TestReport] = {}
        self.seen_on_base: set[str] = set()  # checks that ran there in this sitting: what they say is not remembered
        self._filtered: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def run(self) -> str:
        assert self.state.started is not None, "a run begins with RunStarted"
        return self.state.started.run

    @property
    def head(self) -> str:
        return self._log.head

    @property
    def log(self) -> RunLog:
        return self._log

    @property
    def contract(self) -> Contract:
        """The contract as it holds now: an answer may have widened it."""
        digest = self.state.contract
        if self._contract is None or self._contract[0] != digest:
            self._contract = (digest, read_contract(self.evidence.get(digest), "the run's contract"))
        return self._contract[1]

    def record(self, event: Event) -> None:
        """Logs an event durably, then shows it."""
        recorded = self._log.append(event)
        self.state = step(self.state, event)
        self.bench.watcher.event(recorded)

    def finish(self) -> RunState:
        """Seals the log and writes the report. Idempotent: after a kill in between, the next does what is left."""
        if not self.state.sealed:
            self.record(Sealed(events=len(self._log.events)))
        write_report(self.place, self.state, self._log.recorded, self.head)
        return self.state

    def view(self, tree: str) -> TreeView:
        return self.bench.repository.view(tree)

    def filtered(self, changes: tuple[Change, ...]) -> tuple[str, ...]:
        """Those of the changed paths that git stores in another form; asked of git once for the same paths."""
        paths = tuple(change.path for change in changes)
        if self._filtered is None or self._filtered[0] != paths:
            self._filtered = (paths, self.bench.repository.filtered(paths))
        return self._filtered[1]

    @property
    def base_tree(self) -> str:
        assert self.state.base is not None, "the base is taken before anything needs it"
        return self.state.base.tree

    @cached_property
    def clean_room(self) -> Checkout:
        """The checkout in which candidates are checked: base plus exactly a candidate's changes."""
        return self._stack.enter_context(self.bench.repository.checkout(self.base_tree))

    @cached_property
    def workspace(self) -> Checkout:
        """The checkout in which the worker writes."""
        return self._stack.enter_context(self.bench.repository.checkout(self.state.candidate or self.base_tree))

    @cached_property
    def check_context(self) -> CheckContext:
        """What every check of this run shares."""
        return self.bench.check_context(self.evidence)

    def check(self, check: Check, *, base: str | None = None) -> CheckRun:
        """Runs a check in the clean room as it stands; a made-up `.git` has `base` (else the run's) as its commit."""
        repository = self.bench.repository
        return check_in(self.clean_room, check, self.check_context, repository=repository, base=base or self.base_tree)

    @cached_property
    def baseline(self) -> Baseline:
        """The checks on the base, running beside whatever else happens."""
        baseline = self.baseline_of(self.base_tree)
        self._stack.callback(baseline.stop)
        return baseline

    def baseline_of(self, tree: str) -> Baseline:
        """The checks on any tree that something is judged against."""
        return Baseline(self.bench.repository, self.check_context, tree, self.environment)

    @cached_property
    def environment(self) -> str:
        """What tells the environment of this sitting's checks from others."""
        return environment_key(self.check_context)

    def endpoint(self) -> Endpoint:
        if self._endpoint is None:
            self._endpoint = self.bench.endpoint(self.state.pinned)
            self._stack.callback(self._endpoint.close)
        return self._endpoint

    def tests(self, digest: str) -> TestReport | None:
        """A test report with all its ids, from the evidence."""
        if digest and digest not in self._reports:
            try:
                self._reports[digest] = from_plain(TestReport, json.loads(self.evidence.get(digest)))
            except ValueError as error:
                raise StoreError(f"the test report {digest} does not read: {error}") from error
        return self._reports.get(digest)


@contextmanager
def open_session(bench: Bench, run: str) -> Iterator[Session]:
    """Holds the run for the block: its lock, its log, and all that is opened on the way.

    Raises UserError where another process carries it out, CorruptLog where the log does not hold.
    """
    place = run_place(bench.environment.state, run)
    with ExitStack() as stack:
        log = stack.enter_context(RunLog.open(place, run, bench.clock))
        session = Session(bench, log, place, stack)
        _belongs_here(session)
        _catch_up(session)
        yield session


def _belongs_here(session: Session) -> None:
    """Raises UserError where the run is about another repository than the bench's."""
    started = session.state.started
    root = str(session.bench.repository.root)
    if started is None:
        raise UserError("this run never began: it was killed at its first instant", hint="start it again")
    if started.root != root:
        raise UserError(f"run {started.run} belongs to {started.root}, not to {root}", hint=f"go to {started.root}")


def _catch_up(session: Session) -> None:
    """Records what a killed process did and could not record any more: its journal tells how the landing ended."""
    landing, repository = session.state.landing, session.bench.repository
    if landing is None or landing.state not in ("started", "landed"):
        return
    found = journal_state(repository, landing.journal)
    recorded = len(session.log.events)
    if landing.state == "started" and found in (None, "aborted"):
        session.record(LandingAborted(reason="interrupted; everything is as before"))
    elif landing.state == "started" and (done := landing_of(repository, landing.journal)):
        session.record(Landed(how=landing.how, tree=landing.tree, paths=done.paths, commit=done.commit, ref=done.ref))
    if found == "rolled back" and (undone := undone_of(repository, landing.journal)):
        session.record(RolledBack(paths=undone.paths, commit=undone.commit))
    if len(session.log.events) > recorded:
        session.finish()
