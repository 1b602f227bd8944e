"""Servers that mean harm: what they send is bounded, ends, and is never shown raw."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchdog.contract.values import EndpointSettings
from benchdog.errors import EndpointError, EndpointStalled, ProtocolError
from benchdog.models.address import parse_address
from benchdog.models.openai import OpenAIEndpoint
from benchdog.models.transport import Call, Patience, Transport
from benchdog.models.values import Finish, Message, Reply, Request, Role
from benchdog.system.cancel import Cancel
from benchdog.system.clock import SystemClock
from benchdog.testing.raw import HEAD, raw_server, sends

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'


def ask(url: str, stall: float = 2.0) -> Reply:
    clock = SystemClock()
    endpoint = OpenAIEndpoint(
        EndpointSettings(url=url, model="m"), None, clock, Transport(clock), patience=Patience(stall=stall)
    )
    return endpoint.ask(Request(messages=(Message(role=Role.USER, content="Hi"),)), cancel=Cancel())


def endless(start: bytes, piece: bytes) -> Iterator[bytes]:
    yield start
    yield from repeat(piece)


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        pytest.param(b"\x00\xff" * 500, ProtocolError, "does not speak HTTP", id="junk"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", ProtocolError, "does not speak HTTP", id="ssh"),
        pytest.param(b"220 mail ESMTP\r\n", ProtocolError, "does not speak HTTP", id="smtp"),
        pytest.param(b"", EndpointError, "without an answer", id="nothing"),
        pytest.param(OK, ProtocolError, "not valid HTTP", id="half a head"),
        pytest.param(OK + b"Content-Length: 9\r\n\r\n", EndpointError, "broke off", id="no body"),
        pytest.param(OK + b"Content-Length: x\r\n\r\n", ProtocolError, "not valid HTTP", id="a wrong length"),
        pytest.param(OK + b"Content-Length: 0\r\n\r\n", ProtocolError, "the answer is empty", id="an empty body"),
        pytest.param(CHUNKED + b"zz\r\nfoo", EndpointError, "broke off", id="garbage for a chunk"),
        pytest.param(CHUNKED + b"ffffffffffffffffffffffff\r\n", EndpointError, "broke off", id="a huge chunk"),
        pytest.param(
            OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
            ProtocolError,
            "'gzip'-encoded",
            id="gzip",
        ),
        pytest.param(OK + b"\r\n\x1b]0;x\x07plain text", ProtocolError, "answered 'plain text'", id="text"),
        pytest.param(OK + b"\r\n[1, 2]", ProtocolError, "not the JSON", id="a list"),
        pytest.param(OK + b'\r\n{"choices": []}', ProtocolError, "no chat completion", id="no choices"),
        pytest.param(OK + b"\r\n" + b'{"a":' * 100_000, ProtocolError, "not the JSON", id="deep nesting"),
        pytest.param(HEAD + b"data: {nonsense\n\n", ProtocolError, "not JSON: '{nonsense'", id="an event of no JSON"),
        pytest.param(HEAD + b"data: " + b"[" * 100_000 + b"\n\n", ProtocolError, "not JSON", id="a deep event"),
        pytest.param(
            HEAD + b'data: {"error": {"message": "\\u001b[2Jboom"}}\n\n', EndpointError, "broke off: boom", id="escapes"
        ),
    ],
)
def test_one_clear_error(data: bytes, kind: type[EndpointError], text: str) -> None:
    with raw_server(sends(data)) as url, pytest.raises(EndpointError) as raised:
        ask(url)
    assert type(raised.value) is kind
    assert text in raised.value.message
    assert raised.value.message.isprintable()


@pytest.mark.parametrize(
    ("start", "piece", "text"),
    [
        pytest.param(OK + b"X: ", b"x" * 65536, "not valid HTTP", id="an endless header"),
        pytest.param(OK, b"X: y\r\n" * 8192, "not valid HTTP", id="endless headers"),
        pytest.param(b"", b"x" * 65536, "does not speak HTTP", id="an endless status line"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2048, "a response head of more", id="endless interims"),
        pytest.param(HEAD + b"data: ", b"x" * 65536, "bytes in one event", id="an endless line"),
        pytest.param(HEAD, b"data: x\n" * 8192, "bytes in one event", id="an endless event"),
        pytest.param(HEAD, b": " + b"p" * 1_000_000 + b"\n", "sent more than", id="endless comments"),
        pytest.param(OK + b'\r\n{"a":"', b"x" * 1_000_000, "sent more than", id="an endless document"),
        pytest.param(b"HTTP/1.1 500 No\r\n\r\n", b"x" * 65536, "sent more than", id="an endless error"),
    ],
)
def test_what_has_no_end_is_cut_off(start: bytes, piece: bytes, text: str) -> None:
    with raw_server(sends(endless(start, piece))) as url, pytest.raises(ProtocolError) as raised:
        ask(url)
    assert text in raised.value.message


def test_a_line_of_five_megabytes_breaks_the_reply_off() -> None:
    data = HEAD + EVENT + b'data: {"choices":[{"delta":{"content":"' + b"x" * 5_000_000 + b'"}}]}\n\n'
    with raw_server(sends(data)) as url:
        reply = ask(url)
    assert (reply.text, reply.finish) == ("Hi", Finish.BROKEN)
    assert "bytes in one event" in reply.trouble


def test_bytes_that_are_no_utf_8() -> None:
    data = HEAD + b'data: {"choices":[{"delta":{"content":"a\xff\xfeb"}}]}\n\n' + b"data: [DONE]\n\n"
    with raw_server(sends(data)) as url:
        assert ask(url).text == "a\ufffd\ufffdb"


def test_a_lone_surrogate_does_not_break_what_follows() -> None:
    data = HEAD + b'data: {"choices":[{"delta":{"content":"a\\ud800b"}}]}\n\n' + b"data: [DONE]\n\n"
    with raw_server(sends(data)) as url:
        assert ask(url).text.encode("utf-8", "replace") == b"a?b"


def dripping(start: bytes, piece: bytes) -> Iterator[bytes]:
    """A piece every 20 ms, for ever."""
    never = threading.Event()
    yield start
    for each in repeat(piece):
        never.wait(0.02)
        yield each


def test_a_head_that_drips_is_a_stall() -> None:
    with raw_server(sends(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"))) as url, pytest.raises(EndpointStalled) as raised:
        ask(url, stall=0.2)
    assert raised.value.message.endswith("did not finish the head of its response within 0.2 s")


def test_comments_are_signs_of_life_and_a_total_limit_ends_them() -> None:
    clock = SystemClock()
    with raw_server(sends(dripping(HEAD, b": keepalive 1/9\n\n"))) as url:
        call = Call(
            method="GET",
            address=parse_address(url),
            headers={},
            patience=Patience(stall=0.3, total=0.6),
        )
        started = clock.monotonic()
        with (
            Transport(clock).exchange(call, Cancel()) as answer,
            pytest.raises(EndpointStalled, match=r"did not answer within 0\.6 s"),
        ):
            answer.read()
        assert clock.monotonic() - started >= 0.6


def test_silence_in_the_middle_is_a_stall() -> None:
    def send(client: socket.socket, over: threading.Event) -> None:
        client.sendall(HEAD + EVENT)
        over.wait()

    with raw_server(send) as url, pytest.raises(EndpointStalled, match="sent nothing for"):
        ask(url, stall=0.2)


def test_a_server_that_never_reads_is_a_stall() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with pytest.raises(EndpointStalled):
            ask(url, stall=0.2)


def test_tls_to_a_server_without_it() -> None:
    with raw_server(sends(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url, pytest.raises(EndpointError) as raised:
        ask(url.replace("http:", "https:"), stall=1.0)
    assert raised.value.hint == "is it http:// perhaps?" or isinstance(raised.value, EndpointStalled)


@settings(max_examples=40)
@given(st.binary(max_size=300), st.sampled_from([b"", OK, OK + b"\r\n", CHUNKED, HEAD, HEAD + EVENT, HEAD + b"data: "]))
def test_any_bytes_end_in_a_reply_or_an_endpoint_error(junk: bytes, start: bytes) -> None:
    with raw_server(sends(start + junk)) as url:
        try:
            reply = ask(url)
        except EndpointError as error:
            assert error.message.isprintable()
        else:
            assert reply.trouble.isprintable()
