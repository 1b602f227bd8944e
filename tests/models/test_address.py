from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.errors import UserError
from benchdog.models.address import parse_address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("localhost:11434/", "http://localhost:11434/v1"),
        ("http://box/v1/chat/completions", "http://box:80/v1"),
        ("https://box/api/v1/models", "https://box:443/api/v1"),
        ("https://box/openai", "https://box:443/openai"),
        ("http://[::1]:8080/v1/", "http://[::1]:8080/v1"),
        (" HTTP://Box:1 ", "http://box:1/v1"),
    ],
)
def test_what_people_write(text: str, url: str) -> None:
    assert parse_address(text).url == url


@pytest.mark.parametrize(
    "text",
    ["", "http://", "file:///etc/passwd", "ftp://x", "http://x:99999", "http://x/v1?a=b", "http://x/v1#f",
     "http://a b/", "http://x/\r\nHost: y", "http://x/ä", "http://[::1"],
)  # fmt: skip
def test_what_does_not_read_is_quoted_with_the_right_form(text: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_address(text)
    assert repr(text) in raised.value.message
    assert raised.value.hint == "write it as http://127.0.0.1:8080/v1"


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError) as raised:
        parse_address("http://me:secret@box/v1")
    assert "secret" not in raised.value.message + (raised.value.hint or "")


@given(st.text(max_size=40))
def test_any_text_reads_or_is_a_user_error(text: str) -> None:
    try:
        address = parse_address(text)
    except UserError:
        return
    assert parse_address(address.url) == address
