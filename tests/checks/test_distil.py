"""What a model gets to see of a red output: what failed and why, and nothing that changes from run to run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.checks.distil import distil
from benchdog.checks.reading import read_output

CAPTURED = Path(__file__).parent / "captured"


def distilled(run: str, name: str, limit: int = 1200) -> str:
    output = (CAPTURED / f"{name}.txt").read_text(encoding="utf-8")
    return distil(run, output, read_output(run, output, 1), limit, root="/home/ada/app")


def test_pytest() -> None:
    assert distilled("pytest -q", "pytest_q") == (
        "3 failed, 4 passed, 2 skipped\n"
        "✗ test_a.py::TestC::test_m\n"
        "✗ test_a.py::test_par[x/y]\n"
        "✗ test_a.py::test_err\n"
        "\n"
        "ERROR at setup of test_err\n"
        '>   def boom(): raise RuntimeError("fixture")\n'
        "E   RuntimeError: fixture\n"
        "test_a.py:17: RuntimeError\n"
        "\n"
        "TestC.test_m\n"
        '>       assert a == {"k": 2}, "msg - here"\n'
        "E       AssertionError: msg - here\n"
        "E       assert {'k': 1} == {'k': 2}\n"
        "E         Differing items:\n"
        "E         {'k': 1} != {'k': 2}\n"
        "E         Use -v to get more diff\n"
        "test_a.py:9: AssertionError\n"
        "\n"
        "test_par[x/y]\n"
        '>   def test_par(p): assert p != "x/y"\n'
        "E   AssertionError: assert 'x/y' != 'x/y'\n"
        "test_a.py:4: AssertionError"
    )


def test_a_module_that_cannot_be_imported() -> None:
    assert distilled("pytest", "pytest_collection") == (
        "1 failed, 0 passed\n✗ test_b.py\n\nERROR collecting test_b.py\n"
        "E   ModuleNotFoundError: No module named 'nonexist'\ntest_b.py:1: in <module>"
    )


def test_unittest_has_relative_paths() -> None:
    text = distilled("python -m unittest", "unittest")
    assert "/home" not in text
    assert "tu.py:7:\n    def test_e(self): raise KeyError(\"x\")\nKeyError: 'x'" in text
    assert "tu.py:6:\n    def test_f(self): self.assertEqual(1,2)\nAssertionError: 1 != 2" in text


def test_rust_panics_and_compiler_errors() -> None:
    assert distilled("cargo test", "cargo_nff") == (
        "1 failed, 4 passed, 1 skipped\n"
        "✗ src/lib.rs tests::bad\n"
        "\n"
        "thread 'tests::bad' panicked at src/lib.rs:8:19:\n"
        "assertion `left == right` failed: sum is off\n"
        "  left: 3\n"
        " right: 4"
    )
    assert "error[E0425]: cannot find value `c` in this scope\n --> src/lib.rs:4:32\n" in distilled(
        "cargo test", "cargo_err"
    )


def test_node_with_its_two_printers() -> None:
    assert distilled("node --test", "node_spec") == (
        "2 failed, 2 passed, 2 skipped\n"
        "✗ bad\n"
        "✗ group > in # hash\n"
        "\n"
        "test at a.test.js:2:20\n"
        "✖ bad\n"
        "  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n"
        "  1 !== 2\n"
        "      at TestContext.<anonymous> (a.test.js:2:43)\n"
        "    actual: 1,\n"
        "    expected: 2,\n"
        "\n"
        "test at a.test.js:3:40\n"
        "✖ in # hash\n"
        "  Error: boom\n"
        "      at TestContext.<anonymous> (a.test.js:3:66)"
    )
    tap = distilled("node --test", "node_tap")
    assert "not ok 2 - bad\n  location: 'a.test.js:2:20'\n  error: |-\n" in tap
    assert "1 !== 2" in tap
    assert "runInAsyncScope" not in tap


def test_tape_names_what_failed_and_where() -> None:
    output = (
        "TAP version 13\n# nums\nok 1 should be deeply equivalent\nnot ok 2 should be strictly equal\n  ---\n"
        "    operator: equal\n    expected: 3\n    actual:   -1\n"
        "    at: Test.<anonymous> (/home/ada/app/test/nums.js:7:13)\n    stack: |-\n"
        "      Error: should be strictly equal\n"
        "          at Test.assert [as _assert] (/home/ada/app/node_modules/tape/lib/test.js:314:54)\n  ...\n"
        "ok 3 fine\nnot ok 4 not yet # TODO\n\n1..4\n# tests 4\n# pass  3\n# fail  1\n"
    )
    assert distil("npm test", output, read_output("npm test", output, 1), root="/home/ada/app") == (
        "1 failed, 2 passed, 1 skipped\n"
        "✗ should be strictly equal\n"
        "\n"
        "# nums\n"
        "not ok 2 should be strictly equal\n"
        "    expected: 3\n"
        "    actual:   -1\n"
        "    at: Test.<anonymous> (test/nums.js:7:13)"
    )


@pytest.mark.parametrize(
    ("run", "name", "telling"),
    [
        ("jest", "jest", ["Expected: 2", "Received: 1", "(a.test.js:1:50)", "Cannot find module 'nonexist'"]),
        ("vitest run", "vitest", ["expected 1 to be 2", "a.test.mjs:2:50", "Error: boom"]),
        ("mocha", "mocha", ["1 == 2", "(a.js:2:43)", "Error: boom"]),
        ("prove", "prove", ["Failed test 'two'", "✗ t/a.t"]),
        ("ctest", "ctest", ["✗ two"]),
    ],
)
def test_other_runners(run: str, name: str, telling: list[str]) -> None:
    text = distilled(run, name)
    assert [each for each in telling if each not in text] == []
    assert "\x1b" not in text and "node:internal" not in text


def test_go() -> None:
    output = (
        "# example.com/app\n./app.go:12:3: undefined: foo\nFAIL\texample.com/app [build failed]\n"
        "--- FAIL: TestX (0.00s)\n    x_test.go:12: got 1, want 2\nFAIL\nFAIL\texample.com/app/calc\t0.003s\n"
    )
    text = distil("go test ./...", output, read_output("go test ./...", output, 1))
    assert "./app.go:12:3: undefined: foo" in text
    assert "--- FAIL: TestX\n    x_test.go:12: got 1, want 2" in text


def test_compilers_and_linters() -> None:
    output = "checking …\n" * 50 + (
        "src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.\n"
        "src/b.c:7:9: error: expected ';' before 'return'\n    7 |   int x\n      |        ^\n"
        "app/c.py:1:1: F401 `os` imported but unused\n"
    )
    text = distil("make lint", output, None)
    assert text.startswith(
        "src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.\n\n"
        "src/b.c:7:9: error: expected ';' before 'return'\n    7 |   int x\n      |        ^\n\n"
        "app/c.py:1:1: F401 `os` imported but unused\n"
    )


def test_a_bare_traceback_keeps_the_projects_own_place() -> None:
    output = (
        "Traceback (most recent call last):\n"
        '  File "/srv/app/main.py", line 3, in <module>\n    load()\n'
        '  File "/usr/lib/python3.12/json/decoder.py", line 355, in raw_decode\n    raise X\n'
        "json.decoder.JSONDecodeError: Expecting value\n"
    )
    assert distil("python main.py", output, None, root="/srv/app") == (
        "main.py:3:\n    load()\njson.decoder.JSONDecodeError: Expecting value"
    )


def test_nothing_that_changes_from_run_to_run_is_left() -> None:
    one = "thread 'a' (7) panicked at x.rs:1:1:\nboom <X object at 0x7f63aa> in 0.12s\n"
    other = "thread 'a' (8) panicked at x.rs:1:1:\nboom <X object at 0x7ffe99> in 3.40s\n"
    assert distil("./t", one, None) == distil("./t", other, None)


def test_many_failures_are_counted_not_listed() -> None:
    ids = "".join(f"FAILED tests/test_x.py::test_{number} - assert 0\n" for number in range(40))
    output = f"=== short test summary info ===\n{ids}40 failed in 1.00s\n"
    text = distil("pytest", output, read_output("pytest", output, 1))
    assert "✗ tests/test_x.py::test_11\n… and 28 more" in text
    assert "test_12\n" not in text.partition("\n\n")[0]


@given(limit=st.integers(0, 700), name=st.sampled_from(sorted(path.stem for path in CAPTURED.glob("*.txt"))))
def test_the_limit_holds(limit: int, name: str) -> None:
    assert len(distilled("make", name, limit)) <= limit


def test_a_small_limit_keeps_a_reason() -> None:
    assert "E   RuntimeError: fixture" in distilled("pytest -q", "pytest_q", 300)
