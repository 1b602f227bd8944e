"""The edit engine: what it must get right, what it must refuse, and laws."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchdog.worker.edit import Edited, RefusedEdit, apply_edit
from benchdog.worker.edit.whole import write_whole

FILE = """\
import os


class Ledger:
    def add(self, a, b):
        # sums two entries
        total = a - b
        return total

    def scale(self, a, factor):
        total = a * factor
        return round(total, 2)
"""


def after(before: str | bytes, search: str, replace: str) -> str:
    """The file after an edit that must be applied."""
    edited = apply_edit(before.encode() if isinstance(before, str) else before, search, replace)
    assert isinstance(edited, Edited), edited
    return edited.after.decode()


def how(before: str, search: str, replace: str) -> str:
    edited = apply_edit(before.encode(), search, replace)
    assert isinstance(edited, Edited), edited
    return edited.how


def refused(before: str | bytes, search: str, replace: str) -> str:
    """The reason of an edit that must be refused."""
    result = apply_edit(before.encode() if isinstance(before, str) else before, search, replace)
    assert isinstance(result, RefusedEdit), result
    return result.reason


def test_exact_and_unique() -> None:
    edited = apply_edit(FILE.encode(), "total = a - b", "total = a + b")
    expected = FILE.replace("a - b", "a + b").encode()
    assert edited == Edited(after=expected, line=7, added=1, removed=1, how="exact")


@pytest.mark.parametrize("text", ["$$", "$&", r"\1", r"\g<0>", "{0}", "%s", "`$(x)`"])
def test_no_sign_of_the_replacement_is_special(text: str) -> None:
    assert after(FILE, "a - b", text) == FILE.replace("a - b", text)
    assert after(f"x = {text}\n", text, "y") == "x = y\n"


def test_several_exact_places_refuse_and_name_the_lines() -> None:
    assert "lines 7, 11" in refused(FILE, "total = a", "sum = a")
    assert "several places" in refused("aaa", "aa", "b")


def test_byte_order_mark_line_ends_and_final_newline_stay() -> None:
    bom = "\ufeffone\r\ntwo\r\nthree"
    assert after(bom, "two", "2\n2b") == "\ufeffone\r\n2\r\n2b\r\nthree"
    assert after(bom, "one\ntwo\n", "1\n2\n") == "\ufeff1\r\n2\r\nthree"
    assert after(bom, "three", "3") == "\ufeffone\r\ntwo\r\n3"
    assert after(bom, "\ufefftwo\r\nthree", "2\r\n3") == "\ufeffone\r\n2\r\n3"
    assert after("a\nb\n", "b\n", "c") == "a\nc\n"


def test_mixed_line_ends_stay_where_nothing_changed() -> None:
    mixed = "one\r\ntwo\nthree\r\nfour\n"
    assert after(mixed, "two\nthree\nfour", "2\nthree\n4") == "one\r\n2\nthree\r\n4\n"
    assert after(mixed, "one\ntwo\nthree", "one\ntwo\n3") == "one\r\ntwo\n3\r\nfour\n"


def test_bytes_that_are_no_text_stay() -> None:
    before = b"caf\xe9 = 1\nother = 2\n"
    edited = apply_edit(before, "other = 2", "other = 3")
    assert isinstance(edited, Edited)
    assert edited.after == b"caf\xe9 = 1\nother = 3\n"


def test_a_line_break_at_one_edge_joins_no_lines() -> None:
    assert after("a = 1\nb = 2\nc = 3\n", "b = 2\n", "b = 4") == "a = 1\nb = 4\nc = 3\n"
    assert after("a = 1\nb = 2\nc = 3\n", "\nb = 2", "b = 4") == "a = 1\nb = 4\nc = 3\n"


def test_trailing_blanks_are_overlooked_and_unchanged_lines_keep_theirs() -> None:
    before = "def f():  \n    a = 1\t\n    return a\n"
    assert after(before, "def f():\n    a = 1\n    return a", "def f():\n    a = 1\n    return a + 1") == (
        "def f():  \n    a = 1\t\n    return a + 1\n"
    )
    assert how(before, "def f():\n    a = 1\n    return a", "def f():\n    a = 2\n    return a") == "spaces"


def test_the_whole_block_less_indented_is_shifted_back() -> None:
    search = "def add(self, a, b):\n    # sums two entries\n    total = a - b\n"
    replace = "def add(self, a, b):\n    # sums two entries\n    if a:\n        b = 1\n    total = a + b\n"
    assert after(FILE, search, replace) == FILE.replace(
        "        total = a - b\n", "        if a:\n            b = 1\n        total = a + b\n"
    )
    assert how(FILE, search, replace) == "indentation"


def test_the_whole_block_more_indented_is_shifted_back() -> None:
    search = "            def add(self, a, b):\n                # sums two entries\n                total = a - b\n"
    replace = search.replace("a - b", "a + b") + "                total += 0\n"
    assert after(FILE, search, replace) == FILE.replace("a - b\n", "a + b\n        total += 0\n")


def test_a_search_with_wrong_indentation_and_a_replacement_with_the_files() -> None:
    search = "def add(self, a, b):\n    # sums two entries\n    total = a - b\n"
    replace = "    def add(self, a, b):\n        # sums two entries\n        total = a + b\n"
    assert after(FILE, search, replace) == FILE.replace("a - b", "a + b")


def test_the_first_line_alone_lost_its_indentation() -> None:
    search = "def add(self, a, b):\n        # sums two entries\n        total = a - b"
    replace = "def add(self, a, b):\n        # sums two entries\n        total = a + b"
    assert after(FILE, search, replace) == FILE.replace("a - b", "a + b")


def test_one_line_without_its_indentation_and_several_instead() -> None:
    assert after(FILE, "total = a - b", "if a:\n    b = 1\ntotal = a + b") == FILE.replace(
        "        total = a - b\n", "        if a:\n            b = 1\n        total = a + b\n"
    )
    assert after(FILE, "total = a - b", "b = 1\n        total = a + b") == FILE.replace(
        "        total = a - b\n", "        b = 1\n        total = a + b\n"
    )
    assert "indentation" in refused(FILE, "total = a - b", "if a:\n        total = a + b")


def test_a_search_without_its_indentation_and_a_replacement_with_it() -> None:
    assert after(FILE, "total = a - b", "        total = a + b") == FILE.replace("a - b", "a + b")
    assert after(FILE, "return total\n\n", "        log()\n        return total\n\n") == FILE.replace(
        "        return total\n\n", "        log()\n        return total\n\n"
    )
    assert after("if x:\n    go()\n", "go()", "    go()") == "if x:\n        go()\n"


def test_a_first_line_that_would_get_the_indentation_of_another_is_refused() -> None:
    search = "class Ledger:\n    def add(self, a, b):"
    assert after(FILE, search, "def add(self, a, b):") == FILE.replace(search, "def add(self, a, b):")
    nested = "def f():\n    with a:\n        b()\n"
    assert "indentation" in refused(nested, "with a:\n        b()", "b()\n        c()")


def test_tabs_for_blanks() -> None:
    tabbed = FILE.replace("    ", "\t")
    search = "    def add(self, a, b):\n        # sums two entries\n        total = a - b\n"
    replace = search.replace("total = a - b\n", "if a:\n            total = a + b\n")
    assert after(tabbed, search, replace) == tabbed.replace("total = a - b\n", "if a:\n\t\t\ttotal = a + b\n")
    back = "\tdef add(self, a, b):\n\t\t# sums two entries\n\t\ttotal = a - b\n"
    assert after(FILE, back, back.replace("a - b", "a + b")) == FILE.replace("a - b", "a + b")


def test_look_alikes_in_search_alone_keep_the_files_characters() -> None:
    before = 'print("it is")\nname = "a"  # a - b\nlast = 1\n'
    search = "print(“it is”)\nname = “a”  # a – b\nlast = 1"
    replace = "print(“it is”)\nname = “b”  # a – b\nlast = 2"
    assert after(before, search, replace) == 'print("it is")\nname = "b"  # a - b\nlast = 2\n'
    assert how(before, search, replace) == "look-alikes"


def test_look_alikes_in_the_file_stay_where_the_model_typed_plain_ones() -> None:
    before = "title: “Ledger” — an example\nnext: 1\n"
    assert after(before, 'title: "Ledger" - an example\nnext: 1', 'title: "Ledger" - an exact example\nnext: 1') == (
        "title: “Ledger” — an exact example\nnext: 1\n"
    )


def test_pasted_line_numbers_are_taken_off() -> None:
    search = "7|        total = a - b\n8|        return total"
    assert after(FILE, search, search.replace("a - b", "a + b")) == FILE.replace("a - b", "a + b")
    plain = "        total = a + b\n        return total"
    assert after(FILE, search, plain) == FILE.replace("a - b", "a + b")
    arrows = "     7→        total = a - b\n     8→        return total"
    assert after(FILE, arrows, plain) == FILE.replace("a - b", "a + b")
    assert how(FILE, search, plain) == "gutter"


def test_line_numbers_in_the_replacement_alone_are_refused() -> None:
    numbered = "7|        total = a + b\n8|        return total"
    assert "line numbers" in refused(FILE, "        total = a - b\n        return total", numbered)


def test_a_fence_is_taken_off_but_not_in_a_file_that_has_fences() -> None:
    fenced = "```python\ntotal = a - b\n```"
    assert after(FILE, fenced, fenced.replace("a - b", "a + b")) == FILE.replace("a - b", "a + b")
    markdown = "text\n```python\nx = 1\n```\n"
    assert after(markdown, "```python\nx = 1\n```", "```python\nx = 2\n```") == markdown.replace("1", "2")


def test_left_out_code_in_the_replacement_is_refused() -> None:
    search = "    def scale(self, a, factor):\n        total = a * factor\n        return round(total, 2)"
    replace = "    def scale(self, a, factor):\n        # ... existing code ...\n        return round(total, 3)"
    assert "would delete" in refused(FILE, search, replace)
    body = "def f(): ...\n"
    assert after(body, "def f(): ...", "def g():\n    ...") == "def g():\n    ...\n"


def test_blank_lines_at_the_edges_of_the_search_do_not_matter() -> None:
    search = "\n\n        total = a - b  \n        return total\n\n\n"
    assert after(FILE, search, search.replace("a - b", "a + b")) == FILE.replace("a - b", "a + b")


def test_lines_can_be_removed_inexactly() -> None:
    assert after(FILE, "# sums two entries\ntotal = a - b\n", "total = a - b\n") == FILE.replace(
        "        # sums two entries\n", ""
    )
    assert after(FILE, "  total = a - b \n  return total\n", "") == FILE.replace(
        "        total = a - b\n        return total\n", ""
    )


@pytest.mark.parametrize(
    "search",
    [
        "total = a - 1",
        "total = a + b",
        "totals = a - b",
        "        total = a - b\n        return totals",
        "    total = a - b\n    return round(total, 3)",
        "if x:\n    return total",
    ],
)
def test_numbers_names_and_operators_are_never_relaxed(search: str) -> None:
    reason = refused(FILE, search, "pass")
    assert "not in the file" in reason


def test_two_places_up_to_white_space_are_refused() -> None:
    twice = "if a:\n    value = 1\n    go()\nelse:\n        value = 1\n        go()\n"
    assert "several places" in refused(twice, "value = 1\ngo()", "value = 2\ngo()")
    assert "several places" in refused(twice, "value = 1\n  go()", "value = 2\n  go()")


def test_one_place_that_differs_only_at_line_ends_wins_over_shifted_ones() -> None:
    twice = "if a:\n    value = 1 \n    go()\nelse:\n        value = 1\n        go()\n"
    assert after(twice, "    value = 1\n    go()\n", "    value = 2\n    go()\n") == twice.replace("= 1 ", "= 2")


def test_indentation_that_nobody_can_know_is_refused() -> None:
    before = "a:\n    b:\n  c:\n"
    assert "indentation" in refused(before, "a:\nb:\nc:\n", "a:\nb:\nnew:\nc:\n")


def test_what_cannot_be_edited_at_all() -> None:
    assert "binary" in refused(b"\0\1", "a", "b")
    assert "empty" in refused(FILE, " \n ", "x")
    assert "same" in refused(FILE, "total", "total")
    assert "Unicode" in refused(FILE, "total = a - b", "\ud800")
    assert "so already" in refused("some line  \nlong line\n", "some line\nlong line ", "some line\nlong line")


def test_a_refusal_shows_the_nearest_real_lines() -> None:
    reason = refused(
        FILE, "    def scale(self, a, faktor):\n        total = a * factor\n        return round(total, 3)", "x"
    )
    assert "lines 10-12" in reason
    assert "    def scale(self, a, factor):\n        total = a * factor\n        return round(total, 2)" in reason


def test_a_refusal_says_when_the_work_is_done_already() -> None:
    done = FILE.replace("a - b", "a + b")
    assert "stands there already (line 7)" in refused(done, "total = a - b", "total = a + b")


def test_a_search_like_nothing_in_the_file() -> None:
    assert "nor anything like it" in refused(FILE, "zebra crossing", "x")
    assert "nor anything like it" in refused("", "zebra", "x")


LINES = st.lists(st.text(alphabet='ab1 \t=-“"', max_size=8), min_size=1, max_size=8)
TEXT = st.text(alphabet='ab1\n\r \t=-“"|`.…\ufeff', max_size=40)


@given(TEXT, TEXT, TEXT)
def test_never_raises_and_always_says_something(before: str, search: str, replace: str) -> None:
    result = apply_edit(before.encode(), search, replace)
    if isinstance(result, Edited):
        assert result.after != before.encode()
        assert result.line >= 1
    else:
        assert result.reason.strip()


@given(st.binary(max_size=60), st.text(max_size=10), st.text(max_size=10))
def test_hostile_bytes_and_texts(before: bytes, search: str, replace: str) -> None:
    assert apply_edit(before, search, replace) == apply_edit(before, search, replace)


@given(LINES, LINES, LINES, st.sampled_from(["\n", "\r\n"]))
def test_what_stands_around_a_whole_line_edit_keeps_its_bytes(
    head: list[str], body: list[str], tail: list[str], end: str
) -> None:
    assume(body[0].strip() and body[-1].strip())
    file = end.join([*head, *body, *tail])
    search, replace = "\n".join(body), "\n".join([*body, "fresh = 1"])
    result = apply_edit(file.encode(), search, replace)
    if isinstance(result, Edited):
        assert result.after.decode() == end.join([*head, *body, "fresh = 1", *tail])


WORDS = st.lists(st.sampled_from(["alpha", "beta = 1", "gamma()", "delta", "if x:"]), min_size=2, max_size=6)


@given(WORDS, st.integers(1, 8), st.integers(0, 4))
def test_a_uniform_shift_of_search_and_replacement_changes_nothing(words: list[str], shift: int, depth: int) -> None:
    """Whatever the model's own margin was, the file gets the same bytes."""
    block = [" " * (depth + 4 * (index % 2)) + word for index, word in enumerate(words)]
    file = "\n".join(["start", *block, "end", ""])
    fresh = [*block[:1], " " * depth + "brand_new = 2", *block[1:]]
    exact = apply_edit(file.encode(), "\n".join(block), "\n".join(fresh))
    moved = apply_edit(
        file.encode(), "\n".join(" " * shift + line for line in block), "\n".join(" " * shift + line for line in fresh)
    )
    assume(isinstance(exact, Edited))
    assert isinstance(exact, Edited)
    if isinstance(moved, Edited):
        assert moved.after == exact.after


