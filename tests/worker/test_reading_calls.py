"""From replies to calls: leaks, repair under guard, names, arguments; nothing cut is ever used."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import call, reply

from benchdog.models.values import Finish, RawCall, Reply, ToolCall
from benchdog.testing.leaks import LEAKS as SCRIPTED
from benchdog.testing.policy import ScriptedCall
from benchdog.worker.arguments import fit, parse_object
from benchdog.worker.calls import Reading, read_reply, resolve
from benchdog.worker.leaks import LEAKS, MAX_TEXT, find_leaks
from benchdog.worker.seeking import alternatives, line_matches
from benchdog.worker.tools import NAME_ALIASES, PARAMETER_ALIASES, TOOLS

CODE = "def f(x):\n    return \"a\" if x < 1 else 'b'  # </p> {x}\n"
EDIT = {"path": "ops.py", "search": "return a - b", "replace": CODE}
AS_JSON = json.dumps({"name": "edit", "arguments": EDIT})

LEAKED = {
    "hermes": f"Let me fix it.\n<tool_call>\n{AS_JSON}\n</tool_call>",
    "hermes-open": f"<tool_call>{AS_JSON}",
    "hermes-parameters": f"<tool_call>{json.dumps({'name': 'edit', 'parameters': EDIT})}</tool_call><|im_end|>",
    "qwen-xml": "<tool_call>\n<function=edit>\n"
    + "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in EDIT.items())
    + "</function>\n</tool_call>",
    "qwen-xml-bare": "I will.\n<function=edit>"
    + "".join(f"<parameter={key}>{value}\n</parameter>" for key, value in EDIT.items())
    + "</function>",
    "mistral": f"[TOOL_CALLS] [{AS_JSON}]",
    "mistral-args": f"[TOOL_CALLS]edit[ARGS]{json.dumps(EDIT)}",
    "mistral-id": f"[TOOL_CALLS]edit[CALL_ID]abc123def[ARGS]{json.dumps(EDIT)}",
    "llama-json": f"<|python_tag|>{AS_JSON}<|eom_id|>",
    "fenced-json": f"Here you go:\n```json\n{AS_JSON}\n```\n",
    "fenced-json-plain": f"```\n[{AS_JSON}]\n```",
    "bare-json": AS_JSON,
    "bare-json-after-text": f"I will change it.\n{AS_JSON}\n",
    "pythonic": f"[edit(path='ops.py', search='return a - b', replace={CODE!r})]",
    "hermes-thought": f"<think>\nhm, <tool_call> maybe\n</think>\n<tool_call>{AS_JSON}</tool_call>",
}


@pytest.mark.parametrize("kind", LEAKED)
def test_a_leaked_call_is_recovered_to_the_last_sign(kind: str) -> None:
    reading = read_reply(reply(text=LEAKED[kind]), TOOLS)
    assert reading.fault is None, reading
    assert kind.startswith(str(reading.recovered))
    ((name, arguments),) = [(each.name, dict(each.arguments)) for each in reading.calls]
    assert name == "edit"
    trimmed = {key: value.rstrip("\n") for key, value in arguments.items()}
    assert trimmed == {key: value.rstrip("\n") for key, value in EDIT.items()}


@pytest.mark.parametrize("kind", [kind for kind in LEAKED if kind not in ("hermes-thought",)])
def test_a_leak_in_the_reasoning_counts_only_without_an_answer_and_at_the_end(kind: str) -> None:
    leak = LEAKED[kind]
    assert read_reply(reply(reasoning=f"I should edit.\n{leak}"), TOOLS).calls
    assert read_reply(reply(text="Done.", reasoning=leak), TOOLS).fault == "prose"
    assert read_reply(reply(reasoning=f"{leak}\nNo wait, that is wrong."), TOOLS).fault == "empty"


@pytest.mark.parametrize(
    "text",
    [
        f"For example:\n<tool_call>{AS_JSON}</tool_call>",
        f"You would use the format\n```json\n{AS_JSON}\n```",
        f"Call it with `{AS_JSON}` please",
        f"Write `<tool_call>{AS_JSON}</tool_call>` to edit.",
        "The tool edit(path, search, replace) is used to edit.",
        '{"path": "ops.py"}',
        '```json\n{"name": "ledger", "version": 2}\n```',
        '{"name": "ledger", "arguments": {"a": 1}}',
        "[link](https://example.invalid)",
        "a = [f(x), g(y)]",
    ],
)
def test_text_that_merely_talks_is_no_call(text: str) -> None:
    assert read_reply(reply(text=text), TOOLS) == Reading(fault="prose", detail="the reply had text but no tool call")


def test_several_leaked_calls_are_all_recovered() -> None:
    done = json.dumps({"name": "done", "arguments": {"summary": "x"}})
    for text in (
        f"<tool_call>{AS_JSON}</tool_call>\n<tool_call>{done}</tool_call>",
        f"[TOOL_CALLS][{AS_JSON}, {done}]",
        f"<|python_tag|>{AS_JSON}; {done}",
        f"{AS_JSON}\n{done}",
        "[edit(path='a', search='b', replace='c'), done()]",
    ):
        assert [each.name for each in read_reply(reply(text=text), TOOLS).calls] == ["edit", "done"], text


def test_words_about_the_work_do_not_make_it_talk() -> None:
    text = f"I will mend the format function in the example module.\n<tool_call>{AS_JSON}</tool_call>\nDone."
    assert [each.name for each in read_reply(reply(text=text), TOOLS).calls] == ["edit"]


@pytest.mark.parametrize("syntax", SCRIPTED)
def test_whatever_the_scripted_model_leaks_is_recovered(syntax: str) -> None:
    calls = [ScriptedCall(name="edit", arguments=EDIT), ScriptedCall(name="done", arguments={"summary": "x"})]
    reading = read_reply(reply(text=SCRIPTED[syntax](calls)), TOOLS)
    assert [(each.name, dict(each.arguments)) for each in reading.calls] == [("edit", EDIT), ("done", {"summary": "x"})]


def test_a_leak_with_one_unknown_name_is_not_used_by_halves() -> None:
    text = f'<tool_call>{AS_JSON}</tool_call><tool_call>{{"name": "bash", "arguments": {{}}}}</tool_call>'
    assert read_reply(reply(text=text), TOOLS).fault == "unknown-tool"


def test_a_leak_that_was_cut_is_not_used() -> None:
    whole = LEAKED["qwen-xml"]
    for end in range(1, len(whole) - len("\n</function>\n</tool_call>")):
        reading = read_reply(reply(text=whole[:end]), TOOLS)
        assert reading.calls == (), whole[:end]
    text = f"<tool_call>{AS_JSON}"
    for end in range(1, len(text) - 1):
        assert read_reply(reply(text=text[:end]), TOOLS).calls == ()


@given(st.sampled_from([Finish.LENGTH, Finish.BROKEN]), st.text(max_size=30), st.sampled_from(list(LEAKED.values())))
def test_what_was_cut_is_never_used(finish: Finish, text: str, leak: str) -> None:
    for given_reply in (reply(call("edit", EDIT), text=text, finish=finish), reply(text=leak, finish=finish)):
        reading = read_reply(given_reply, TOOLS)
        assert (reading.calls, reading.fault) == ((), "cut")


@pytest.mark.parametrize(
    "text",
    [
        "{'path': 'ops.py', 'search': 'a', 'replace': 'b'}",
        '{"path": "ops.py", "search": "a", "replace": "b",}',
        '{path: "ops.py", search: "a", replace: "b"}',
        '{"path": "ops.py" "search": "a" "replace": "b"}',
        '```json\n{"path": "ops.py", "search": "a", "replace": "b"}\n```',
        '{"path": "ops.py", "search": "a", "replace": "b"}</tool_call>',
        '"{\\"path\\": \\"ops.py\\", \\"search\\": \\"a\\", \\"replace\\": \\"b\\"}"',
        '{"arguments": {"path": "ops.py", "search": "a", "replace": "b"}}',
        '{"file_path": "ops.py", "old_string": "a", "new_string": "b"}',
        '{"Path": "ops.py", "oldText": "a", "newText": "b"}',
    ],
)
def test_arguments_that_are_nearly_right_are_read(text: str) -> None:
    reading = read_reply(reply(call("edit", text)), TOOLS)
    assert [dict(each.arguments) for each in reading.calls] == [{"path": "ops.py", "search": "a", "replace": "b"}]
    assert reading.recovered is None


@pytest.mark.parametrize(
    "text",
    [
        '{"path": "ops.py", "search": "a", "replace": "half of',
        '{"path": "ops.py", "search": "a", "replace": "d = {}',
        '{"path": "ops.py", "search": "a", "replace": "print("x")\n',
        '{"path": "ops.py", "search": "a", "replace": "b"',
        '{"path": "ops.py", "search": "a", "replace": "d = {"k": 1, "j": 2}"}',
        '{"path": "ops.py", "search": "a", "replace": "b"} and more words',
        "path=ops.py",
        "[1, 2]",
        '"text"',
        "null",
    ],
)
def test_arguments_that_could_lose_something_are_malformed(text: str) -> None:
    assert read_reply(reply(call("edit", text)), TOOLS).fault == "malformed"


def test_raw_line_breaks_in_strings_are_read_as_they_are() -> None:
    assert parse_object('{"content": "a\n\tb"}') == {"content": "a\n\tb"}
    assert parse_object("") == {}


@given(st.dictionaries(st.sampled_from(["path", "search", "replace"]), st.text(max_size=30)), st.integers(0, 60))
def test_cutting_valid_arguments_never_yields_other_values(arguments: dict[str, str], end: int) -> None:
    whole = json.dumps(arguments, ensure_ascii=False)
    assert parse_object(whole) == arguments
    cut = whole[: max(0, len(whole) - 1 - end)]
    if cut.strip():
        assert parse_object(cut) is None


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("edit", "edit"),
        ("Edit", "edit"),
        ("functions.edit", "edit"),
        ("functions.edit:0", "edit"),
        ("edit<|channel|>commentary", "edit"),
        ("askScope", "ask_scope"),
        ("str_replace", "edit"),
        ("Read-File", "read"),
        ("grep", "search"),
        ("attempt_completion", "done"),
        ("edits", None),
        ("bash", None),
        ("rea", None),
        ("", None),
        ("...", None),
    ],
)
def test_names_are_known_exactly_or_by_a_listed_alias(name: str, tool: str | None) -> None:
    found = resolve(name, TOOLS)
    assert (found.name if found else None) == tool


def test_no_alias_means_two_tools() -> None:
    spoken = [alias for aliases in NAME_ALIASES.values() for alias in aliases.split()]
    assert len(spoken) == len(set(spoken))
    assert not set(spoken) & {tool.name for tool in TOOLS}
    assert set(PARAMETER_ALIASES) == {name for tool in TOOLS for name in tool.parameters["properties"]}


def test_values_are_coerced_as_the_schema_says() -> None:
    read, write = TOOLS[0], TOOLS[3]
    assert fit({"path": "a", "start": "12", "end": 20.0}, read) == {"path": "a", "start": 12, "end": 20}
    assert fit({"path": "a", "start": "twelve"}, read) == {"path": "a"}
    assert fit({"path": "a", "content": ["x", "y\n"]}, write) == {"path": "a", "content": "x\ny"}
    assert fit({"path": 7, "content": 90210}, write) == {"path": "7", "content": "90210"}
    assert fit({"path": "a", "content": None}, write) == "write: `content` must be of type string"
    assert fit({"path": "a", "content": {"k": 1}}, write) == "write: `content` must be of type string"
    assert fit({}, write) == "write needs `path` and `content`"


def test_tools_are_small() -> None:
    size = sum(len(tool.name + tool.description + json.dumps(tool.parameters)) for tool in TOOLS)
    assert size / 4 < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_MARKS = """<tool_call> </tool_call> <function=edit> <parameter=path> </parameter> </function> [TOOL_CALLS] [ARGS] edit
