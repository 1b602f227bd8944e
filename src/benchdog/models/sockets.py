"""A connection whose every wait ends by data, by time or by cancellation, whichever is first.

`Link` has the methods of httpcore's NetworkStream.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from typing import Any, TypeVar

from benchdog.errors import Cancelled, EndpointError, EndpointMissing, EndpointStalled, HostError, ProtocolError
from benchdog.models.address import Address
from benchdog.system.clock import Clock

T = TypeVar("T")
MAX_HEAD = 256 * 1024  # bytes before a response's head is over, interim responses included
_QUOTED = 256  # bytes
_PROGRESS = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}


class Died(EndpointError):
    """The connection broke."""


class Link:
    """One connection to one server. `wake` may be called from any thread and from a signal handler."""

    def __init__(self, url: str, clock: Clock, stall: float, total: float | None) -> None:
        self.url = url
        self._clock = clock
        self._stall = stall
        self._end = None if total is None else clock.monotonic() + total
        self._total = total
        self._socket: socket.socket | None = None
        self._want_read: tuple[type[BaseException], ...] = (BlockingIOError,)
        self._want_write: tuple[type[BaseException], ...] = ()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._head_end: float | None = None
        self._head_left: int | None = MAX_HEAD
        self.heard = b""
        """The first bytes that came, to be quoted where they are no HTTP."""

    def wake(self) -> None:
        """Ends the wait that is going on, and every later one, with Cancelled."""
        try:
            self._waker.send(b"x")
        except OSError:
            return  # closed meanwhile, or woken often enough

    def hurry(self, seconds: float) -> None:
        self._stall = min(self._stall, seconds)

    def head_is_over(self) -> None:
        """The response's head has come: from here on only silence is a stall."""
        self._head_left = self._head_end = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's signature
        data = self._attempt(lambda connected: connected.recv(max_bytes), select.POLLIN)
        if self._head_left is not None:
            self.heard += data[: _QUOTED - len(self.heard)]
            self._count_head(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - httpcore's signature
        left = memoryview(buffer)
        while left:
            try:
                left = left[self._send(left[: 1 << 20]) :]
            except Died:
                return  # a server may refuse early and close: its answer can still be read

    def _send(self, piece: memoryview) -> int:
        return self._attempt(lambda connected: connected.send(piece), select.POLLOUT)

    def get_extra_info(self, info: str) -> Any:  # noqa: ARG002 - httpcore's signature
        return None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._woken.close()
        self._waker.close()

    def connect(self, family: int, place: tuple[Any, ...], limit: float) -> None:
        """Raises OSError (refused, no route, timed out), Cancelled."""
        if self._socket is not None:
            self._socket.close()
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status = self._socket.connect_ex(place)
        if status in _PROGRESS:
            if not self._ready(select.POLLOUT, limit):
                raise TimeoutError(errno.ETIMEDOUT, f"no connection within {limit:g} s")
            status = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            raise OSError(status, errno.errorcode.get(status, "error"))

    def secure(self, host: str, limit: float) -> None:
        """TLS, with the system's certificates. Raises EndpointError, EndpointStalled, Cancelled."""
        import ssl  # noqa: PLC0415 - only where TLS is needed

        assert self._socket is not None, "TLS comes after connecting"
        context = ssl.create_default_context()
        self._want_read, self._want_write = (BlockingIOError, ssl.SSLWantReadError), (ssl.SSLWantWriteError,)
        wrapped = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._socket = wrapped
        stall, self._stall = self._stall, min(limit, self._stall)
        try:
            self._attempt(lambda _: wrapped.do_handshake(), select.POLLIN)
        except Died as error:
            raise EndpointError(
                f"{self.url}: TLS cannot be set up: {error}", url=self.url, hint="is it http:// perhaps?"
            ) from error
        finally:
            self._stall = stall

    def _attempt(self, act: Callable[[socket.socket], T], wanted: int) -> T:
        """Does something on the socket as soon as it can be done."""
        assert self._socket is not None, "nothing is read or written before connecting"
        while True:
            try:
                return act(self._socket)
            except self._want_write:
                needed = select.POLLOUT
            except self._want_read:
                needed = select.POLLIN if wanted == select.POLLIN or self._want_write else wanted
            except OSError as error:
                reason = error.strerror or str(error)
                raise Died(f"{self.url}: the connection broke: {reason}", url=self.url) from error
            self._wait(needed)

    def _wait(self, wanted: int) -> None:
        now = self._clock.monotonic()
        ends = [end - now for end in (self._end, self._head_end) if end is not None]
        limit = max(0.0, min([self._stall, *ends]))
        if self._ready(wanted, limit):
            return
        if self._end is not None and self._clock.monotonic() >= self._end:
            raise EndpointStalled(f"{self.url} did not answer within {self._total:g} s", url=self.url)
        raise EndpointStalled(
            f"{self.url} sent nothing for {self._stall:g} s" if self._head_end is None else self._slow_head(),
            url=self.url,
            hint="the server may be overloaded or hung; look at its own log, then `benchdog resume`",
        )

    def _slow_head(self) -> str:
        return f"{self.url} did not finish the head of its response within {self._stall:g} s"

    def _ready(self, wanted: int, seconds: float) -> bool:
        assert self._socket is not None, "only a socket can be waited for"
        poll = select.poll()
        poll.register(self._socket, wanted)
        poll.register(self._woken, select.POLLIN)
        found = poll.poll(seconds * 1000)
        if any(descriptor == self._woken.fileno() for descriptor, _ in found):
            raise Cancelled()
        return bool(found)

    def _count_head(self, size: int) -> None:
        """A head is short and comes at once: one that drips or does not end is no model server's."""
        assert self._head_left is not None
        self._head_left -= size
        if self._head_left < 0:
            raise ProtocolError(f"{self.url} sent a response head of more than {MAX_HEAD} bytes", url=self.url)
        now = self._clock.monotonic()
        if self._head_end is None:
            self._head_end = now + self._stall
        elif now > self._head_end:
            raise EndpointStalled(self._slow_head(), url=self.url)


def open_link(link: Link, address: Address, limit: float, contact: Callable[[str], None]) -> None:
    """Connects to the first of the host's addresses that accepts; tells `contact` of each that was tried.

    Raises EndpointMissing with the reason, EndpointError (TLS), Cancelled.
    """
    reasons: list[str] = []
    for family, place in _resolve(address):
        host = f"[{place[0]}]" if ":" in str(place[0]) else place[0]
        contact(f"{host}:{place[1]}")
        try:
            link.connect(family, place, limit)
        except OSError as error:
            reasons.append(_reason(error))
            continue
        if address.secure:
            link.secure(address.host, limit)
        return
    raise missing(address, "; ".join(dict.fromkeys(reasons)) or "the name has no address")


def missing(address: Address, reason: str) -> EndpointMissing:
    return EndpointMissing(
        f"no model server answers at {address.url}: {reason}",
        url=address.url,
        hint="start the server, or give another address with --endpoint",
    )


def _resolve(address: Address) -> list[tuple[int, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise missing(address, "this name is not known") from error
    return [(family, place) for family, _, _, _, place in found]


def _reason(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return "connection refused"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "no route to it"
    if error.errno == errno.EMFILE:
        raise HostError("too many open files to connect", hint="raise `ulimit -n`") from error
    return error.strerror or str(error)
