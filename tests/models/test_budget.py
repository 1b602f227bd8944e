from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchdog.models.budget import estimate_request, estimate_tokens, room
from benchdog.models.values import Message, Request, Role, Tool, ToolCall


def test_estimates_are_on_the_safe_side() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("def add(a, b):") == 5
    assert estimate_tokens("2026") == 4
    assert estimate_tokens("漢字") == 2
    assert estimate_tokens("\udcff") == 1


def test_a_request_counts_messages_calls_and_tools() -> None:
    call = ToolCall(id="a", name="read", arguments={"path": "x"})
    request = Request(
        messages=(Message(role=Role.USER, content="abc"), Message(role=Role.ASSISTANT, content="", calls=(call,))),
        tools=(Tool(name="read", description="Reads.", parameters={}),),
    )
    assert estimate_request(request) == (8 + 1) + (8 + 8 + 6) + (8 + 4)


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_prompt_and_reply_always_fit(context: int, prompt: int) -> None:
    left = room(context, prompt)
    assert 0 <= left <= 8192
    assert left == 0 or prompt + left <= context - 512


def test_room() -> None:
    assert (room(65536, 1000), room(4096, 1000), room(4096, 4000)) == (8192, 2584, 0)
