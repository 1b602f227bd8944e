"""What stands on a screen: diffs, wrapped lines, the moving line; hostile text in each."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.cli import main
from benchdog.cli.diffs import files, of_path, shown
from benchdog.cli.lines import coloured
from benchdog.cli.live import Doing
from benchdog.cli.view import LABEL_WIDTH, Line, Span, Tone
from benchdog.cli.wish import Wish, take_wish
from benchdog.contract.flags import Flags
from benchdog.events import kinds
from benchdog.models.values import Delta, DeltaKind
from benchdog.system.terminal import plain
from benchdog.testing.project import git, make_repository

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_HOSTILE = "\x1b]0;title\x07\x1b[31m\u202e"


@pytest.mark.parametrize("name", ["a.py", "with space.py", "naïve.py", 'quo"te.py', "tab\there.py", "b/b/b.py", " b "])
def test_a_file_is_found_in_a_diff_however_it_is_called(name: str, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r", {name: "one\n", "other": "one\n", "other2": "x\n"})
    for each in (name, "other", "other2"):
        (root / each).write_text("two\n")
    diff = subprocess.run(["git", "diff"], cwd=root, capture_output=True, check=True).stdout
    part = of_path(diff, name)
    assert (part.count(b"diff --git"), b"".join(files(diff))) == (1, diff)
    git(root, "checkout", "-q", "--", name)
    applied = subprocess.run(["git", "apply"], input=part, cwd=root, capture_output=True, check=False)
    assert (applied.returncode, (root / name).read_text()) == (0, "two\n")


def test_a_folder_and_a_mode_are_found_too(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "r", {"src/a": "one\n", "src/b": "one\n", "srcs": "x\n"})
    for name in ("src/a", "src/b", "srcs"):
        (root / name).chmod(0o755)
    diff = subprocess.run(["git", "diff"], cwd=root, capture_output=True, check=True).stdout
    assert of_path(diff, "src/").count(b"diff --git") == 2
    assert of_path(diff, "./srcs").count(b"diff --git") == 1
    assert of_path(diff, "none") == b""


def test_a_diff_is_coloured_and_cannot_steer_the_screen() -> None:
    diff = f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+{_HOSTILE}new\n same\n".encode()
    lines = shown(diff).split("\n")
    assert [_COLOUR.sub("", line) for line in lines] == [
        *("diff --git a/x b/x", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "-old", "+\\u202enew", " same")
    ]
    assert lines[4].startswith("\x1b[31m") and lines[5].startswith("\x1b[32m") and "\x1b" not in lines[6]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_whatever_a_diff_holds_only_our_own_colours_reach_the_screen(text: str) -> None:
    for line in _COLOUR.sub("", shown(text.encode())).split("\n"):
        assert plain(line) == line


WORDS = st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=12), min_size=1, max_size=40)


@given(WORDS, st.integers(min_value=40, max_value=120))
def test_a_wrapped_line_keeps_its_words_and_its_width(words: list[str], width: int) -> None:
    line = Line("label", (Span(" ".join(words), Tone.GOOD), Span("  "), Span("end", Tone.BAD)))
    rows = _COLOUR.sub("", coloured(line, width)).split("\n")
    assert all(len(row) < width for row in rows)
    assert all(row.startswith(" " * LABEL_WIDTH) for row in rows[1:])
    assert " ".join(rows).split() == ["label", *words, "end"]
    assert _COLOUR.sub("", coloured(line)) == line.text


def test_the_moving_line_says_what_goes_on_and_the_last_line_of_it() -> None:
    doing = Doing()
    assert doing.words().startswith("looking at the tree · ")
    doing.event(kinds.RequestSent(number=2, request="d" * 64))
    assert doing.words().startswith("request 2: the model reads · ")
    doing.delta(Delta(kind=DeltaKind.REASONING, text=f"first\nsecond {_HOSTILE}"))
    assert re.fullmatch(r"thinking · [\d.]+ s · second \\u202e", doing.words())
    doing.event(kinds.CheckStarted(stage=kinds.Stage.REPLY, name="tests"))
    doing.output(b"collected\n\x1b[32m3 passed\x1b[0m\n\n")
    assert re.fullmatch(r"verify: tests · [\d.]+ s · 3 passed", doing.words())


def test_the_options_can_be_typed_again() -> None:
    flags = Flags(allow=("a b",), checks=("pytest -q",), deliver=("x=y z",), open=("ci",))
    wish = Wish(flags=flags, witness=("make t",))
    assert wish.words() == " --open ci --check 'pytest -q' --witness 'make t' --deliver 'x=y z'"
    given: dict[str, Any] = dict.fromkeys(("allow", "read", "open", "checks", "deliver", "witness"), ())
    given |= {"wall": "15m", "max_files": None, "turns": None, "max_lines": 3, "rounds": 2, "timeout": 90.0}
    given["yes"] = False
    given |= {"no_worse": True, "no_check": False, "endpoint": "http://h/v1", "model": "a b", "unsafe": False}
    assert take_wish(given).words() == (
        " --no-worse --timeout 90 --max-lines 3 --rounds 2 --wall 15m --endpoint http://h/v1 --model 'a b'"
    )
    assert given == {"endpoint": "http://h/v1", "model": "a b", "unsafe": False}


def test_native_windows_is_told_the_way(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(SystemExit) as ended:
        main(["runs"])
    assert ended.value.code == 2
    assert "wsl --install" in capsys.readouterr().err


def test_a_person_sees_short_blob_names_and_a_patch_keeps_them() -> None:
    first, second = "0123456789" * 4, "abcdef0123" * 4
    line = f"index {first}..{second} 100644"
    assert click.unstyle(shown(f"{line}\n+{line}\n".encode())) == f"index 0123456..abcdef0 100644\n+{line}"
    assert click.unstyle(shown(f"index {first}..{second}\n".encode())) == "index 0123456..abcdef0"
