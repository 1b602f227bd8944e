"""What comes through a pipe: green output is no goal, and of TAP only what failed is named."""

from __future__ import annotations

import time

import pytest

from benchdog.contract.pasted import is_test_output, nothing_failed
from benchdog.contract.red import failures, from_red_output

GREEN = (
    ".......s.. [ 64%]\n..... [100%]\n15 passed in 0.02s\n",
    ".......s..                          [ 64%]\n",
    "5 passed\n",
    "\x1b[32m5 passed\x1b[0m, 1 skipped in 0.1s\n",
    "===== 3 passed, 1 warning in 0.42s =====\n",
    "..\n-----\nRan 2 tests in 0.001s\n\nOK\n",
    "Test Suites: 2 passed, 2 total\nTests:       4 passed, 4 total\n",
    " Test Files  1 passed (1)\n      Tests  3 passed (3)\n",
    "  3 passing (4ms)\n",
    "ℹ tests 3\nℹ pass 3\nℹ fail 0\n",
    "TAP version 13\nok 1 a\nnot ok 2 later # TODO\n1..2\n# tests 2\n# pass  2\n\n# ok\n",
    "test result: ok. 4 passed; 0 failed; 0 ignored\n",
    "ok  \texample.com/calc\t0.003s\n",
    "3 examples, 0 failures\n",
    "100% tests passed, 0 tests failed out of 4\n",
)
RED = (
    "..F [100%]\nFAILED a.py::t - assert 0\n1 failed, 2 passed in 0.01s\n",
    "5 passed, 1 error in 0.1s\n",
    "5 passed\nFAIL Required test coverage of 100% not reached\n",
    "Ran 3 tests in 0.001s\n\nFAILED (failures=1)\n",
    "Tests:       2 failed, 1 passed, 3 total\n",
    "# tests 4\n# pass  2\n# fail  2\n",
    "not ok 2 should be equal\n",
    "3 passed in 0.1s\nsrc/a.py:3: error: Incompatible types\n",
    "test result: ok. 4 passed; 0 failed\nerror: could not compile\n",
    "3 passing (4ms)\nmake: *** [Makefile:3: check] Error 1\n",
)
WORDS = (
    "make ops.add add\n",
    "The report says 5 passed, but 6 were run: count the last one too.\n",
    "Print `Ran 3 tests` after the last test.\n",
    "",
)
TAPE = """TAP version 13
# nums
ok 1 should be deeply equivalent
not ok 2 should be strictly equal
  ---
    operator: equal
    expected: 3
    actual:   -1
    at: Test.<anonymous> (/home/ada/app/test/nums.js:7:13)
    stack: |-
      Error: should be strictly equal
          at Test.assert [as _assert] (/home/ada/app/node_modules/tape/lib/test.js:314:54)
  ...
# short
ok 3 short boolean
not ok 4 not yet # TODO
not ok 5 thrown
  ---
    operator: error
    at: parse (/home/ada/app/lib/parse.js:40:5)
  ...

1..5
# tests 5
# pass  2
# fail  2
"""


@pytest.mark.parametrize("text", GREEN)
def test_green_output_is_known(text: str) -> None:
    assert (is_test_output(text), nothing_failed(text)) == (True, True)


@pytest.mark.parametrize("text", RED)
def test_red_output_is_never_taken_for_green(text: str) -> None:
    assert not nothing_failed(text)


@pytest.mark.parametrize("text", WORDS)
def test_words_are_a_goal(text: str) -> None:
    assert (is_test_output(text), nothing_failed(text)) == (False, False)


def test_only_what_failed_is_named_of_tap() -> None:
    assert failures(TAPE) == ("nums: should be strictly equal", "short: thrown")
    assert failures("TAP version 13\n# Subtest: bad\nnot ok 1 - bad\n    not ok 1 - in\n") == ("bad", "bad: in")
    assert failures("TAP version 13\nok 1 - fine\n1..1\n") == ()


def test_a_tap_s_places_are_proposed() -> None:
    red = from_red_output(TAPE, ("package.json", "lib/parse.js", "test/nums.js", "lib/other.js"))
    assert red is not None
    assert (red.check.run, red.proposal.allow) == ("npm test", ("lib/parse.js",))
    assert red.goal.endswith("Failing: nums: should be strictly equal; short: thrown.")
    tested = TAPE.replace("lib/parse.js", "test/nums.js")
    red = from_red_output(tested, ("package.json", "lib/nums.js", "test/nums.js", "lib/other.js"))
    assert red is not None and red.proposal.allow == ("lib/nums.js",)
    assert from_red_output(TAPE, ("lib/parse.js",)) is None


@pytest.mark.parametrize("piece", [".", "1 ", "not ok 1 ", "# ", ", 1 passed", "[ 1%]\n", " "])
def test_long_nonsense_takes_no_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.monotonic()
    nothing_failed(text)
    failures(text)
    assert time.monotonic() - began < 2
