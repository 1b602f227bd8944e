"""HTTP/1.1 to a model server: one connection a request, patient with slow models, deaf to hostile servers.

There is no time limit on an answer as a whole (prefill may take minutes): only silence ends the wait. Any byte is a
sign of life, SSE comments included. Cancellation ends every wait at once, the one for a connection too. The
environment's proxies are never used, redirects are never followed, and nothing is contacted but what was asked for.
httpcore, which carries h11, is imported at the first exchange; TLS is set up only for https.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from benchdog.errors import EndpointError, ProtocolError
from benchdog.models.address import Address
from benchdog.models.sockets import Link, open_link
from benchdog.system.cancel import Cancel
from benchdog.system.clock import Clock
from benchdog.system.terminal import one_line

if TYPE_CHECKING:
    import httpcore

MAX_ANSWER = 64 * 1024 * 1024  # bytes of one whole answer, streamed or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the next byte, and (None: for ever) for the whole answer."""

    connect: float = 10.0
    stall: float = 120.0
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request. `headers` come on top of those that every request has."""

    method: str
    address: Address
    headers: Mapping[str, str]
    body: bytes = b""
    patience: Patience = Patience()


class Answer:
    """A response whose head has come. `chunks` yields the body's bytes as they arrive, once."""

    def __init__(self, response: httpcore.Response, link: Link, url: str) -> None:
        self.status = response.status
        self.headers = {_latin(name).lower(): _latin(value) for name, value in response.headers}
        self.url = url
        self._response = response
        self._link = link

    def chunks(self, limit: int = MAX_ANSWER) -> Iterator[bytes]:
        """Raises ProtocolError past `limit` bytes, EndpointError where the server dies or stops, Cancelled."""
        total = 0
        for chunk in _translated(self.url, self._response.iter_stream):
            total += len(chunk)
            if total > limit:
                raise ProtocolError(f"{self.url} sent more than {limit} bytes", url=self.url)
            yield chunk

    def read(self, limit: int = MAX_ANSWER) -> bytes:
        """The whole body."""
        return b"".join(self.chunks(limit))

    def hurry(self, seconds: float) -> None:
        """From now on silence is borne for only so long."""
        self._link.hurry(seconds)


class Transport:
    """Sends requests and remembers every address that it contacted. One may serve many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._contacted: dict[str, None] = {}

    @property
    def contacted(self) -> tuple[str, ...]:
        """Every `address:port` that a connection was tried to, in order."""
        with self._lock:
            return tuple(self._contacted)

    @contextmanager
    def exchange(self, call: Call, cancel: Cancel) -> Iterator[Answer]:
        """Sends a request and yields the answer as soon as its head is there; the connection ends with the block.

        Raises EndpointMissing (no connection), EndpointStalled, ProtocolError, EndpointError (the server died),
        Cancelled.
        """
        import httpcore  # noqa: PLC0415 - start-up time

        address, patience = call.address, call.patience
        with closing(Link(address.url, self._clock, patience.stall, patience.total)) as link, cancel.ends(link.wake):
            cancel.check()
            open_link(link, address, patience.connect, self._contact)
            connection = httpcore.HTTP11Connection(_origin(address), cast("httpcore.NetworkStream", link))
            request = _request(call)
            with closing(_handle(connection, request, link)) as response:
                link.head_is_over()
                _refuse_encoding(response, address.url)
                yield Answer(response, link, address.url)

    def _contact(self, place: str) -> None:
        with self._lock:
            self._contacted[place] = None


def pause(seconds: float, cancel: Cancel) -> None:
    """Waits. Raises Cancelled as soon as that is asked for."""
    over = threading.Event()
    with cancel.ends(over.set):
        over.wait(seconds)
    cancel.check()


def _origin(address: Address) -> httpcore.Origin:
    import httpcore  # noqa: PLC0415 - start-up time

    return httpcore.Origin(b"https" if address.secure else b"http", address.host.encode(), address.port)


def _request(call: Call) -> httpcore.Request:
    import httpcore  # noqa: PLC0415 - start-up time

    address = call.address
    scheme, host, target = (b"https" if address.secure else b"http"), address.host.encode(), address.path or "/"
    headers = {
        "Host": address.authority,
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Length": str(len(call.body)),
    }
    return httpcore.Request(
        call.method,
        httpcore.URL(scheme=scheme, host=host, port=address.port, target=target.encode()),
        headers=[(name.encode(), value.encode()) for name, value in (headers | dict(call.headers)).items()],
        content=call.body,
    )


def _handle(connection: httpcore.HTTP11Connection, request: httpcore.Request, link: Link) -> httpcore.Response:
    import httpcore  # noqa: PLC0415 - start-up time

    try:
        return connection.handle_request(request)
    except httpcore.RemoteProtocolError as error:
        raise _no_answer(link, error) from error


def _no_answer(link: Link, error: Exception) -> EndpointError:
    """What it means that no response's head was made out of the bytes that came."""
    if not link.heard:
        return EndpointError(f"{link.url} closed the connection without an answer", url=link.url)
    if link.heard.startswith(b"HTTP/1."):
        return ProtocolError(f"{link.url} began an answer that is not valid HTTP: {one_line(str(error))}", url=link.url)
    said = one_line(link.heard.decode("utf-8", "replace"), 80)
    hint = "check the address and the port"
    return ProtocolError(f"{link.url} does not speak HTTP: it said {said!r}", url=link.url, hint=hint)


def _translated(url: str, stream: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    import httpcore  # noqa: PLC0415 - start-up time

    try:
        yield from stream()
    except httpcore.RemoteProtocolError as error:
        raise EndpointError(f"{url} broke off in the middle of its answer: {one_line(str(error))}", url=url) from error


def _refuse_encoding(response: httpcore.Response, url: str) -> None:
    for name, value in response.headers:
        if name.lower() == b"content-encoding" and value.lower() not in (b"identity", b""):
            raise ProtocolError(
                f"{url} answered {one_line(_latin(value), 40)!r}-encoded, which was not asked for", url=url
            )


def _latin(value: bytes) -> str:
    return value.decode("latin-1")


def warm_up() -> None:
    """Imports what a first request needs, in a thread of its own: it takes as long as the sandbox's trial beside it."""

    def work() -> None:
        import httpcore  # noqa: F401, PLC0415 - only to have it

    threading.Thread(target=work, name="warm-up", daemon=True).start()
