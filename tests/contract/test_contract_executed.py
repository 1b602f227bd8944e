"""What a command executes is never proposed as what may change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.contract.executed import executed
from benchdog.contract.red import from_red_command

TREE = ("check.py", "ops.py", "run.sh", "tools/check.py", "tools/lint/__main__.py", "svc/a/check.py", "svc/a/ops.py")


@pytest.mark.parametrize(
    ("command", "folder", "found"),
    [
        ("python3 check.py", ".", {"check.py"}),
        ("python3 -u check.py --fast ops.py", ".", {"check.py"}),
        ("PYTHONPATH=. python check.py > out", ".", {"check.py"}),
        ("env X=1 python3.12 ./check.py", ".", {"check.py"}),
        ("./run.sh && sh run.sh", ".", {"run.sh"}),
        ("bash -c 'python3 check.py'", ".", {"check.py"}),
        ("python -m tools.check", ".", {"tools/check.py"}),
        ("python -m tools.lint x", ".", {"tools/lint/__main__.py"}),
        ("python3 check.py", "svc/a", {"svc/a/check.py"}),
        ("python3 ../../check.py", "svc/a", {"check.py"}),
        (". ./run.sh", ".", {"run.sh"}),
        ("python3 < check.py", ".", {"check.py"}),
        ("grep -q 'a + b' ops.py", ".", set()),
        ("python3 -c 'import ops; assert ops.add(1, 2) == 3'", ".", set()),
        ("ruff check ops.py", ".", set()),
        ("python3 'check.py", ".", {"check.py"}),
        ("", ".", set()),
    ],
)
def test_what_a_command_executes(command: str, folder: str, found: set[str]) -> None:
    assert executed(command, TREE, folder) == found


def test_a_check_s_own_script_is_not_proposed() -> None:
    output = (
        'Traceback (most recent call last):\n  File "/w/check.py", line 3, in <module>\n'
        "    assert add(2, 3) == 5\nAssertionError\n"
    )

    def find(symbol: str) -> tuple[str, ...]:
        return ("check.py", "ops.py") if symbol == "add" else ()

    assert from_red_command("python3 check.py", output, TREE, find=find).proposal.allow == ("/ops.py",)
    assert from_red_command("python3 check.py", output, ("check.py",)).proposal.allow == ()
    said = "grep: ops.py:3: no a + b"
    assert from_red_command("grep -q 'a + b' ops.py", said, TREE).proposal.allow == ("/ops.py",)


@given(st.text(max_size=200))
def test_no_line_breaks_it(line: str) -> None:
    assert executed(line, TREE) <= set(TREE)