<|python_tag|> ``` {"name": "edit" "arguments": {} } [ ] ( ) edit( path= ' " <think> </think>"""
MARKS = st.sampled_from([*_MARKS.split(), "```json\n", "\\", "\n"])


@given(st.lists(MARKS | st.text(max_size=4), max_size=25).map("".join), st.text(max_size=20))
def test_no_text_makes_reading_fail(text: str, reasoning: str) -> None:
    reading = read_reply(reply(text=text, reasoning=reasoning), TOOLS)
    assert bool(reading.calls) != (reading.fault is not None)
    for _, syntax in LEAKS:
        syntax(text)


@given(st.text(max_size=12), st.text(max_size=60) | JSON.map(json.dumps))
def test_no_call_makes_reading_fail(name: str, arguments: str) -> None:
    for each in (name, "edit", "read"):
        raw = Reply(text="", calls=(RawCall(id="", name=each, arguments=arguments),))
        reading = read_reply(raw, TOOLS)
        assert bool(reading.calls) != (reading.fault is not None)


@given(JSON)
def test_whatever_fits_has_what_is_required(value: Any) -> None:
    arguments = value if isinstance(value, dict) else {"path": value, "content": value, "search": value}
    for tool in TOOLS:
        fitting = fit(arguments, tool)
        if isinstance(fitting, dict):
            assert set(tool.parameters["required"]) <= set(fitting)


