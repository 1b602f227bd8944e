from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.errors import ProtocolError
from benchdog.models.sse import EventReader


def read(chunks: list[bytes], limit: int = 1 << 20) -> list[str]:
    reader = EventReader(limit)
    found = [event for chunk in chunks for event in reader.feed(chunk)]
    return found + reader.finish()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data\n\n", [""]),
        (b": ping\n\n: ping\n\ndata: a\n\n", ["a"]),
        (b"event: delta\nid: 7\nretry: 3\ndata: a\n\n", ["a"]),
        (b"event: nothing\n\n", []),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"data: a", ["a"]),
        (b"data: \xff\xfe\n\n", ["\ufffd\ufffd"]),
        ("data: héllo — 漢字\n\n".encode(), ["héllo — 漢字"]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
def test_the_grammar(stream: bytes, events: list[str]) -> None:
    assert read([stream]) == events


ALPHABET = st.sampled_from(
    [b"data:", b"data: ", b": c", b"\r", b"\n", b"\r\n", "é漢".encode(), b"x", b"\xff", b"\xef\xbb\xbf"]
)


@given(st.lists(ALPHABET, max_size=40).map(b"".join), st.lists(st.integers(0, 200), max_size=12))
def test_any_chunking_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    points = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:end] for start, end in pairwise(points)]
    assert read(pieces) == read([stream]) == read([bytes([byte]) for byte in stream])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")), max_size=8))
def test_what_was_written_is_read(values: list[str]) -> None:
    stream = b"".join(f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode() for value in values)
    assert [json.loads(event) for event in read([stream])] == values


@pytest.mark.parametrize("chunk", [b"x" * 10, b"data: xxx\n"])
def test_an_endless_line_or_event_is_refused(chunk: bytes) -> None:
    reader = EventReader(100)
    with pytest.raises(ProtocolError, match="more than 100 bytes in one event"):
        for _ in range(100):
            reader.feed(chunk)
