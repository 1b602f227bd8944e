"""Tools on a workspace: what they answer, what they refuse, and that everything stays within its cap."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import CALC, contract

from benchdog.contract import Scope
from benchdog.contract.scope import refusal
from benchdog.events import EditApplied, EditRefused, ToolUsed
from benchdog.models.values import ToolCall
from benchdog.testing.memory_workspace import MemoryWorkspace
from benchdog.worker.desk import Answered, Desk
from benchdog.worker.seeking import MAX_HITS
from benchdog.worker.watchdog import STOPPED, TOLD, Watch

FILES = {
    "src/ops.py": CALC,
    "src/big.py": "".join(f"line_{number} = {number}\n" for number in range(1, 3001)),
    ".env": "TOKEN=secret\n",
    "image.png": "\0binary",
    "empty.py": "",
    "docs/ops.md": "# ops\n",
}


def desk(workspace: MemoryWorkspace | None = None, *, allow: tuple[str, ...] = ("src/",), context: int = 8192) -> Desk:
    task = contract(scope=Scope(allow=allow))
    return Desk(task, workspace or MemoryWorkspace(FILES), lambda path: refusal(path, task.scope), context)


def do(*calls: tuple[str, dict[str, Any]], on: Desk | None = None) -> Answered:
    made = [ToolCall(id=str(number), name=name, arguments=given) for number, (name, given) in enumerate(calls)]
    return (on or desk()).carry_out(made)


def text(name: str, on: Desk | None = None, **arguments: Any) -> str:
    return do((name, arguments), on=on).texts[0]


def test_reading() -> None:
    assert text("read", path="src/ops.py") == f'<file path="src/ops.py">\n{CALC}</file>'
    assert text("read", path="src/ops.py", start=2, end=9) == (
        '<file path="src/ops.py" lines="2-2" of="2">\n    return a - b\n</file>'
    )
    assert text("read", path="empty.py") == "empty.py is empty"
    assert "binary" in text("read", path="image.png")
    assert do(("read", {"path": "src/ops.py"})).events == (ToolUsed(tool="read", detail="src/ops.py"),)


@pytest.mark.parametrize(
    "path", ["./src/ops.py", "/home/somebody/ledger/src/ops.py", "`src/ops.py`", "src\\ops.py", " src/ops.py\n"]
)
def test_paths_are_read_as_they_are_meant(path: str) -> None:
    assert CALC in text("read", path=path)


def test_what_is_not_there_is_answered_with_what_is() -> None:
    assert text("read", path="ops.py") == "there is no file 'ops.py'; near it: src/ops.py"
    assert "src is a folder" in text("read", path="src")
    assert "big.py" in text("read", path="src/")
    assert "docs/ops.md" in text("read", path=".")
    assert "there is no file" in text("read", path="../../etc/passwd")


def test_secrets_are_not_shown_read_or_found() -> None:
    assert "there is no file" in text("read", path=".env")
    assert ".env" not in text("read", path=".")
    assert "nothing matches" in text("search", pattern="TOKEN")


def test_a_long_file_is_cut_with_head_and_tail_and_the_way_to_the_rest() -> None:
    shown = text("read", path="src/big.py")
    assert len(shown) < 8192 * 3 // 5
    assert "line_1 = 1\n" in shown
    assert "line_3000 = 3000\n" in shown
    first, last = (int(word.split("=")[1]) for word in shown.rpartition("read with ")[2].split())
    assert f"line_{first - 1} = " in shown
    assert f"line_{first} = " not in shown
    assert f"line_{last + 1} = " in shown
    more = text("read", path="src/big.py", start=first, end=last)
    assert f"line_{first} = {first}\n" in more
    assert "More: read with start=" in more


def test_one_enormous_line_is_cut() -> None:
    workspace = MemoryWorkspace({"src/a.py": "x" * 10_000_000})
    assert len(text("read", on=desk(workspace), path="src/a.py")) < 5000
    assert len(text("search", on=desk(workspace), pattern="xxx")) < 5000


def test_searching() -> None:
    assert text("search", pattern="return") == "<hits>\nsrc/ops.py:2: return a - b\n</hits>"
    assert text("search", pattern="ops", path="docs") == "<hits>\ndocs/ops.md:1: # ops\n</hits>"
    assert text("search", pattern="ops", path="*.py") == "nothing matches 'ops' in '*.py'"
    many = text("search", pattern="line_")
    assert many.count("src/big.py:") <= MAX_HITS
    assert "and more" in many
    assert text("search", pattern=" ") == "the pattern is empty"


def test_an_edit_in_the_same_reply_sees_the_one_before() -> None:
    workspace = MemoryWorkspace(FILES)
    answered = do(
        ("edit", {"path": "src/ops.py", "search": "a - b", "replace": "a * b"}),
        ("read", {"path": "src/ops.py"}),
        ("edit", {"path": "./src/ops.py", "search": "a * b", "replace": "a + b"}),
        on=desk(workspace),
    )
    assert "a * b" in answered.texts[1]
    assert workspace.text("src/ops.py") == CALC.replace("a - b", "a + b")
    assert workspace.writes == ["src/ops.py"]
    assert answered.changed == ("src/ops.py",)
    assert [type(event) for event in answered.events] == [ToolUsed, EditApplied, EditApplied]


def test_nothing_of_a_file_is_kept_when_one_of_its_edits_is_refused() -> None:
    workspace = MemoryWorkspace(FILES)
    answered = do(
        ("edit", {"path": "src/ops.py", "search": "a - b", "replace": "a + b"}),
        ("write", {"path": "src/new.py", "content": "x = 1\n"}),
        ("edit", {"path": "src/ops.py", "search": "nowhere", "replace": "x"}),
        on=desk(workspace),
    )
    assert workspace.writes == ["src/new.py"]
    assert [each.split(":")[0] for each in answered.texts] == ["refused", "done", "refused"]
    assert "send them all again" in answered.texts[0]
    assert answered.refused


def test_an_edit_of_a_file_that_is_not_there() -> None:
    assert "write creates one" in text("edit", path="src/none.py", search="a", replace="b")


def test_writing_over_a_folder_is_refused_and_recorded() -> None:
    answered = do(("write", {"path": "src", "content": "x"}), on=desk(allow=("src",)))
    assert answered.changed == ()
    (event,) = answered.events
    assert isinstance(event, EditRefused)


@pytest.mark.parametrize(
    "path", ["../up.py", "/etc/passwd", "src/../../up.py", "", ".git/config", "src/.git/hooks/x", "src//a"]
)
def test_hostile_paths_are_never_written(path: str) -> None:
    workspace = MemoryWorkspace(FILES)
    answered = do(("write", {"path": path, "content": "x"}), on=desk(workspace, allow=("*",)))
    assert answered.refused
    assert workspace.writes == []


@given(st.text(max_size=20), st.text(max_size=20), st.integers(-5, 4000), st.integers(-5, 4000))
def test_no_arguments_break_a_tool(path: str, words: str, start: int, end: int) -> None:
    workspace = MemoryWorkspace(FILES)
    answered = do(
        ("read", {"path": path}),
        ("read", {"path": "src/big.py", "start": start, "end": end}),
        ("search", {"pattern": words, "path": path}),
        ("edit", {"path": "src/ops.py", "search": words, "replace": path}),
        on=desk(workspace),
    )
    assert len(answered.texts) == 4
    assert all(len(each) < 8192 * 3 // 4 for each in answered.texts)


def test_the_allowed_files() -> None:
    assert desk().allowed_files() == ("src/big.py", "src/ops.py")
    assert desk(allow=("ops.*",)).allowed_files() == ("docs/ops.md", "src/ops.py")
    assert desk(allow=("/src/**/*.py", "!src/big.py")).allowed_files() == ("src/ops.py",)
    assert desk(allow=("[s]rc/*.py",)).allowed_files() == ("src/big.py", "src/ops.py")
    assert desk(allow=("**/ops.py",)).allowed_files() == ("src/ops.py",)


def looks(*paths: str) -> list[ToolCall]:
    return [ToolCall(id="", name="read", arguments={"path": path}) for path in paths]


def test_the_watchdog_counts_calls_since_the_last_change() -> None:
    watch = Watch(20)
    for _ in range(TOLD - 1):
        assert not watch.repeats(looks("a"))
        watch = watch.called(looks("a")).called(looks("b"))
    assert watch.repeats(looks("a"))
    assert watch.repeats(looks("a", "b"))
    assert not watch.repeats(looks("a", "c"))
    assert not watch.changed().repeats(looks("a"))
    assert not watch.forgotten().repeats(looks("a"))
    assert STOPPED > TOLD


@pytest.mark.parametrize(("turns", "free", "stop"), [(20, 5, 7), (6, 3, 5), (60, 15, 21)])
def test_exploring_is_narrowed_and_stopped_by_the_turn_limit(turns: int, free: int, stop: int) -> None:
    watch, seen = Watch(turns), []
    for _ in range(stop):
        watch = watch.replied()
        advice = watch.advice()
        seen.append(advice.action if advice else "")
    assert seen == [""] * (free - 1) + ["narrowed"] * (stop - free) + ["stopped"]
