from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.testing import Asked, Edit, Fixer, ScriptedCall, ScriptedReply, Trick, always
from benchdog.testing.faults import Bait, Fault, draw, only_first, until_turn, with_fault, with_faults

EDIT = ScriptedCall(name="edit", arguments={"path": "a.py", "search": "if x:\n    a - b", "replace": "return a + b"})
GOOD = ScriptedReply(text="Now.", calls=(EDIT,))
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("read", "search", "edit", "write", "done")]
BAIT = Bait(closed_path="package.json", closed_content="{}", test_path="tests/test_a.py", test_content="pass\n")


def asked(messages: list[Mapping[str, Any]] | None = None, repeats: int = 0) -> Asked:
    return Asked(body={"tools": TOOLS, "messages": messages or [{"role": "user", "content": "Go."}]}, repeats=repeats)


def spoilt(fault: Fault, reply: ScriptedReply = GOOD, request: Asked | None = None) -> ScriptedReply:
    return with_fault(always(reply), fault, bait=BAIT)(request or asked())


TEXT = '{"name": "edit", "arguments": {"path": "a.py", "search": "if x:\\n    a - b", "replace": "return a + b"}}'


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.UNKNOWN_TOOL, ScriptedReply(
            text="Now.", calls=(ScriptedCall(name="repo_browser.apply_patch", arguments=EDIT.arguments),))),
        (Fault.LEAK_HERMES, ScriptedReply(text=f"Now.<tool_call>\n{TEXT}\n</tool_call>", finish="stop")),
        (Fault.LEAK_QWEN3_CODER, ScriptedReply(
            text="Now.<function=edit>\n<parameter=path>\na.py\n</parameter>\n<parameter=search>\nif x:\n    a - b\n"
            "</parameter>\n<parameter=replace>\nreturn a + b\n</parameter>\n</function>", finish="stop")),
        (Fault.LEAK_FENCED, ScriptedReply(text=f"Now.I will do this now:\n\n```json\n{TEXT}\n```", finish="stop")),
        (Fault.LEAK_MISTRAL, ScriptedReply(text=f"Now.[TOOL_CALLS][{TEXT}]", finish="stop")),
        (Fault.LEAK_LLAMA3, ScriptedReply(
            text="Now.<|python_tag|>" + TEXT.replace('"arguments"', '"parameters"'), finish="stop")),
        (Fault.EMPTY, ScriptedReply()),
        (Fault.PROSE, ScriptedReply(text="Sure! To solve this I would use edit. Shall I go ahead?")),
        (Fault.DRIFT, ScriptedReply(text="Now.", calls=(ScriptedCall(name="edit", arguments={
            "path": "a.py", "search": "if x: \n\ta - b", "replace": "return a + b"}),))),
        (Fault.OUT_OF_SCOPE, ScriptedReply(text="Now.", calls=(
            ScriptedCall(name="write", arguments={"path": "package.json", "content": "{}"}), EDIT))),
        (Fault.FALSE_CLAIM, ScriptedReply(text="I fixed it and ran the test suite: all tests pass.", calls=(
            ScriptedCall(name="done", arguments={"summary": "I fixed it and ran the test suite: all tests pass."}),))),
        (Fault.EXPLORING, ScriptedReply(calls=(
            ScriptedCall(name="read", arguments={"path": "README.md", "start": 1}),))),
        (Fault.TAMPERING, ScriptedReply(calls=(
            ScriptedCall(name="write", arguments={"path": "tests/test_a.py", "content": "pass\n"}),
            ScriptedCall(name="done", arguments={"summary": "The tests are green now."})))),
        *((Fault(trick.value), ScriptedReply(text="Now.", calls=(EDIT,), trick=trick))
          for trick in (Trick.REFUSE, Trick.HANG, Trick.DIE, Trick.HTML, Trick.LOADING)),
    ],
)  # fmt: skip
def test_what_a_fault_does(fault: Fault, expected: ScriptedReply) -> None:
    found = spoilt(fault)
    assert found.fault == str(fault)
    assert found == ScriptedReply(
        text=expected.text,
        calls=expected.calls,
        finish=expected.finish,
        trick=expected.trick,
        fault=str(fault),
    )


@pytest.mark.parametrize("fault", [Fault.MALFORMED_JSON, Fault.CUT])
def test_arguments_that_are_no_json(fault: Fault) -> None:
    (one,) = spoilt(fault).calls
    assert one.name == "edit"
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Illegal|Invalid"):
        json.loads(one.text)


def test_a_cut_reply_says_so() -> None:
    assert spoilt(Fault.CUT).finish_reason == "length"


def test_a_repeated_call_is_the_last_one_made() -> None:
    made = {"id": "1", "function": {"name": "read", "arguments": '{"path": "x"}'}}
    request = asked([{"role": "user", "content": ""}, {"role": "assistant", "tool_calls": [made]}])
    assert spoilt(Fault.REPEATED, request=request).calls == (ScriptedCall(name="read", arguments={"path": "x"}),)
    assert spoilt(Fault.REPEATED).calls == GOOD.calls


def test_a_deliverable_gets_another_name() -> None:
    write = ScriptedReply(calls=(ScriptedCall(name="write", arguments={"path": "docs/MINSTRAL.md", "content": "x"}),))
    (one,) = spoilt(Fault.RENAMED, write).calls
    assert one.arguments == {"path": "docs/minstrel.md", "content": "x"}


def test_every_fault_has_its_change() -> None:
    for fault in Fault:
        assert spoilt(fault).fault == str(fault)


def test_faults_for_some_time_only() -> None:
    fixer = Fixer(edits=(Edit(path="a.py", search="Go", replace="Gone"),))
    first = only_first(fixer, Fault.EMPTY)
    assert (first(asked()).fault, first(asked(repeats=1)).fault) == ("empty", "")
    early = until_turn(fixer, Fault.PROSE, turns=1)
    later = asked([{"role": "user", "content": "Go."}, {"role": "assistant", "content": "hm"}])
    assert (early(asked()).fault, early(later).fault) == ("prose", "")


@given(st.integers(0, 9), st.integers(0, 50), st.text(max_size=5))
def test_chance_is_a_function_of_seed_body_and_repeats(seed: int, repeats: int, text: str) -> None:
    chances = {Fault.EMPTY: 0.3, Fault.PROSE: 0.3}
    one = asked([{"role": "user", "content": text}], repeats)
    other = Asked(body=json.loads(json.dumps(one.body)), number=99, repeats=repeats)
    assert draw(chances, one, seed) == draw(chances, other, seed)


def test_chances_are_kept_to_about() -> None:
    policy = with_faults(always(GOOD), {Fault.EMPTY: 0.2, Fault.PROSE: 0.1}, seed=7)
    found = [policy(asked(repeats=number)).fault for number in range(1000)]
    assert 150 < found.count("empty") < 250
    assert 60 < found.count("prose") < 140
    assert found.count("") == 1000 - found.count("empty") - found.count("prose")
