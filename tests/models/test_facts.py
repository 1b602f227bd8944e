from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.contract.values import EndpointSettings
from benchdog.errors import EndpointError, ProtocolError
from benchdog.models.facts import FactsCache, Listed, choose_model, learn_facts, read_models
from benchdog.models.transport import Patience, Transport
from benchdog.models.values import Facts
from benchdog.system.cancel import Cancel
from benchdog.system.clock import SystemClock
from benchdog.testing.policy import ScriptedReply, always
from benchdog.testing.raw import raw_server, sends
from benchdog.testing.server import ScriptedServer, Traits


def listing(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": list(entries)}


@pytest.mark.parametrize(
    ("answer", "listed"),
    [
        (listing({"id": "a", "owned_by": "llamacpp", "meta": {"n_ctx": 4096, "n_ctx_train": 262144}}),
         (Listed(id="a", context=4096, owner="llamacpp"),)),
        (listing({"id": "a", "owned_by": "vllm", "max_model_len": 9}), (Listed(id="a", context=9, owner="vllm"),)),
        (listing({"id": "a", "context_length": 8192}), (Listed(id="a", context=8192),)),
        (listing({"id": "a", "meta": {"n_ctx_train": 262144}}), (Listed(id="a"),)),
        (listing({"id": "a", "meta": None, "max_model_len": True}), (Listed(id="a"),)),
        (listing({"id": "a", "max_model_len": -1}, {"id": 7}, {}), (Listed(id="a"),)),
        ({"object": "list", "data": None}, ()),
        ({"data": [None, 3, "x"]}, ()),
        ({"hello": "world"}, None),
        ([], None),
        (None, None),
    ],
)  # fmt: skip
def test_lists_of_models(answer: Any, listed: tuple[Listed, ...] | None) -> None:
    assert read_models(answer) == listed


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["data", "id", "meta", "object", "n_ctx", "owned_by"]), inner)
        ),
    )
)
def test_any_answer_is_a_list_or_none(answer: Any) -> None:
    listed = read_models(answer)
    assert listed is None or all(isinstance(entry, Listed) for entry in listed)


def test_the_model_chosen_can_write_code_and_runs_here() -> None:
    names = ["nomic-embed-text", "bge-reranker", "glm-4.7:cloud", "gpt-oss:120b-cloud", "qwen3-coder:30b", "devstral"]
    assert choose_model(tuple(Listed(id=name) for name in names)) == Listed(id="qwen3-coder:30b")
    assert choose_model(()) is None


def learn(url: str, **more: Any) -> Facts:
    patience = Patience(stall=1.0, total=2.0)
    return learn_facts(EndpointSettings(url=url, **more), None, Transport(SystemClock()), Cancel(), patience)


@pytest.mark.parametrize(
    ("settings", "model", "context"),
    [
        ({}, "scripted", 8192),
        ({"model": "other"}, "other", 8192),
        ({"context": 4096}, "scripted", 4096),
        ({"context": 1 << 20}, "scripted", 8192),
    ],
)
def test_what_a_server_tells(settings: dict[str, Any], model: str, context: int) -> None:
    with ScriptedServer(always(ScriptedReply()), Traits(context=8192)) as server:
        assert learn(server.url, **settings) == Facts(
            url=server.url,
            dialect="openai",
            model=model,
            context=context,
            server="llama.cpp scripted",
            hosts=(f"127.0.0.1:{server.port}",),
        )


def answers(status: str, body: str) -> Any:
    return sends(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def test_a_server_without_a_list_needs_a_name() -> None:
    with raw_server(answers("404 Not Found", "{}")) as url:
        assert learn(url, model="m", context=4096) == replace(learn(url, model="m"), context=4096)
        with pytest.raises(EndpointError, match="HTTP 404"):
            learn(url)


def test_a_server_without_a_model_says_how_to_get_one() -> None:
    with raw_server(answers("200 OK", '{"object":"list","data":null}')) as url, pytest.raises(EndpointError) as raised:
        learn(url)
    assert "ollama pull" in (raised.value.hint or "")


def test_a_web_page_is_no_model_server() -> None:
    with raw_server(answers("200 OK", "<html>router</html>")) as url, pytest.raises(ProtocolError, match="web page"):
        learn(url, model="m")


def test_a_refused_key_stops_even_where_the_model_is_named() -> None:
    with raw_server(answers("401 Unauthorized", '{"error":"no"}')) as url, pytest.raises(EndpointError, match="401"):
        learn(url, model="m")


class Clock(SystemClock):
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


SETTINGS = EndpointSettings(url="http://127.0.0.1:8080", model="m")
FACTS = Facts(url="http://127.0.0.1:8080/v1", dialect="openai", model="m", context=4096, hosts=("127.0.0.1:8080",))


def test_facts_are_remembered_for_minutes(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "state" / "facts.json"
    cache = FactsCache(path, clock)
    assert cache.get(SETTINGS) is None
    cache.put(SETTINGS, FACTS)
    assert FactsCache(path, clock).get(replace(SETTINGS, url="127.0.0.1:8080/v1/")) == FACTS
    assert cache.get(replace(SETTINGS, model="other")) is None
    clock.time += timedelta(seconds=301)
    assert cache.get(SETTINGS) is None
    clock.time -= timedelta(hours=1)
    assert cache.get(SETTINGS) is None


def test_forgotten_facts_are_asked_for_again(tmp_path: Path) -> None:
    cache = FactsCache(tmp_path / "facts.json", Clock())
    cache.put(SETTINGS, FACTS)
    cache.put(replace(SETTINGS, model="n"), replace(FACTS, model="n"))
    cache.forget(SETTINGS)
    assert (cache.get(SETTINGS), cache.get(replace(SETTINGS, model="n"))) == (None, replace(FACTS, model="n"))


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    cache = FactsCache(tmp_path / "facts.json", Clock())
    for number in range(40):
        cache.put(replace(SETTINGS, model=str(number)), FACTS)
    assert len(json.loads((tmp_path / "facts.json").read_text())) == 32
    assert cache.get(replace(SETTINGS, model="39")) == FACTS


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"http://127.0.0.1:8080/v1 m ": 7}', '{"http://127.0.0.1:8080/v1 m ": {"at": "x"}}',
     '{"http://127.0.0.1:8080/v1 m ": {"at": 1767225600, "facts": {"url": 3}}}', "[" * 100_000, "\x00\udcff"],
)  # fmt: skip
def test_a_cache_that_does_not_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "facts.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    cache = FactsCache(tmp_path / "facts.json", Clock())
    assert cache.get(SETTINGS) is None
    cache.put(SETTINGS, FACTS)
    assert cache.get(SETTINGS) == FACTS


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FactsCache(tmp_path / "file" / "facts.json", Clock())
    cache.put(SETTINGS, FACTS)
    assert cache.get(SETTINGS) is None
