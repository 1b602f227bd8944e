from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchdog.contract.values import EndpointSettings
from benchdog.errors import Cancelled, ContextOverflow, EndpointError, EndpointMissing, EndpointStalled, ProtocolError
from benchdog.models.openai import BACKOFF, OpenAIEndpoint, Wait
from benchdog.models.problems import Busy
from benchdog.models.transport import Patience, Transport, pause
from benchdog.models.values import (
    Delta,
    DeltaKind,
    Facts,
    Finish,
    Message,
    RawCall,
    Reply,
    Request,
    Role,
    Sampling,
    Tool,
    Usage,
)
from benchdog.system.cancel import Cancel
from benchdog.system.clock import SystemClock
from benchdog.testing.policy import Policy, ScriptedCall, ScriptedReply, Trick, always, play
from benchdog.testing.raw import HEAD, raw_server, sends, streamed
from benchdog.testing.server import ScriptedServer, Traits

REQUEST = Request(
    messages=(Message(role=Role.USER, content="Do it."),),
    tools=(Tool(name="edit", description="Edits.", parameters={"type": "object"}),),
)
CALL = ScriptedCall(name="edit", arguments={"path": "ä.py", "search": "a - b", "replace": "a + b"}, id="c1")


def endpoint(
    url: str, *, stall: float = 5.0, wait: Wait | None = None, key: str | None = None, **more: Any
) -> OpenAIEndpoint:
    clock = SystemClock()
    settings = EndpointSettings(url=url, model="scripted", **more)
    patience = Patience(connect=2.0, stall=stall)
    return OpenAIEndpoint(settings, key, clock, Transport(clock), patience=patience, wait=wait or _no_wait)


def _no_wait(seconds: float, cancel: Cancel) -> None:
    cancel.check()


def ask(url: str, request: Request = REQUEST, **more: Any) -> Reply:
    return endpoint(url, **more).ask(request, cancel=Cancel())


def timeless(reply: Reply) -> Reply:
    assert 0 <= reply.first_token_seconds <= reply.seconds
    return replace(reply, first_token_seconds=0.0, seconds=0.0, body=b"")


REPLY = ScriptedReply(text="Now I edit — ✎.", reasoning="It subtracts.", calls=(CALL,))
EXPECTED = Reply(
    text="Now I edit — ✎.",
    reasoning="It subtracts.",
    calls=(RawCall(id="c1", name="edit", arguments=CALL.text),),
    finish=Finish.CALLS,
    usage=Usage(prompt=47, cached=0, completion=28),
)


@pytest.mark.parametrize("streams", [True, False])
def test_a_reply_comes_whole_streamed_or_not(streams: bool) -> None:
    deltas: list[Delta] = []
    with ScriptedServer(always(REPLY), Traits(streams=streams)) as server:
        reply = endpoint(server.url).ask(REQUEST, cancel=Cancel(), on_delta=deltas.append)
        assert timeless(reply) == replace(EXPECTED, usage=reply.usage)
        assert reply.usage == Usage(prompt=server.counts[0].prompt, cached=0, completion=server.counts[0].completion)
        assert server.bodies == [reply.body]
    shown = {kind: "".join(delta.text for delta in deltas if delta.kind is kind) for kind in DeltaKind}
    assert shown[DeltaKind.TEXT] == reply.text
    assert shown[DeltaKind.REASONING] == reply.reasoning
    assert shown[DeltaKind.CALL].replace("edit ", "edit") == "edit" + CALL.text


def test_what_is_sent() -> None:
    with ScriptedServer(always(ScriptedReply(text="ok"))) as server:
        ask(server.url, replace(REQUEST, sampling=Sampling(seed=4)), temperature=0.7, top_p=0.5)
        body = server.requests[0]
    assert {name: value for name, value in body.items() if name not in ("messages", "tools")} == {
        "model": "scripted",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.7,
        "top_p": 0.5,
        "max_tokens": 4096,
        "seed": 4,
        "tool_choice": "auto",
    }


