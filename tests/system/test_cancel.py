from __future__ import annotations

import pytest

from benchdog.errors import Cancelled
from benchdog.system.cancel import Cancel


def test_setting_calls_whoever_waits_and_nobody_after() -> None:
    cancel, called = Cancel(), list[str]()
    with cancel.ends(lambda: called.append("outer")):
        with cancel.ends(lambda: called.append("inner")):
            pass
        cancel.set()
    cancel.set()
    assert (called, cancel.is_set) == (["outer"], True)


def test_who_waits_too_late_is_called_at_once() -> None:
    cancel, called = Cancel(), list[str]()
    cancel.set()
    with cancel.ends(lambda: called.append("late")):
        assert called == ["late"]


def test_checking_raises_once_it_is_set() -> None:
    cancel = Cancel()
    cancel.check()
    cancel.set()
    with pytest.raises(Cancelled) as caught:
        cancel.check()
    assert caught.value.exit_status == 130


def test_one_failing_end_does_not_stay_registered() -> None:
    cancel, called = Cancel(), list[str]()
    with pytest.raises(RuntimeError), cancel.ends(lambda: called.append("left")):
        raise RuntimeError
    cancel.set()
    assert called == []


def test_setting_inside_of_a_callback_ends() -> None:
    cancel = Cancel()
    with cancel.ends(cancel.set):
        cancel.set()
    assert cancel.is_set
