from __future__ import annotations

import json
import subprocess
import sys
from http.client import HTTPConnection
from typing import Any

import pytest

from benchdog.contract.values import EndpointSettings
from benchdog.models.openai import OpenAIEndpoint
from benchdog.models.transport import Transport
from benchdog.models.values import Finish, Message, RawCall, Reply, Request, Role, Tool, ToolCall
from benchdog.system.cancel import Cancel
from benchdog.system.clock import SystemClock
from benchdog.testing import (
    Asked,
    Edit,
    Explorer,
    Fixer,
    Policy,
    ScriptedCall,
    ScriptedReply,
    ScriptedServer,
    Traits,
    always,
    call,
    play,
)

TOOLS = tuple(
    Tool(name=name, description="", parameters={"type": "object"})
    for name in ("read", "search", "edit", "write", "done", "ask", "ask_scope")
)
EDIT = Edit(path="a.py", search="a - b", replace="a + b")
WRITE = Edit(path="NOTES.md", content="# Notes\n")


class Window:
    """A conversation with the scripted model through the real endpoint, as a worker would hold it."""

    def __init__(self, server: ScriptedServer, prompt: str, tools: tuple[Tool, ...] = TOOLS) -> None:
        clock = SystemClock()
        settings = EndpointSettings(url=server.url, model="scripted")
        self._endpoint = OpenAIEndpoint(settings, None, clock, Transport(clock))
        self._messages = [Message(role=Role.USER, content=prompt)]
        self._tools = tools

    def ask(self) -> Reply:
        return self._endpoint.ask(Request(messages=tuple(self._messages), tools=self._tools), cancel=Cancel())

    def answer(self, reply: Reply, result: str = "ok") -> None:
        """Keeps the reply, and what each of its calls came to."""
        calls = tuple(ToolCall(id=one.id, name=one.name, arguments=json.loads(one.arguments)) for one in reply.calls)
        self._messages.append(Message(role=Role.ASSISTANT, content=reply.text, calls=calls))
        self._messages += [Message(role=Role.TOOL, content=result, call_id=one.id) for one in calls]

    def run(self, turns: int, result: str = "ok") -> list[list[tuple[str, Any]]]:
        """The calls of each of the next replies, all answered alike."""
        found = []
        for _ in range(turns):
            reply = self.ask()
            found.append([(one.name, json.loads(one.arguments)) for one in reply.calls])
            self.answer(reply, result)
        return found


EDITED = ("edit", {"path": "a.py", "search": "a - b", "replace": "a + b"})
WRITTEN = ("write", {"path": "NOTES.md", "content": "# Notes\n"})
READ = ("read", {"path": "a.py"})
DONE = ("done", {"summary": "I made the change."})


def test_a_fixer_edits_what_it_was_shown_then_is_done() -> None:
    with ScriptedServer(Fixer(edits=(EDIT, WRITE))) as server:
        assert Window(server, "return a - b").run(4) == [[EDITED], [WRITTEN], [DONE], [DONE]]


def test_a_fixer_reads_what_it_was_not_shown() -> None:
    with ScriptedServer(Fixer(edits=(EDIT,))) as server:
        assert Window(server, "Fix add in a.py.").run(3, "return a - b") == [[READ], [EDITED], [DONE]]


def test_a_fixer_in_a_hurry_does_it_all_in_one_reply() -> None:
    with ScriptedServer(Fixer(edits=(EDIT, WRITE), one_at_a_time=False)) as server:
        assert Window(server, "return a - b").run(1) == [[EDITED, WRITTEN, DONE]]


def test_a_fixer_tries_again_where_an_edit_failed() -> None:
    with ScriptedServer(Fixer(edits=(EDIT,))) as server:
        assert Window(server, "return a - b").run(2, "error: not found") == [[EDITED], [EDITED]]


def test_a_fixer_keeps_to_the_tools_offered() -> None:
    with ScriptedServer(Fixer(edits=(EDIT,))) as server:
        assert Window(server, "a - b", tools=()).ask().text == "I have no tool to change a file with."


def test_a_fixer_is_the_same_after_a_restart_of_the_server() -> None:
    replies = []
    for _ in range(2):
        with ScriptedServer(Fixer(edits=(EDIT,))) as server:
            replies.append(Window(server, "return a - b").ask().calls)
    assert replies[0] == replies[1]