def test_the_prefix_of_a_growing_window_is_cached() -> None:
    with ScriptedServer(always(REPLY)) as server:
        first = ask(server.url)
        longer = replace(
            REQUEST,
            messages=(
                *REQUEST.messages,
                Message(role=Role.ASSISTANT, content="x"),
                Message(role=Role.USER, content="y"),
            ),
        )
        second = ask(server.url, longer)
    assert first.usage.prompt is not None
    assert second.usage.cached is not None
    assert second.usage.cached >= first.usage.prompt - 1


def test_nobody_answers() -> None:
    with ScriptedServer(always(REPLY)) as server:
        url = server.url
    with pytest.raises(EndpointMissing) as raised:
        ask(url)
    assert raised.value.message == f"no model server answers at {url}/chat/completions: connection refused"


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(EndpointMissing, match="this name is not known"):
        ask("http://model.invalid/v1")


@pytest.mark.parametrize(
    ("trick", "kind", "text"),
    [
        (Trick.REFUSE, EndpointError, "closed the connection without an answer"),
        (Trick.HANG, EndpointStalled, "sent nothing for 0.2 s"),
        (
            Trick.HTML,
            ProtocolError,
            "'<!DOCTYPE html><html><head><title>Welcome</title></head><body>Log in</body></html>'",
        ),
        (Trick.JUNK, ProtocolError, "does not speak HTTP"),
        (Trick.LOADING, Busy, "is not ready: Loading model"),
        (Trick.ERROR, EndpointError, "answered HTTP 500: scripted error"),
    ],
)
def test_servers_that_fail(trick: Trick, kind: type[EndpointError], text: str) -> None:
    with ScriptedServer(always(replace(REPLY, trick=trick))) as server, pytest.raises(EndpointError) as raised:
        ask(server.url, stall=0.2)
    assert type(raised.value) is kind
    assert text in raised.value.message
    assert raised.value.message.isprintable()


@pytest.mark.parametrize(("trick", "trouble"), [(Trick.DIE, "in the middle"), (Trick.STREAM_ERROR, "scripted error")])
def test_a_stream_that_breaks_off_leaves_a_broken_reply(trick: Trick, trouble: str) -> None:
    with ScriptedServer(always(ScriptedReply(text="half of this " * 20, trick=trick))) as server:
        reply = ask(server.url)
    assert reply.finish is Finish.BROKEN
    assert ("half of this " * 20).startswith(reply.text)
    assert len(reply.text) > 50
    assert trouble in reply.trouble


def test_a_loading_server_is_asked_again() -> None:
    waits: list[float] = []
    loading = ScriptedReply(trick=Trick.LOADING)
    with ScriptedServer(play([loading, loading, loading, REPLY])) as server:
        reply = ask(server.url, wait=lambda seconds, cancel: waits.append(seconds))
    assert reply.text == REPLY.text
    assert waits == [0.25, 0.5, 1.0]
    assert 240 < sum(BACKOFF) < 360


def test_overflow_teaches_the_limit() -> None:
    with ScriptedServer(always(REPLY), Traits(context=10)) as server:
        model = endpoint(server.url)
        with pytest.raises(ContextOverflow) as raised:
            model.ask(REQUEST, cancel=Cancel())
        assert (raised.value.limit, model.facts.context) == (10, 10)


def test_a_key_is_sent_and_never_told() -> None:
    refused = ScriptedReply(trick=Trick.ERROR, status=401, error="bad key")
    with ScriptedServer(always(refused)) as server, pytest.raises(EndpointError) as raised:
        ask(server.url, key="sk-secret", key_env="MY_KEY")
    assert raised.value.hint == "the key in the environment variable MY_KEY (key_env) is not accepted there"
    assert "secret" not in str(raised.value) + repr(raised.value.hint)


def test_the_key_is_a_bearer_header() -> None:
    seen: list[bytes] = []

    def answer(client: Any, over: threading.Event) -> None:
        client.sendall(streamed("[DONE]"))

    with raw_server(answer, seen.append) as url:
        ask(url, key="sk-1")
        ask(url)
    assert [b"\r\nAuthorization: Bearer sk-1\r\n" in head for head in seen] == [True, False]


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


