"""What a run needs around it: the machine, the repository, the sandbox, a model, and somebody who watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from benchdog.contract.classes import classes_of
from benchdog.contract.values import EndpointSettings, PathClass
from benchdog.events import EndpointPinned
from benchdog.ledger.evidence import Evidence
from benchdog.ledger.log import Recorded
from benchdog.models.connect import connect
from benchdog.models.values import Delta, Endpoint
from benchdog.repo import Repository, open_repository
from benchdog.runner.checks import CheckContext
from benchdog.runner.configure import Configuration, load
from benchdog.sandbox.choose import choose_sandbox
from benchdog.sandbox.lending import decide_lending
from benchdog.sandbox.policy import Lending, Lent, Sandbox
from benchdog.system.cancel import Cancel
from benchdog.system.clock import Clock, SystemClock
from benchdog.system.environment import Environment


class Watcher(Protocol):
    """Who looks on while a run goes. Called from the run's own thread, but `output` also from a baseline's."""

    def event(self, recorded: Recorded) -> None:
        """An event that has just been logged."""
        ...

    def delta(self, delta: Delta) -> None:
        """A piece of a model's reply."""
        ...

    def output(self, name: str, data: bytes) -> None:
        """Output of the check `name`, as it arrives."""
        ...


class Nobody:
    """A watcher that looks away."""

    def event(self, recorded: Recorded) -> None: ...

    def delta(self, delta: Delta) -> None: ...

    def output(self, name: str, data: bytes) -> None: ...


Connect = Callable[["Bench"], Endpoint]


@dataclass(kw_only=True)
class Bench:
    """Everything outside of the run itself. One bench serves any number of runs of its repository, one at a time."""

    environment: Environment
    repository: Repository
    configuration: Configuration
    cancel: Cancel = field(default_factory=Cancel)
    clock: Clock = field(default_factory=SystemClock)
    watcher: Watcher = field(default_factory=Nobody)
    unsafe: bool = False
    endpoint_url: str | None = None
    model: str | None = None
    connector: Connect | None = None

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes that serve this bench. Safe to call twice."""
        self.repository.close()

    @cached_property
    def sandbox(self) -> Sandbox:
        """Chosen at first use. Raises SandboxUnavailable."""
        return choose_sandbox(self.environment, unsafe=self.unsafe)

    def lent(self) -> tuple[Lent, ...]:
        """The ignored paths that checks see now."""
        settings = self.configuration.settings

        def secret(path: str) -> bool:
            return PathClass.SECRETS in classes_of(path, settings.classes)

        ignored = self.repository.ignored()
        pairs = [(each.path, each.is_directory) for each in ignored]
        lent = decide_lending(pairs, settings.sandbox, self.repository.root, secrets=secret)
        submodules = {each.path for each in ignored if each.submodule}
        return tuple(replace(each, how=Lending.READ_ONLY) if each.path in submodules else each for each in lent)

    def check_context(self, evidence: Evidence) -> CheckContext:
        """What every check on this bench shares; its artefacts go to `evidence`."""
        settings = self.configuration.settings.sandbox
        return CheckContext(
            sandbox=self.sandbox,
            mount_at=self.repository.root,
            lent=self.lent(),
            expose=settings.expose,
            pass_through=settings.environment,
            environment=self.environment,
            evidence=evidence,
            clock=self.clock,
            cancel=self.cancel,
            on_output=self.watcher.output,
        )

    def endpoint(self, pinned: EndpointPinned | None = None) -> Endpoint:
        """A connection to the model: the one that a person names now, else the one that a run began with, else what
        the settings say and what is found. Raises EndpointError.
        """
        if self.connector is not None:
            return self.connector(self)
        settings: tuple[EndpointSettings, ...] = self.configuration.settings.endpoints
        url, model = self.endpoint_url, self.model
        if url is None and pinned is not None:
            url, model = pinned.url, model or pinned.model
        return connect(self.environment, settings, url=url, model=model, clock=self.clock, cancel=self.cancel)


def open_bench(
    environment: Environment,
    *,
    cancel: Cancel | None = None,
    watcher: Watcher | None = None,
    unsafe: bool = False,
    endpoint_url: str | None = None,
    model: str | None = None,
) -> Bench:
    """The bench for the repository in which the environment's directory lies.

    Raises UserError (no repository that can be used, settings that do not read).
    """
    clock = SystemClock()
    repository = open_repository(environment, environment.cwd, clock)
    return Bench(
        environment=environment,
        repository=repository,
        configuration=load(environment, repository.root),
        cancel=cancel or Cancel(),
        clock=clock,
        watcher=watcher or Nobody(),
        unsafe=unsafe,
        endpoint_url=endpoint_url,
        model=model,
    )
