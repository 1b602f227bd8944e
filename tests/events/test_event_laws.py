"""The laws of events: nothing is lost on the way through JSON, and a state is the same however its events are split."""

from __future__ import annotations

import json
from typing import Any

import pytest
from event_strategies import KINDS, events, of_type
from hypothesis import given, settings
from hypothesis import strategies as st

from benchdog.checks import CheckResult, CheckStatus, TestReport
from benchdog.events import (
    CheckFinished,
    Event,
    RunState,
    Stage,
    ToolUsed,
    decode,
    encode,
    fold,
    from_plain,
    step,
    to_plain,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_survives_json(kind: type[Any]) -> None:
    @settings(max_examples=12)
    @given(of_type(kind))
    def law(event: Event) -> None:
        assert decode(json.loads(json.dumps(encode(event)))) == event

    law()


@given(st.lists(events(), max_size=12), st.integers(0, 12))
def test_the_fold_of_a_prefix_and_the_rest_is_the_fold_of_all(happened: list[Event], cut: int) -> None:
    assert fold(happened[cut:], fold(happened[:cut])) == fold(happened)


@given(events())
def test_one_step_is_a_fold_of_one(event: Event) -> None:
    assert step(RunState(), event) == fold([event])


@given(events(), st.data())
def test_a_missing_an_extra_or_a_changed_field_is_refused(event: Event, data: st.DataObject) -> None:
    plain = encode(event)
    with pytest.raises(ValueError, match=r"missing or unknown"):
        decode({**plain, "extra": 1})
    name = data.draw(st.sampled_from(sorted(plain)))
    with pytest.raises(ValueError):
        decode({key: value for key, value in plain.items() if key != name})
    with pytest.raises(ValueError):
        decode({**plain, name: {"not": "this"}})


@given(JSON, st.sampled_from([kind.__name__ for kind in KINDS]))
def test_hostile_values_raise_nothing_but_value_error(plain: Any, kind: str) -> None:
    for hostile in (plain, {"kind": plain}, {"kind": kind, "round": plain, "result": plain}):
        try:
            decode(hostile)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "hostile", [{"kind": ["a"]}, {"kind": {}}, [], "RunStarted", None, {"kind": "Event"}, {"kind": "ToolUsed"}]
)
def test_what_is_no_event_is_refused(hostile: Any) -> None:
    with pytest.raises(ValueError):
        decode(hostile)


def test_a_number_beyond_a_float_is_refused() -> None:
    plain = encode(_checked())
    plain["result"]["seconds"] = 10**400
    with pytest.raises(ValueError, match="beyond its range"):
        decode(plain)


def test_true_is_no_number_and_one_is_no_truth() -> None:
    plain = encode(_checked())
    plain["result"]["exit_status"] = True
    with pytest.raises(ValueError, match="expected"):
        decode(plain)
    with pytest.raises(ValueError, match="expected"):
        decode({**encode(_checked()), "cached": 1})


def test_a_value_within_an_event_reads_back_alone() -> None:
    result = _checked()
    assert from_plain(type(result), to_plain(result)) == result
    assert decode(encode(ToolUsed(tool="read", detail="a\udc80b"))) == ToolUsed(tool="read", detail="a\udc80b")


def _checked() -> CheckFinished:
    tests = TestReport(runner="pytest", passed=1, failed_ids=("tests/test_x.py::test_y",))
    result = CheckResult(name="tests", run="pytest", status=CheckStatus.RED, exit_status=1, seconds=0.5, tests=tests)
    return CheckFinished(stage=Stage.BASE, tree="4b825dc", result=result)