def test_a_long_file_is_edited_quickly_and_only_there() -> None:
    lines = [f"value_{number} = {number}" for number in range(20_000)]
    file = "\n".join(lines) + "\n"
    assert after(file, "value_77 = 77  \nvalue_78 = 78", "value_77 = 77\nvalue_78 = 0") == file.replace(
        "value_78 = 78\n", "value_78 = 0\n"
    )
    assert "Nearest" in refused(file, "value_x = 77\nvalue_78 = 79", "x")
    assert after("x" * 5_000_000 + "\nend\n", "end", "END").endswith("x\nEND\n")


def test_writing_a_whole_file_keeps_what_the_model_cannot_know() -> None:
    def written(before: str | None, content: str, path: str = "a.py") -> str:
        edited = write_whole(before.encode() if before is not None else None, content, path)
        assert isinstance(edited, Edited), edited
        return edited.after.decode()

    assert written(None, "x = 1") == "x = 1"
    assert written("\ufeffa\r\nb\r\n", "a\nc") == "\ufeffa\r\nc\r\n"
    assert written("a\n", "```python\nb\n```") == "b\n"
    assert written("a\n", "```\nb\n```\n", "a.md") == "```\nb\n```\n"
    assert written("a\n", "") == ""


def test_writing_that_would_lose_something_is_refused() -> None:
    assert isinstance(write_whole(b"\0", "x"), RefusedEdit)
    assert isinstance(write_whole(b"x\n", "x\n"), RefusedEdit)
    assert isinstance(write_whole(b"x\n", "\udc80"), RefusedEdit)
    assert isinstance(write_whole(FILE.encode(), "import os\n# ... rest of the file ...\n"), RefusedEdit)