def test_an_explorer_never_changes_anything_and_never_repeats_itself() -> None:
    with ScriptedServer(Explorer()) as server:
        turns = Window(server, "Do it.").run(12)
    names = {name for calls in turns for name, _ in calls}
    assert names == {"read", "search"}
    assert len({json.dumps(calls) for calls in turns}) == 12


def test_play_plays_in_turn_and_repeats_the_last() -> None:
    policy = play([ScriptedReply(text="a"), ScriptedReply(text="b")])
    assert [policy(Asked(body={}, number=number)).text for number in (1, 2, 3)] == ["a", "b", "b"]


def test_cached_tokens_measure_the_common_prefix() -> None:
    with ScriptedServer(always(ScriptedReply(text="ok"))) as server:
        window = Window(server, "x" * 4000)
        first = window.ask()
        window.answer(first)
        second = window.ask()
        other = Window(server, "y" * 4000).ask()
    assert (first.usage.cached, second.usage.prompt) == (0, server.counts[1].prompt)
    assert second.usage.cached is not None and first.usage.prompt is not None
    assert first.usage.prompt - 2 <= second.usage.cached <= first.usage.prompt
    assert other.usage.cached is not None
    assert other.usage.cached < 300


def test_the_context_is_enforced_in_llama_cpps_words() -> None:
    with ScriptedServer(always(ScriptedReply()), Traits(context=100)) as server:
        assert server.requests == []
        status, body = post(server.url, {"messages": [{"role": "user", "content": "x" * 1000}]})
        assert status == 400
        assert body["error"]["type"] == "exceed_context_size_error"
        assert body["error"]["n_ctx"] == 100


@pytest.mark.parametrize("stream", [True, False])
def test_malformed_arguments_are_sent_as_they_are(stream: bool) -> None:
    broken = ScriptedReply(calls=(ScriptedCall(name="edit", arguments='{"path": '),))
    with ScriptedServer(always(broken), Traits(streams=stream)) as server:
        reply = Window(server, "x").ask()
    assert reply.calls == (RawCall(id="scripted0", name="edit", arguments='{"path": '),)
    assert reply.finish is Finish.CALLS


def test_simulated_speed_takes_time_but_never_more_than_its_bound() -> None:
    clock = SystemClock()
    with ScriptedServer(always(ScriptedReply(text="ok")), Traits(prefill=1.0, max_wait=0.1)) as server:
        started = clock.monotonic()
        Window(server, "x" * 4000).ask()
        assert 0.1 <= clock.monotonic() - started < 5


def test_closing_ends_requests_that_hang_and_is_safe_to_repeat() -> None:
    server = ScriptedServer(always(ScriptedReply()))
    server.close()
    server.close()


def post(url: str, body: Any) -> tuple[int, Any]:
    connection = HTTPConnection(url.removeprefix("http://").removesuffix("/v1"), timeout=10)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", "/v1/chat/completions", data, {"Content-Type": "application/json"})
    response = connection.getresponse()
    try:
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff"])
def test_a_bad_request_is_answered_and_the_server_goes_on(body: bytes) -> None:
    with ScriptedServer(always(ScriptedReply(text="ok"))) as server:
        status, answer = post(server.url, body)
        assert status in (400, 404)
        assert "message" in answer["error"]
        assert Window(server, "x").ask().text == "ok"


@pytest.mark.parametrize("body", [{}, {"messages": 7, "tools": 3}, {"messages": [None, {"tool_calls": "x"}]}])
def test_policies_bear_any_body(body: Any) -> None:
    policies: list[Policy] = [Fixer(edits=(EDIT,)), Explorer()]
    for policy in policies:
        assert isinstance(policy(Asked(body=body)), ScriptedReply)


def test_people_can_serve_it_by_hand() -> None:
    command = [sys.executable, "-m", "benchdog.testing", "--policy", "hello"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().decode().strip()
            status, answer = post(url, {"messages": []})
        finally:
            process.terminate()
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "Hello! I am a script, not a model.")


def test_a_call_in_short() -> None:
    assert call("read", path="a") == ScriptedReply(calls=(ScriptedCall(name="read", arguments={"path": "a"}),))
