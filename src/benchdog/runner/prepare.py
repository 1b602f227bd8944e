"""Prepare (step 1 of a run): the base, the sandbox, the baseline beside, the model, and what stops a run before it."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from benchdog.checks import CheckResult, CheckStatus
from benchdog.contract.globs import exact_path
from benchdog.contract.goal import lint_goal
from benchdog.errors import UserError
from benchdog.events import BaseTaken, CheckFinished, EndpointPinned, GoalLinted, SandboxReady, Stage
from benchdog.repo import pending_journal
from benchdog.runner.checks import CheckRun
from benchdog.runner.plan import unexplained_red
from benchdog.runner.session import Session

PATIENCE = 10.0  # seconds that the worker waits for the baseline before it starts without


class NotReady(UserError):
    """The run cannot begin: the environment or the contract needs a person first. `broken`: the environment does."""

    def __init__(self, message: str, *, hint: str, broken: bool) -> None:
        super().__init__(message, hint=hint)
        self.broken = broken


def take_base(session: Session) -> None:
    """Snapshots the person's tree as it is, and looks at the goal without a model."""
    bench = session.bench
    if pending_journal(bench.repository) is not None:
        raise UserError(
            "a landing was interrupted: the tree is neither before nor after it",
            hint="benchdog apply --continue finishes it, benchdog apply --abort takes it back",
        )
    started = bench.clock.monotonic()
    base = bench.repository.snapshot()
    entries = session.view(base.tree).entries
    allow = session.contract.scope.allow
    hints = lint_goal(session.contract.goal, tuple(entries), allow=allow)
    new = [path for pattern in allow if (path := exact_path(pattern)) and path not in entries]
    hints += tuple(f"{path!r} does not exist yet: if that is no mistyped name, it will be a new file" for path in new)
    if hints:
        session.record(GoalLinted(hints=hints))
    session.record(
        BaseTaken(
            tree=base.tree,
            files=base.files,
            head=base.head,
            branch=base.branch,
            uncommitted=base.uncommitted,
            seconds=bench.clock.monotonic() - started,
        )
    )


def ready_sandbox(session: Session) -> None:
    """Chooses the sandbox by trying it. The baseline starts here and goes on beside what follows."""
    record_sandbox(session)
    start_baseline(session)


def record_sandbox(session: Session) -> None:
    """Records what checks run in, in this sitting."""
    bench, context = session.bench, session.check_context
    settings = bench.configuration.settings.sandbox
    session.record(
        SandboxReady(
            backend=bench.sandbox.name,
            environment=session.environment,
            layers=bench.sandbox.layers,
            lent=tuple(lent.path for lent in context.lent),
            widened=(*settings.expose, *settings.lend, *settings.environment),
            unsafe=bench.sandbox.unsafe,
        )
    )


def pin_endpoint(session: Session) -> None:
    """Connects to the model and records what it says of itself."""
    start_baseline(session)
    facts = session.endpoint().facts
    session.record(
        EndpointPinned(
            role="coder",
            url=facts.url,
            dialect=facts.dialect,
            model=facts.model,
            context=facts.context,
            server=facts.server,
            hosts=facts.hosts,
        )
    )


def start_baseline(session: Session) -> None:
    """Starts those checks on the base that have no result yet. Safe to call again."""
    known = {result.name for result in session.state.baseline}
    session.baseline.start([check for check in session.contract.checks if check.name not in known])


def settle_baseline(session: Session, *, patience: float | None = None) -> None:
    """Logs the baseline's results: all of them, or those that come within `patience` seconds.

    Raises NotReady as soon as a result says that no model could be judged here.
    """
    start_baseline(session)
    clock = session.bench.clock
    known: set[str] = set()
    end = None if patience is None else clock.monotonic() + patience
    while session.baseline.waiting:
        left = 0.2 if end is None else min(0.2, end - clock.monotonic())
        if left <= 0:
            break
        session.bench.cancel.check()
        if found := session.baseline.fetch(left):
            _log(session, found.run, cached=found.cached)
            known.update({found.run.result.name} if found.cached else ())
    if not session.baseline.waiting:
        _look_again(session, known)
    _judge(session)


def _look_again(session: Session, known: set[str]) -> None:
    """A red that would stop the run and is only remembered may have been mended since: it is looked at again."""
    doubted = {result.name for result in unexplained_red(session.contract, session.state.baseline)} & known
    for check in session.contract.checks:
        if check.name in doubted:
            _log(session, session.baseline.run_now(check, afresh=True), cached=False)


def see_again(session: Session, names: Sequence[str]) -> None:
    """Runs those of these checks on the base whose result is only remembered: a proof rests on what was seen."""
    for check in session.contract.checks:
        if check.name in names and check.name not in session.seen_on_base:
            _log(session, session.baseline.run_now(check, afresh=True), cached=False)


def _log(session: Session, run: CheckRun, *, cached: bool) -> None:
    if not cached:
        session.seen_on_base.add(run.result.name)
    session.record(CheckFinished(stage=Stage.BASE, tree=session.base_tree, result=run.result, cached=cached))


def _judge(session: Session) -> None:
    baseline = session.state.baseline
    for result in baseline:
        if result.status is CheckStatus.BROKEN:
            raise NotReady(
                f"the check {result.name!r} cannot run here: {result.distilled or result.run}",
                hint=result.fix or f"make `{result.run}` work, then `benchdog resume {session.run}`",
                broken=True,
            )
    if session.baseline.waiting:
        return  # which check is the witness is known only when all have run
    red = unexplained_red(session.contract, baseline)
    if red:
        raise NotReady(_red_message(red), hint=_red_hint(red), broken=False)


def _red_message(red: tuple[CheckResult, ...]) -> str:
    parts = []
    for result in red:
        failing = ", ".join(result.tests.failed_ids[:8]) if result.tests else ""
        parts.append(f"{result.name!r} is red before any work" + (f": {failing}" if failing else ""))
    return "; ".join(parts)


def _red_hint(red: tuple[CheckResult, ...]) -> str:
    first = red[0]
    return (
        f"is this run to turn it green? --witness {quote(first.run)}; may its failures stand? --no-worse. In a file, "
        f'[[check]] {first.name!r} gets the line `witness = true` or `expect = "no-worse"`'
    )
