"""The baseline: every check on a base tree, run in a thread beside the rest, or known from an earlier run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from benchdog.contract import Check
from benchdog.errors import BenchdogError, StoreError
from benchdog.repo import Checkout, Repository
from benchdog.runner.checks import CheckContext, CheckRun
from benchdog.runner.cleanroom import check_in
from benchdog.runner.known import Known
from benchdog.system.cancel import Cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseResult:
    """One check on the base. `cached`: it was taken from an earlier run over the same tree."""

    run: CheckRun
    cached: bool


class Baseline:
    """Runs checks on the base in a thread of its own; results are fetched by the run's thread, which logs them."""

    def __init__(self, repository: Repository, context: CheckContext, tree: str, environment: str) -> None:
        self._repository = repository
        self._outer = context.cancel
        self._cancel = Cancel()
        self._context = replace(context, cancel=self._cancel)
        self._tree = tree
        self._known = Known(repository.place / "baseline", self._context, tree, environment)
        self._results: SimpleQueue[BaseResult | BenchdogError] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._waiting: list[str] = []

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of checks whose results have not been fetched yet."""
        return tuple(self._waiting)

    def start(self, checks: Sequence[Check]) -> None:
        """Begins with these checks; what is known is there at once."""
        if self._thread is not None or not checks:
            return
        self._waiting = [check.name for check in checks]
        self._thread = threading.Thread(target=self._work, args=(tuple(checks),), name="baseline", daemon=True)
        self._thread.start()

    def fetch(self, seconds: float) -> BaseResult | None:
        """The next result, waiting at most `seconds`; None where there is none yet.

        Raises what stopped the checks (SandboxUnavailable, StoreError, Cancelled).
        """
        if not self._waiting:
            return None
        over = self._thread is None or not self._thread.is_alive()
        try:
            result = self._results.get(timeout=0 if over else seconds)
        except Empty:
            if over:
                raise StoreError("the checks on the base ended without a result", hint="benchdog resume") from None
            return None
        if isinstance(result, BenchdogError):
            self._waiting.clear()
            raise result
        self._waiting.remove(result.run.result.name)
        return result

    def run_now(self, check: Check, *, afresh: bool = False) -> CheckRun:
        """One check, in the caller's own thread; `afresh`: whatever is known."""
        if not afresh and (known := self._known.get(check)):
            return known
        with self._outer.ends(self._cancel.set), self._repository.checkout(self._tree) as checkout:
            return self._run(check, checkout)

    def stop(self) -> None:
        """Ends what still runs."""
        self._cancel.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self, checks: tuple[Check, ...]) -> None:
        try:
            with self._outer.ends(self._cancel.set):
                self._run_all(checks)
        except BenchdogError as error:
            self._results.put(error)
        except OSError as error:
            self._results.put(StoreError(f"a check on the base could not be run: {error.strerror or error}"))

    def _run_all(self, checks: tuple[Check, ...]) -> None:
        missing = []
        for check in checks:
            if known := self._known.get(check):
                self._results.put(BaseResult(run=known, cached=True))
            else:
                missing.append(check)
        if missing:
            with self._repository.checkout(self._tree) as checkout:
                for check in missing:
                    self._cancel.check()
                    self._results.put(BaseResult(run=self._run(check, checkout), cached=False))

    def _run(self, check: Check, checkout: Checkout) -> CheckRun:
        run = check_in(checkout, check, self._context, repository=self._repository, base=self._tree)
        self._known.keep(check, run)
        return run
