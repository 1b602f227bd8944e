"""Finds a model server: what is configured first, then the places where local servers usually listen."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from benchdog.contract.values import EndpointSettings
from benchdog.errors import BenchdogError, EndpointError, EndpointMissing
from benchdog.models.address import parse_address
from benchdog.models.facts import choose_model, fetch, read_models
from benchdog.models.problems import parse_json
from benchdog.models.surroundings import Surroundings, read_surroundings
from benchdog.models.transport import Patience, Transport
from benchdog.system.cancel import Cancel
from benchdog.system.clock import Clock, SystemClock
from benchdog.system.environment import Environment
from benchdog.system.terminal import one_line

USUAL_PORTS = (("Ollama", 11434), ("LM Studio", 1234), ("llama.cpp", 8080), ("vLLM", 8000), ("SGLang", 30000))
_PATIENCE = Patience(connect=1.0, stall=1.5, total=2.5)
_DEADLINE = 3.0  # seconds for everything, name look-ups included
_HINT = (
    "start one: `ollama serve` and `ollama pull qwen3-coder:30b`, or `llama-server -m MODEL.gguf -c 32768 --jinja`; "
    "a server elsewhere: --endpoint http://HOST:PORT/v1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server may be. `configured`: a person said so; then anything that listens there counts."""

    name: str
    settings: EndpointSettings
    configured: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found at a place; `reason` is why it will not do, or empty."""

    index: int
    reason: str


def places_to_look(
    environment: Environment,
    endpoints: Sequence[EndpointSettings],
    surroundings: Surroundings,
    ports: Sequence[tuple[str, int]] = USUAL_PORTS,
) -> tuple[Place, ...]:
    """All places, the preferred ones first. Raises UserError for an address that does not read."""
    found = [Place(name=f"endpoint {one.name!r}", settings=one, configured=True) for one in endpoints]
    variable = environment.get("OLLAMA_HOST")
    if variable and variable.strip():
        found.append(_place("OLLAMA_HOST", ollama_url(variable)))
    for host in ("127.0.0.1", *surroundings.neighbours):
        found += [_place(name, f"http://{host}:{port}/v1") for name, port in ports]
    seen: set[str] = set()
    unique = []
    for place in found:
        url = parse_address(place.settings.url).url
        if url not in seen:
            seen.add(url)
            unique.append(place)
    return tuple(unique)


def ollama_url(variable: str) -> str:
    """What `OLLAMA_HOST` means to a client: host, port and scheme may be missing; 0.0.0.0 is this machine."""
    scheme, _, rest = variable.strip().rpartition("://")
    host, colon, port = rest.rstrip("/").partition(":") if not rest.startswith("[") else (rest, "", "")
    if host in ("", "0.0.0.0"):  # noqa: S104 - nothing listens: it is where a server said that it does
        host = "127.0.0.1"
    usual = {"http": "80", "https": "443"}.get(scheme, "11434")
    return f"{scheme or 'http'}://{host}:{port if colon and port else usual}/v1"


def discover(
    environment: Environment,
    endpoints: Sequence[EndpointSettings] = (),
    *,
    clock: Clock | None = None,
    transport: Transport | None = None,
    cancel: Cancel | None = None,
    surroundings: Surroundings | None = None,
    ports: Sequence[tuple[str, int]] = USUAL_PORTS,
) -> EndpointSettings:
    """The first place, in order of preference, where a model server answers; all are asked at the same time.

    `ports` are where local servers usually listen, by name.

    Raises EndpointMissing with what was looked for where, UserError, Cancelled.
    """
    clock = clock or SystemClock()
    if surroundings is None:
        surroundings = read_surroundings(environment)
    places = places_to_look(environment, endpoints, surroundings, ports)
    over = Cancel()
    with (cancel or Cancel()).ends(over.set):
        try:
            reasons = _ask_all(places, clock, transport or Transport(clock), over)
        finally:
            over.set()
    if cancel is not None:
        cancel.check()
    for place, reason in zip(places, reasons, strict=True):
        if not reason:
            return place.settings
    raise _nothing(places, reasons)


def _ask_all(places: Sequence[Place], clock: Clock, transport: Transport, over: Cancel) -> list[str]:
    """For each place why it will not do; empty for the first one that does, whose rank is settled."""
    answers: queue.SimpleQueue[_Found] = queue.SimpleQueue()

    def ask(index: int, place: Place) -> None:
        answers.put(_Found(index, _probe(place, transport, over)))

    for index, place in enumerate(places):
        threading.Thread(target=ask, args=(index, place), daemon=True).start()
    reasons: dict[int, str] = {}
    end = clock.monotonic() + _DEADLINE
    while len(reasons) < len(places) and not _settled(reasons):
        try:
            found = answers.get(timeout=max(0.0, end - clock.monotonic()))
        except queue.Empty:
            break
        reasons[found.index] = found.reason
    return [reasons.get(index, "no answer in time") for index in range(len(places))]


def _settled(reasons: dict[int, str]) -> bool:
    """Whether a place will do and all that are preferred to it will not."""
    for index in range(len(reasons)):
        if index not in reasons:
            return False
        if not reasons[index]:
            return True
    return False


def _probe(place: Place, transport: Transport, over: Cancel) -> str:
    """Why this place will not do; empty where it does. No key is sent only to look."""
    try:
        address = parse_address(place.settings.url).below("/models")
        status, body = fetch(transport, address, None, _PATIENCE, over)
    except EndpointMissing as error:
        return error.message.rpartition(": ")[2]
    except EndpointError as error:
        return "" if place.configured else one_line(error.message)
    except BenchdogError as error:
        return error.message
    if place.configured:
        return ""
    listed = read_models(parse_json(body)) if status == 200 else None
    if listed is None:
        return f"something answers there, but no model server (HTTP {status})"
    return "" if choose_model(listed) else "a server answers, but it has no model that could write code"


def _place(name: str, url: str) -> Place:
    return Place(name=name, settings=EndpointSettings(name=name, url=url))


def _nothing(places: Sequence[Place], reasons: Sequence[str]) -> EndpointMissing:
    """The message: configured places one by one, the usual ones together where they failed in the same way."""
    lines: list[str] = []
    together: dict[tuple[str, str], list[str]] = {}
    for place, reason in zip(places, reasons, strict=True):
        address = parse_address(place.settings.url)
        if place.configured:
            lines.append(f"  {place.name} at {address.url}: {reason}")
        else:
            together.setdefault((address.host, reason), []).append(f"{place.name} {address.port}")
    lines += [f"  at {host}: {', '.join(names)}: {reason}" for (host, reason), names in together.items()]
    return EndpointMissing("no model server answers. Looked for:\n" + "\n".join(lines), hint=_HINT)
