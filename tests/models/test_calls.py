from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.models.calls import CallCollector, JsonEnd
from benchdog.models.values import RawCall


def fragment(
    index: int | None = None, id: str | None = None, name: str | None = None, args: Any = None
) -> dict[str, Any]:
    made: dict[str, Any] = {"function": {}}
    for key, value in (("index", index), ("id", id)):
        if value is not None:
            made[key] = value
    for key, value in (("name", name), ("arguments", args)):
        if value is not None:
            made["function"][key] = value
    return made


def collect(*fragments: Any, first: int = 0) -> list[tuple[str, str, str]]:
    collector = CallCollector(first)
    for one in fragments:
        collector.add(one)
    return [(call.id, call.name, call.arguments) for call in collector.calls()]


@pytest.mark.parametrize(
    ("fragments", "calls"),
    [
        pytest.param(
            [fragment(0, "a", "edit", ""), fragment(0, args='{"p":'), fragment(0, args="1}")],
            [("a", "edit", '{"p":1}')],
            id="by the book",
        ),
        pytest.param(
            [
                fragment(0, "a", "edit", '{"p'),
                fragment(1, "b", "read", "{"),
                fragment(0, args='":1}'),
                fragment(1, args="}"),
            ],
            [("a", "edit", '{"p":1}'), ("b", "read", "{}")],
            id="interleaved by index",
        ),
        pytest.param(
            [fragment(0, "a", "write", '{"p":1}'), fragment(0, "b", "write", '{"p":2}')],
            [("a", "write", '{"p":1}'), ("b", "write", '{"p":2}')],
            id="all at index 0, ids differ",
        ),
        pytest.param(
            [fragment(0, None, "read", '{"p":1}'), fragment(0, None, "write", '{"p":2}')],
            [("call00001", "read", '{"p":1}'), ("call00002", "write", '{"p":2}')],
            id="all at index 0, names differ, no ids",
        ),
        pytest.param(
            [fragment(0, None, "read", '{"p":1}'), fragment(0, None, "read", '{"p":2}')],
            [("call00001", "read", '{"p":1}'), ("call00002", "read", '{"p":2}')],
            id="all at index 0, only the arguments are complete",
        ),
        pytest.param(
            [fragment(0, "a", "read", '{"p"'), fragment(0, "a", "read", ":1"), fragment(0, "a", "read", "}")],
            [("a", "read", '{"p":1}')],
            id="id and name in each fragment",
        ),
        pytest.param(
            [fragment(0, "a", "read", '{"p":1}'), fragment(0, "a", "read", '{"p":1}')],
            [("a", "read", '{"p":1}')],
            id="everything sent again at the end",
        ),
        pytest.param(
            [fragment(0, "a", "read", "{}"), fragment(0, args='{"p":1}')],
            [("a", "read", '{"p":1}')],
            id="an empty object stands in first",
        ),
        pytest.param(
            [fragment(None, None, "read", '{"p":'), fragment(args="1}")],
            [("call00001", "read", '{"p":1}')],
            id="no index at all",
        ),
        pytest.param(
            [fragment(0, "same", "a", "{}"), fragment(1, "same", "b", "{}")],
            [("same", "a", "{}"), ("call00002", "b", "{}")],
            id="one id for two calls",
        ),
        pytest.param([fragment(0, "a", "read", {"p": 1})], [("a", "read", '{"p": 1}')], id="arguments as an object"),
        pytest.param([{"name": "read", "arguments": "{}"}], [("call00001", "read", "{}")], id="the old function_call"),
        pytest.param([fragment(0, "a\x1b[2J", "read", "{}")], [("call00001", "read", "{}")], id="a hostile id"),
        pytest.param([None, 7, "x", []], [], id="no fragments"),
        pytest.param(
            [{"index": "x", "id": 7, "function": {"name": 3, "arguments": 4}}],
            [("call00001", "", "")],
            id="wrong types",
        ),
        pytest.param(
            [fragment(0, "a", "write", '{"c":"}'), fragment(0, args='{"}')],
            [("a", "write", '{"c":"}{"}')],
            id="braces inside of a string",
        ),
    ],
)
def test_fragments_make_calls(fragments: list[Any], calls: list[tuple[str, str, str]]) -> None:
    assert collect(*fragments) == calls


def test_made_up_ids_go_on_from_the_window() -> None:
    assert collect(fragment(0, None, "read", "{}"), first=4) == [("call00005", "read", "{}")]


objects = st.dictionaries(st.text(), st.text() | st.lists(st.text(), max_size=2) | st.integers(), max_size=4)


@given(objects, st.lists(st.integers(1, 60), max_size=8))
def test_arguments_survive_any_cutting(value: dict[str, Any], cuts: list[int]) -> None:
    text = json.dumps(value)
    points = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    collector = CallCollector()
    collector.add(fragment(0, "a", "write", ""))
    for start, end in pairwise(points):
        collector.add(fragment(0, args=text[start:end]))
    assert collector.calls() == (RawCall(id="a", name="write", arguments=text),)


@given(objects)
def test_an_object_is_complete_at_its_last_character_and_not_before(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    end = JsonEnd()
    for character in text[:-1]:
        end.feed(character)
        assert not end.complete
    end.feed(text[-1])
    assert end.complete