TEXT = chunk({"content": "Hi"})


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([TEXT, chunk({}, "stop"), "[DONE]"], Reply(text="Hi"), id="by the book"),
        pytest.param([TEXT, "[DONE]"], Reply(text="Hi"), id="done without a reason"),
        pytest.param([TEXT, chunk({}, "stop")], Reply(text="Hi"), id="a reason without done"),
        pytest.param([TEXT], Reply(text="Hi", finish=Finish.BROKEN), id="neither"),
        pytest.param([], Reply(text="", finish=Finish.BROKEN), id="nothing at all"),
        pytest.param(["[DONE]"], Reply(text=""), id="an empty reply"),
        pytest.param([TEXT, chunk({}, "length"), "[DONE]"], Reply(text="Hi", finish=Finish.LENGTH), id="cut"),
        pytest.param([TEXT, chunk({}, "abort"), "[DONE]"], Reply(text="Hi", finish=Finish.BROKEN), id="aborted"),
        pytest.param([TEXT, chunk({}, "eos_token"), "[DONE]"], Reply(text="Hi"), id="an unknown reason"),
        pytest.param(
            [chunk({"reasoning": "hm", "content": None}), chunk({"reasoning_content": "!"}), TEXT, "[DONE]"],
            Reply(text="Hi", reasoning="hm!"),
            id="both names of reasoning",
        ),
        pytest.param(
            [chunk({"reasoning": "hm", "reasoning_content": "hm"}), "[DONE]"],
            Reply(text="", reasoning="hm"),
            id="reasoning under both names at once",
        ),
        pytest.param(
            [chunk({"content": [{"type": "text", "text": "Hi"}]}), "[DONE]"], Reply(text="Hi"), id="content in parts"
        ),
        pytest.param(
            [chunk({"tool_calls": [{"index": 0, "function": {"name": "edit", "arguments": "{}"}}]}, "stop"), "[DONE]"],
            Reply(text="", calls=(RawCall(id="call00001", name="edit", arguments="{}"),), finish=Finish.CALLS),
            id="a call without id that ends with stop",
        ),
        pytest.param(
            [
                TEXT,
                chunk({}, "stop"),
                json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}),
                json.dumps(
                    {
                        "choices": [],
                        "timings": {"prompt_n": 4, "cache_n": 5, "prompt_per_second": 80.5, "predicted_per_second": 7},
                    }
                ),
            ],
            Reply(text="Hi", usage=Usage(prompt=9, cached=5, completion=2, prefill_speed=80.5, decode_speed=7.0)),
            id="usage and timings",
        ),
        pytest.param(
            [TEXT, json.dumps({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": True}}), "[DONE]"],
            Reply(text="Hi"),
            id="counts that are none",
        ),
        pytest.param(
            [
                TEXT,
                '{"choices": 7}',
                '{"choices": [null]}',
                '{"choices": [{"delta": 3, "finish_reason": {}}]}',
                "[DONE]",
            ],
            Reply(text="Hi"),
            id="chunks of wrong types",
        ),
        pytest.param(
            [json.dumps({"choices": [{"index": 1, "delta": {"content": "other"}}]}), TEXT, "[DONE]"],
            Reply(text="Hi"),
            id="a second choice is left out",
        ),
        pytest.param([TEXT, "[DONE]", chunk({"content": "late"})], Reply(text="Hi"), id="what comes after done"),
    ],
)
def test_streams_as_servers_send_them(events: list[str], expected: Reply) -> None:
    with raw_server(sends(streamed(*events))) as url:
        if expected.finish is Finish.BROKEN and not expected.text:
            with pytest.raises(ProtocolError, match="the answer is empty"):
                ask(url)
        else:
            assert timeless(ask(url)) == expected


def test_an_error_before_anything_is_an_error() -> None:
    error = json.dumps({"error": {"message": "maximum context length is 4096 tokens", "code": 400}})
    with raw_server(sends(streamed(error))) as url, pytest.raises(ContextOverflow) as raised:
        ask(url)
    assert raised.value.limit == 4096


def test_output_that_the_server_could_not_read_is_a_broken_reply() -> None:
    error = {"message": "error parsing tool call: raw='<function=edit>', err=unexpected <", "type": "api_error"}
    with ScriptedServer(always(ScriptedReply(trick=Trick.ERROR, error=error))) as server:
        reply = ask(server.url)
    assert (reply.text, reply.finish) == ("<function=edit>", Finish.BROKEN)
    assert "could not read what its model wrote" in reply.trouble


def test_a_finished_stream_that_stays_open_is_not_waited_for() -> None:
    def send(client: Any, over: threading.Event) -> None:
        client.sendall(streamed(TEXT, chunk({}, "stop")))
        over.wait()

    with raw_server(send) as url:
        assert ask(url, stall=0.2).finish is Finish.STOP


def cancelled_during(url: str, begin: Callable[[Cancel], None]) -> None:
    cancel = Cancel()
    began = threading.Thread(target=begin, args=(cancel,))
    began.start()
    clock = SystemClock()
    started = clock.monotonic()
    with pytest.raises(Cancelled):
        endpoint(url, stall=60).ask(REQUEST, cancel=cancel)
    assert clock.monotonic() - started < 5
    began.join()


def test_cancelling_ends_a_wait_for_the_head_at_once() -> None:
    asked = threading.Event()

    def policy(_: Any) -> ScriptedReply:
        asked.set()
        return ScriptedReply(trick=Trick.HANG)

    def begin(cancel: Cancel) -> None:
        asked.wait()
        cancel.set()

    with ScriptedServer(policy) as server:
        cancelled_during(server.url, begin)


def test_cancelling_ends_a_stream_at_once_and_the_server_notices() -> None:
    gone, begun = threading.Event(), threading.Event()

    def send(client: Any, over: threading.Event) -> None:
        client.sendall(HEAD + f"data: {TEXT}\n\n".encode())
        begun.set()
        try:
            while client.recv(65536):
                continue  # what is left of the request
        finally:
            gone.set()

    def begin(cancel: Cancel) -> None:
        begun.wait()
        cancel.set()

    with raw_server(send) as url:
        cancelled_during(url, begin)
        assert gone.wait(5)


def test_cancelling_ends_a_wait_between_tries_at_once() -> None:
    cancel = Cancel()

    def wait(seconds: float, given: Cancel) -> None:
        threading.Timer(0.01, given.set).start()
        pause(600.0, given)

    with ScriptedServer(always(ScriptedReply(trick=Trick.LOADING))) as server, pytest.raises(Cancelled):
        endpoint(server.url, wait=wait).ask(REQUEST, cancel=cancel)


def test_a_cancelled_request_is_never_sent() -> None:
    cancel = Cancel()
    cancel.set()
    with ScriptedServer(always(REPLY)) as server:
        with pytest.raises(Cancelled):
            endpoint(server.url).ask(REQUEST, cancel=cancel)
        assert server.requests == []


def test_proxies_of_the_environment_are_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    policy: Policy = always(REPLY)
    with ScriptedServer(policy) as server, ScriptedServer(policy) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        ask(server.url)
        assert (len(server.requests), len(proxy.requests)) == (1, 0)


def test_redirects_are_not_followed() -> None:
    with ScriptedServer(always(REPLY)) as other:
        head = f"HTTP/1.1 307 Moved\r\nLocation: {other.url}/chat/completions\r\nContent-Length: 0\r\n\r\n"
        with raw_server(sends(head.encode())) as url, pytest.raises(ProtocolError, match="HTTP 307, a redirect"):
            ask(url)
        assert other.requests == []


def test_every_address_contacted_is_told() -> None:
    with ScriptedServer(always(REPLY)) as server:
        model = endpoint(server.url)
        assert model.facts == Facts(url=server.url, dialect="openai", model="scripted")
        model.ask(REQUEST, cancel=Cancel())
        assert model.facts.hosts == (f"127.0.0.1:{server.port}",)
