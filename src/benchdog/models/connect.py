"""From settings to an endpoint that can be asked: which server, which key, which model, which facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchdog.contract.values import EndpointSettings
from benchdog.errors import EndpointError, EndpointStalled, UserError
from benchdog.models.address import parse_address
from benchdog.models.discover import discover
from benchdog.models.facts import FactsCache, learn_facts
from benchdog.models.openai import OpenAIEndpoint
from benchdog.models.surroundings import Surroundings
from benchdog.models.transport import Patience, Transport
from benchdog.models.values import Endpoint
from benchdog.system.cancel import Cancel
from benchdog.system.clock import Clock
from benchdog.system.environment import Environment


def connect(
    environment: Environment,
    settings: Sequence[EndpointSettings],
    *,
    url: str | None = None,
    model: str | None = None,
    clock: Clock,
    cancel: Cancel | None = None,
    patience: Patience | None = None,
    surroundings: Surroundings | None = None,
) -> Endpoint:
    """An endpoint whose model and context are known. `url` and `model` are the command line's and win.

    Where its facts were learnt a few minutes ago nothing is asked before the first request. Raises EndpointMissing
    (with everything that was tried), EndpointError, UserError (an address that does not read, a key that is not set),
    Cancelled.
    """
    transport = Transport(clock)
    cache = FactsCache(environment.state / "facts.json", clock)
    cancel = cancel or Cancel()
    chosen = _given(settings, url, model) or _remembered(settings, model, cache)
    if chosen is None:
        found = discover(
            environment, settings, clock=clock, transport=transport, cancel=cancel, surroundings=surroundings
        )
        chosen = _with_model(found, model)
    key = read_key(environment, chosen)
    facts = cache.get(chosen)
    if facts is None:
        facts = learn_facts(chosen, key, transport, cancel)
        cache.put(chosen, facts)
    endpoint = chosen

    def failed(error: EndpointError) -> None:
        if not isinstance(error, EndpointStalled):
            cache.forget(endpoint)

    return OpenAIEndpoint(chosen, key, clock, transport, facts=facts, patience=patience, on_failure=failed)


def read_key(environment: Environment, settings: EndpointSettings) -> str | None:
    """The key that the settings name. Raises UserError where the variable is not set or cannot be a header."""
    if settings.key_env is None:
        return None
    key = (environment.get(settings.key_env) or "").strip()
    if not key:
        raise UserError(
            f"the environment variable {settings.key_env} is not set (key_env of the endpoint {settings.name!r})",
            hint=f"export {settings.key_env}=…, or take key_env out where the server wants no key",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UserError(f"the key in {settings.key_env} holds characters that a key cannot have")
    return key


def _given(settings: Sequence[EndpointSettings], url: str | None, model: str | None) -> EndpointSettings | None:
    """The command line's endpoint; with the settings of a configured one at the same address."""
    if url is None:
        return None
    wanted = parse_address(url).url
    for one in settings:
        if parse_address(one.url).url == wanted:
            return _with_model(one, model)
    return EndpointSettings(name="--endpoint", url=url, model=model)


def _remembered(settings: Sequence[EndpointSettings], model: str | None, cache: FactsCache) -> EndpointSettings | None:
    """The first configured endpoint, where it answered a few minutes ago: then nothing needs looking for."""
    if not settings:
        return None
    first = _with_model(settings[0], model)
    return first if cache.get(first) is not None else None


def _with_model(settings: EndpointSettings, model: str | None) -> EndpointSettings:
    return settings if model is None else replace(settings, model=model)
