"""A server of raw bytes for tests: what it sends is whatever a test says, protocol or not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

Send = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


@contextmanager
def raw_server(send: Send, on_head: Callable[[bytes], object] | None = None) -> Iterator[str]:
    """Calls `send` for each connection once its request's head has come; the event is set when the test is over.

    `on_head` sees what of the request had come by then.
    """
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, send, on_head, over))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def sends(data: bytes | Iterable[bytes]) -> Send:
    """Sends the bytes and closes."""

    def send(client: socket.socket, over: threading.Event) -> None:
        for piece in (data,) if isinstance(data, bytes) else data:
            client.sendall(piece)

    return send


def streamed(*events: str) -> bytes:
    """A whole answer that streams these events' data and then closes."""
    return HEAD + b"".join(f"data: {event}\n\n".encode() for event in events)


def _accept(
    listener: socket.socket, send: Send, on_head: Callable[[bytes], object] | None, over: threading.Event
) -> None:
    while not over.is_set():
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, suppress(OSError):  # the client had enough
            head = _head(client)
            if on_head is not None:
                on_head(head)
            send(client, over)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):  # so that closing does not reset what is still on the way
                continue


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(65536)
        if not piece:
            break
        head += piece
    return head