@pytest.mark.parametrize(
    "piece",
    [
        "<tool_call>{",
        "<function=edit>",
        "[TOOL_CALLS]edit[ARGS]{",
        '{"name":',
        "[edit(",
        "[[[[",
        "```json\n{",
        '\\"""x',
        "'''\\",
    ],
)
def test_a_very_long_reply_is_read_in_reasonable_time(piece: str) -> None:
    text = (piece * (MAX_TEXT // len(piece)))[:MAX_TEXT]
    before = time.process_time()
    find_leaks(text, "", known=lambda name: True)
    parse_object(text)
    assert time.process_time() - before < 5


def test_search_patterns_are_text_with_the_commonest_signs_of_regexes() -> None:
    def matches(pattern: str, line: str) -> bool:
        return line_matches(line, alternatives(pattern))

    assert matches("def add", "    def add(a, b):")
    assert matches(r"def \w+\(self", "def add(self):")
    assert matches("class .*Error", "class ParseError(Error):")
    assert matches("foo|def add", "def add():")
    assert matches(r"x\.y\(", "x.y(1)")
    assert matches("^import os$", "import os")
    assert not matches("def sub", "def add")
    assert not matches(r"x\.y", "xzy")
    assert alternatives("  ") == ()
    assert ToolCall(id="", name="x", arguments={}).arguments == {}
