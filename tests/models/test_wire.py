from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from benchdog.models.values import Facts, Message, Request, Role, Sampling, Tool, ToolCall
from benchdog.models.wire import encode_request

FACTS = Facts(url="http://127.0.0.1:1/v1", dialect="openai", model="m")
TOOL = Tool(name="edit", description="Edits.", parameters={"type": "object", "properties": {"b": {}, "a": {}}})

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
calls = st.builds(
    ToolCall,
    id=st.text(max_size=9),
    name=st.text(max_size=9),
    arguments=st.dictionaries(st.text(max_size=5), values, max_size=3),
)
messages = st.builds(
    Message,
    role=st.sampled_from(Role),
    content=st.text(),
    calls=st.lists(calls, max_size=2).map(tuple),
    call_id=st.none() | st.text(max_size=9),
    reasoning=st.none() | st.text(max_size=20),
)
windows = st.lists(messages, max_size=5).map(tuple)
requests = st.builds(
    Request,
    messages=windows,
    tools=st.sampled_from([(), (TOOL,)]),
    sampling=st.builds(Sampling, seed=st.none() | st.integers(0, 9)),
    max_tokens=st.integers(1, 9999),
    tool_choice=st.sampled_from(["auto", "required", "edit"]),
)


def upto_messages(body: bytes, request: Request) -> bytes:
    """The body up to the end of its last message: what a later request of the window must begin with."""
    tail = encode_request(replace(request, messages=()), FACTS).partition(b'"messages":[]')[2]
    assert body.endswith(b"]" + tail)
    return body[: -len(tail) - 1]


def test_the_whole_body() -> None:
    request = Request(
        messages=(
            Message(role=Role.SYSTEM, content="Work."),
            Message(
                role=Role.ASSISTANT,
                content="",
                calls=(ToolCall(id="call00001", name="edit", arguments={"path": "ä.py", "n": float("nan")}),),
                reasoning="hm",
            ),
            Message(role=Role.TOOL, content="done \udcff", call_id="call00001"),
        ),
        tools=(TOOL,),
        sampling=Sampling(temperature=0.5, top_p=0.9, seed=3),
        max_tokens=77,
        tool_choice="edit",
    )
    assert encode_request(request, FACTS).decode() == (
        '{"model":"m","stream":true,"stream_options":{"include_usage":true},"temperature":0.5,"top_p":0.9,'
        '"tools":[{"function":{"description":"Edits.","name":"edit",'
        '"parameters":{"type":"object","properties":{"b":{},"a":{}}}},"type":"function"}],'
        '"messages":[{"content":"Work.","role":"system"},'
        '{"content":"","reasoning_content":"hm","role":"assistant","tool_calls":[{"function":'
        '{"arguments":"{\\"path\\":\\"ä.py\\",\\"n\\":null}","name":"edit"},"id":"call00001","type":"function"}]},'
        '{"content":"done \ufffd","role":"tool","tool_call_id":"call00001"}],'
        '"max_tokens":77,"seed":3,"tool_choice":{"function":{"name":"edit"},"type":"function"}}'
    )


@given(requests, windows, st.integers(1, 9999), st.none() | st.integers(0, 9))
def test_a_longer_window_begins_with_the_bytes_of_the_shorter(
    request: Request, more: tuple[Message, ...], room: int, seed: int | None
) -> None:
    later = replace(
        request,
        messages=request.messages + more,
        max_tokens=room,
        sampling=replace(request.sampling, seed=seed),
        tool_choice="auto",
    )
    shorter = upto_messages(encode_request(request, FACTS), request)
    assert encode_request(later, FACTS).startswith(shorter)


@given(requests)
def test_a_body_is_strict_json_with_string_contents(request: Request) -> None:
    def refuse(name: str) -> Any:
        raise AssertionError(f"{name} is no JSON")

    body = json.loads(encode_request(request, FACTS), parse_constant=refuse)
    assert [type(message["content"]) for message in body["messages"]] == [str] * len(request.messages)
    assert body["temperature"] == request.sampling.temperature
    assert body["top_p"] == request.sampling.top_p
    for message in body["messages"]:
        for call in message.get("tool_calls", ()):
            assert isinstance(json.loads(call["function"]["arguments"], parse_constant=refuse), dict)


def test_reasoning_goes_back_under_the_servers_own_name() -> None:
    request = Request(messages=(Message(role=Role.ASSISTANT, content="x", reasoning="hm"),))
    names = {
        server: set(json.loads(encode_request(request, replace(FACTS, server=server)))["messages"][0])
        for server in ("llama.cpp b9731", "vLLM", "Ollama", "")
    }
    plain = {"role", "content"}
    assert names == {
        "llama.cpp b9731": plain | {"reasoning_content"},
        "vLLM": plain | {"reasoning"},
        "Ollama": plain | {"reasoning"},
        "": plain | {"reasoning_content"},
    }
