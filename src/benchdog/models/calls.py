"""Tool calls put together from the fragments in which servers stream them.

By the protocol a fragment carries the call's index, and its first one the id and the name. Servers differ: all calls
at index 0, the name or the id repeated in each fragment, no id at all, the whole arguments sent again at the end. A
fragment opens a new call where its index is new, its id or its name is another one, or the arguments so far are a
complete JSON object and more follow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from benchdog.models.values import RawCall

_MARK = re.compile(r'["\\{}\[\]]')
_ID = re.compile(r"[\x21-\x7e]{1,128}")


class JsonEnd:
    """Says when a JSON object that comes in pieces is complete, in one pass over the text."""

    def __init__(self) -> None:
        self.complete = False
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, text: str) -> None:
        if self._escaped and text:
            self._escaped = False
            text = text[1:]
        skip = -1
        for mark in _MARK.finditer(text):
            if mark.start() == skip:
                continue
            if self._in_string and mark[0] == "\\":
                skip = mark.start() + 1
                self._escaped = skip == len(text)
            else:
                self._mark(mark[0])

    def _mark(self, mark: str) -> None:
        if mark == '"':
            self._in_string = not self._in_string
        elif not self._in_string and mark in "{[":
            self._depth += 1
        elif not self._in_string and mark in "}]":
            self._depth -= 1
            self.complete = self.complete or self._depth == 0


class _Open:
    """A call that may still grow."""

    def __init__(self, identity: str, name: str) -> None:
        self.id = identity
        self.name = name
        self.parts: list[str] = []
        self.size = 0
        self.end = JsonEnd()

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)
        self.end.feed(text)

    def clear(self) -> None:
        self.parts, self.size, self.end = [], 0, JsonEnd()

    def sent_again(self, text: str) -> bool:
        """Whether `text` is all the arguments once more, as some servers close a call."""
        return self.end.complete and len(text) == self.size and text == self.arguments

    @property
    def arguments(self) -> str:
        return "".join(self.parts)


class CallCollector:
    """Fragments in, whole calls out. `first` numbers the ids that are made up for calls without one."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._calls: list[_Open] = []
        self._at: dict[int, _Open] = {}
        self._last = 0

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, fragment: Any) -> str:
        """Takes one element of `tool_calls`; what it adds, for people to watch. What is no fragment is left out."""
        if not isinstance(fragment, Mapping):
            return ""
        function = fragment.get("function")
        function = function if isinstance(function, Mapping) else fragment
        name, text = _text(function.get("name")), _arguments(function.get("arguments"))
        identity, index = _text(fragment.get("id")), fragment.get("index")
        if not isinstance(index, int):
            index = self._last
        self._last = index
        current = self._at.get(index)
        if current is None or self._is_new(current, identity, name, text):
            if current is not None and not name:
                name = current.name
            current = self._at[index] = _Open(identity, name)
            self._calls.append(current)
            current.add(text)
            return f"{name} {text}" if text else name
        return self._continue(current, identity, name, text)

    def calls(self) -> tuple[RawCall, ...]:
        """All calls so far, each with an id of its own."""
        found: list[RawCall] = []
        used: set[str] = set()
        for position, call in enumerate(self._calls, self._first + 1):
            identity = call.id
            if identity in used or not _ID.fullmatch(identity):
                identity = f"call{position:05d}"  # nine letters and digits: the one form that Mistral's template takes
            used.add(identity)
            found.append(RawCall(id=identity, name=call.name, arguments=call.arguments))
        return tuple(found)

    @staticmethod
    def _is_new(current: _Open, identity: str, name: str, text: str) -> bool:
        if identity and current.id and identity != current.id:
            return True
        if name and current.name and name != current.name:
            return True
        if not current.end.complete or not text.lstrip().startswith("{") or current.sent_again(text):
            return False
        return not _stands_in(current)

    @staticmethod
    def _continue(current: _Open, identity: str, name: str, text: str) -> str:
        current.id = current.id or identity
        current.name = current.name or name
        if current.sent_again(text):
            return ""
        if text.lstrip().startswith("{") and _stands_in(current):
            current.clear()
        current.add(text)
        return text


def _stands_in(call: _Open) -> bool:
    """Whether the arguments so far are an empty object: some servers send one before the real ones."""
    return call.end.complete and call.size < 16 and call.arguments.strip() == "{}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: Any) -> str:
    """Arguments are a string by the protocol; some servers send the object itself."""
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return _text(value)
