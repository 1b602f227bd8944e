"""Server-sent events, read incrementally: bytes in, the data of events out.

Grammar (WHATWG HTML, "Parsing an event stream"), as far as chat completions use it:

    stream  = [ BOM ] *( event )
    event   = *( line ) blank line             ends an event; one without data is no event
    line    = ":" anything                     a comment: a sign of life, nothing else
            | "data" [ ":" [ " " ] value ]     several lines of one event are joined by a line feed
            | other [ ":" [ " " ] value ]      left out: event names and ids carry nothing here
    ends    = CR LF | LF | CR

An event without its blank line at the end of the stream still counts: some servers leave it out. Bytes that are not
UTF-8 become replacement characters.
"""

from __future__ import annotations

import re

from benchdog.errors import ProtocolError

MAX_LINE = 4 * 1024 * 1024  # bytes of one line or one event: far beyond any reply's piece
_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class EventReader:
    """Holds what is not complete yet. Any chunking of the same bytes gives the same events."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._held: list[bytes] = []
        self._held_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._begun = False
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[str]:
        """The data of the events that are complete now. Raises ProtocolError where a line exceeds the limit."""
        events: list[str] = []
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")  # the second half of a CR LF that was split
        position = 0
        for end in _END.finditer(chunk):
            self._hold(chunk[position : end.start()])
            position = end.end()
            self._line(events)
        self._after_cr = chunk.endswith(b"\r")
        self._hold(chunk[position:])
        return events

    def finish(self) -> list[str]:
        """The event that the end of the stream leaves without its blank line."""
        events: list[str] = []
        self._line(events)
        self._dispatch(events)
        return events

    def _hold(self, part: bytes) -> None:
        if part:
            self._held.append(part)
            self._held_size += len(part)
            if self._held_size + self._data_size > self._limit:
                raise ProtocolError(f"the server sent more than {self._limit} bytes in one event")

    def _line(self, events: list[str]) -> None:
        line = b"".join(self._held)
        self._held.clear()
        self._held_size = 0
        if not self._begun and line:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(events)
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_size += len(value) + 1

    def _dispatch(self, events: list[str]) -> None:
        if self._data:
            events.append(b"\n".join(self._data).decode("utf-8", "replace"))
            self._data.clear()
            self._data_size = 0
