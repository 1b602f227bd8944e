from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.system.terminal import one_line, plain


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;ZXZpbA==\x1b\\text", "text"),  # writes the clipboard
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP+q544e\x1b\\text", "text"),
        ("\x1b_Gf=24;AAAA\x1b\\text", "text"),  # kitty's graphics
        ("\x1b[?1049htext", "text"),
        ("\x1bctext", "text"),  # resets the terminal
        ("\x9b31mtext", "text"),
        ("\x9d0;title\x9ctext", "text"),  # OSC and ST as single characters
        ("\x90+q\x9ctext", "text"),
        ("a\rb", "a\\rb"),
        ("a\r\nb", "a\nb"),
        ("a\x08b\x00c\x7f", "a\\x08b\\x00c\\x7f"),
        ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udcff", "\\udcff"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("wide \u00a0space", "wide  space"),
        ("Ünïcødé 日本 ✓", "Ünïcødé 日本 ✓"),
        ("cut \x1b[3", "cut "),
        ("cut \x1b", "cut "),
        ("cut \x1b]0;hidden\nnot hidden", "cut \nnot hidden"),
    ],
)
def test_nothing_steers_the_terminal(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


@given(st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "L", "P", "N")), max_size=200))
def test_whatever_comes_is_printable(text: str) -> None:
    shown = plain(text)
    assert all(character.isprintable() or character in "\n\t" for character in shown)
    shown.encode()
    assert "\n" not in one_line(text)


@given(st.text(max_size=100))
def test_plain_text_stays_plain(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def test_unfinished_sequences_take_linear_time() -> None:
    assert plain("\x1b]" * 200_000) == ""
    assert plain("\x1b[" * 200_000) == ""


@pytest.mark.parametrize(("width", "shown"), [(200, "a b c"), (5, "a b c"), (4, "a b…"), (1, "…"), (0, "…")])
def test_one_line_is_cut_to_its_width(width: int, shown: str) -> None:
    assert one_line(" a\n\n b\tc ", width) == shown
