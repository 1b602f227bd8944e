"""What a server tells of itself: the model, the context length in effect, which program it is; cached for minutes.

Where servers tell the length in effect (the trained length is never taken for it):

    llama.cpp    /props default_generation_settings.n_ctx (of one slot); /v1/models data[].meta.n_ctx
    vLLM, SGLang /v1/models data[].max_model_len
    others       /v1/models data[].loaded_context_length, context_length, context_window
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchdog.contract.values import EndpointSettings
from benchdog.errors import EndpointError, EndpointStalled, StoreError
from benchdog.events.codec import from_plain, to_plain
from benchdog.models.address import Address, parse_address
from benchdog.models.openai import request_headers
from benchdog.models.problems import Refusal, explain, not_json, parse_json
from benchdog.models.transport import Call, Patience, Transport
from benchdog.models.values import Facts
from benchdog.system.cancel import Cancel
from benchdog.system.clock import Clock
from benchdog.system.files import write_durably
from benchdog.system.terminal import one_line

PATIENCE = Patience(connect=3.0, stall=5.0, total=8.0)
VALID = 300.0  # seconds for which facts are believed without asking again
_MAX_LIST = 4 * 1024 * 1024  # bytes of a list of models
_MAX_CACHE = 256 * 1024
_KEPT = 32  # endpoints remembered
_CONTEXT_FIELDS = ("max_model_len", "loaded_context_length", "context_length", "context_window")
_OWNERS = {
    "llamacpp": "llama.cpp",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "library": "Ollama",
    "organization_owner": "LM Studio",
}
_NO_CODER = re.compile(r"embed|rerank|whisper|bge-|tts|clip|\bcloud$|[:-]cloud\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One entry of a server's list of models."""

    id: str
    context: int | None = None
    owner: str = ""


def read_models(answer: Any) -> tuple[Listed, ...] | None:
    """The entries of `/v1/models`; None where the answer is no such list."""
    if not isinstance(answer, Mapping) or not ("data" in answer or answer.get("object") == "list"):
        return None
    data = answer.get("data")
    entries = [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
    return tuple(_listed(entry) for entry in entries if isinstance(entry.get("id"), str) and entry["id"])


def choose_model(listed: tuple[Listed, ...]) -> Listed | None:
    """The first model that can be a coder: no embedder, and nothing that a local server only passes to a cloud."""
    return next((entry for entry in listed if not _NO_CODER.search(entry.id)), None)


def fetch(
    transport: Transport, address: Address, key: str | None, patience: Patience, cancel: Cancel
) -> tuple[int, bytes]:
    """Status and body of a GET. Raises as `Transport.exchange` does."""
    call = Call(method="GET", address=address, headers=request_headers(key), patience=patience)
    with transport.exchange(call, cancel) as answer:
        return answer.status, answer.read(_MAX_LIST)


def learn_facts(
    settings: EndpointSettings, key: str | None, transport: Transport, cancel: Cancel, patience: Patience = PATIENCE
) -> Facts:
    """Asks the server. Raises EndpointError (no answer, no list of models and none configured, the key is refused)."""
    address = parse_address(settings.url)
    listed = _fetch_models(settings, address, key, transport, cancel, patience)
    entry = next((entry for entry in listed if entry.id == settings.model), None)
    if settings.model is None:
        entry = choose_model(listed)
        if entry is None:
            raise EndpointError(
                f"the server at {address.url} offers no model that could write code",
                url=address.url,
                hint="load one there (Ollama: `ollama pull qwen3-coder:30b`), or name one with --model",
            )
    owner = _OWNERS.get((entry or next(iter(listed), Listed(id=""))).owner, "")
    told, server = entry.context if entry else None, owner
    if owner in ("llama.cpp", ""):
        props = _fetch_props(address, key, transport, cancel, patience)
        told = _props_context(props) or told
        server = f"llama.cpp {build}" if (build := _text(props.get("build_info"))) else owner
    context = min((length for length in (told, settings.context) if length is not None), default=None)
    return Facts(
        url=address.url,
        dialect="openai",
        model=settings.model or (entry.id if entry else ""),
        context=context,
        server=one_line(server, 80),
        hosts=transport.contacted,
    )


class FactsCache:
    """Facts of earlier connects in one small file. What does not read there is as if it were not."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def get(self, settings: EndpointSettings) -> Facts | None:
        """What was learnt of the endpoint in the last minutes."""
        entry = self._entries().get(_key(settings))
        if not isinstance(entry, Mapping) or not isinstance(entry.get("at"), int | float):
            return None
        if not 0 <= self._clock.now().timestamp() - entry["at"] <= VALID:
            return None
        try:
            return from_plain(Facts, entry.get("facts"))
        except (ValueError, TypeError):
            return None

    def put(self, settings: EndpointSettings, facts: Facts) -> None:
        entries = {name: entry for name, entry in self._entries().items() if name != _key(settings)}
        entries[_key(settings)] = {"at": self._clock.now().timestamp(), "facts": to_plain(facts)}
        self._write(dict(list(entries.items())[-_KEPT:]))

    def forget(self, settings: EndpointSettings) -> None:
        """The next connect asks again: something did not hold."""
        entries = self._entries()
        if entries.pop(_key(settings), None) is not None:
            self._write(entries)

    def _entries(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                found = parse_json(file.read(_MAX_CACHE))
        except OSError:
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, entries: Mapping[str, Any]) -> None:
        with suppress(StoreError):  # a cache that cannot be written only costs a question
            write_durably(self._path, json.dumps(entries).encode())


def _key(settings: EndpointSettings) -> str:
    return f"{parse_address(settings.url).url} {settings.model or ''} {settings.context or ''}"


def _fetch_models(
    settings: EndpointSettings,
    address: Address,
    key: str | None,
    transport: Transport,
    cancel: Cancel,
    patience: Patience,
) -> tuple[Listed, ...]:
    """The list of models; empty where there is none but the person named a model."""
    try:
        status, body = fetch(transport, address.below("/models"), key, patience, cancel)
    except EndpointStalled:
        if settings.model is None:
            raise
        return ()  # some servers do not answer this while they generate
    if status == 200:
        listed = read_models(parse_json(body))
        if listed is not None:
            return listed
        raise not_json(address.below("/models").url, body)
    if status in (401, 403) or settings.model is None:
        raise explain(
            Refusal(url=address.below("/models").url, status=status, body=body, model="", key_env=settings.key_env)
        )
    return ()


def _fetch_props(
    address: Address, key: str | None, transport: Transport, cancel: Cancel, patience: Patience
) -> Mapping[str, Any]:
    try:
        status, body = fetch(transport, address.root.below("/props"), key, replace(patience, stall=1.5), cancel)
    except EndpointError:
        return {}
    answer = parse_json(body) if status == 200 else None
    return answer if isinstance(answer, Mapping) else {}


def _props_context(props: Mapping[str, Any]) -> int | None:
    settings = props.get("default_generation_settings")
    return _length(settings.get("n_ctx")) if isinstance(settings, Mapping) else None


def _listed(entry: Mapping[str, Any]) -> Listed:
    meta = entry.get("meta")
    lengths = [_length(meta.get("n_ctx"))] if isinstance(meta, Mapping) else []
    lengths += [_length(entry.get(name)) for name in _CONTEXT_FIELDS]
    context = next((length for length in lengths if length is not None), None)
    return Listed(id=str(entry["id"]), context=context, owner=_text(entry.get("owned_by")).lower())


def _length(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31 else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
