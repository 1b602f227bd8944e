"""What a scripted model answers: a policy is a function from what was asked to a reply.

A policy should keep no state, so that a run that was killed and resumed meets the same model: all that it needs is in
the conversation. `play` is the exception, for short tests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedCall:
    """A tool call as the model writes it. Text in `arguments` is sent as it is, malformed or not."""

    name: str
    arguments: Mapping[str, Any] | str
    id: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(dict(self.arguments), ensure_ascii=False)


class Trick(StrEnum):
    """What a server does instead of answering properly."""

    REFUSE = "refuse"  # closes the connection without a word
    HANG = "hang"  # holds it open and sends nothing
    DIE = "die"  # closes it in the middle of the stream
    HTML = "html"  # answers a web page
    LOADING = "loading"  # 503, as while a model is loaded
    ERROR = "error"  # an HTTP error: `status` and `error` of the reply
    STREAM_ERROR = "stream-error"  # an error object in the middle of the stream
    JUNK = "junk"  # bytes that are no HTTP


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedReply:
    """What the model answers. `finish` None: `tool_calls` where there are calls, else `stop`.

    `error` is the body's `error` value for Trick.ERROR and STREAM_ERROR, `status` the HTTP status.
    `fault` names what was done wrong on purpose, for the server's log.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    finish: str | None = None
    trick: Trick | None = None
    status: int = 200
    error: Any = None
    fault: str = ""

    @property
    def finish_reason(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as a policy sees it. `number` counts requests from 1, `repeats` earlier ones with the same body."""

    body: Mapping[str, Any]
    number: int = 1
    repeats: int = 0

    @property
    def messages(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(message for message in _list(self.body.get("messages")) if isinstance(message, Mapping))

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools offered."""
        tools = [tool for tool in _list(self.body.get("tools")) if isinstance(tool, Mapping)]
        return tuple(str(tool.get("function", {}).get("name")) for tool in tools)

    @property
    def text(self) -> str:
        """All messages' contents, for looking something up."""
        return "\n".join(str(message.get("content", "")) for message in self.messages)

    @property
    def turns(self) -> int:
        """How many replies of the model are in the conversation."""
        return sum(message.get("role") == "assistant" for message in self.messages)

    @property
    def digest(self) -> str:
        """The same for the same body."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()

    def done_calls(self) -> Iterator[tuple[str, Mapping[str, Any], str]]:
        """The calls made so far: name, arguments, and what the tool answered (empty where it did not)."""
        answers = {message.get("tool_call_id"): str(message.get("content", "")) for message in self.messages}
        for message in self.messages:
            for made in _list(message.get("tool_calls")):
                function = made.get("function", {})
                yield str(function.get("name")), _arguments(function.get("arguments")), answers.get(made.get("id"), "")


Policy = Callable[[Asked], ScriptedReply]


def call(name: str, **arguments: Any) -> ScriptedReply:
    """A reply that is one tool call."""
    return ScriptedReply(calls=(ScriptedCall(name=name, arguments=arguments),))


def play(replies: Iterable[ScriptedReply]) -> Policy:
    """Answers with each reply in turn, and with the last one for ever after. Counts by the server's request number."""
    script = tuple(replies)

    def answer(asked: Asked) -> ScriptedReply:
        return script[min(asked.number, len(script)) - 1]

    return answer


def always(reply: ScriptedReply) -> Policy:
    """Answers the same to everything."""
    return lambda asked: reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a good model would do to one file: replace `search` by `replace`, or write `content` whole."""

    path: str
    search: str = ""
    replace: str = ""
    content: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixer:
    """A model that does the work: makes each edit once, then says that it is done.

    What is done already it reads off the conversation. It uses the tools that are offered: `edit` or else `write`
    (`read` before, where it was not shown the file), `done` or `submit`; without tools it answers in prose.
    `one_at_a_time`: one edit a reply; else all of them, and `done`, in one.
    """

    edits: tuple[Edit, ...]
    summary: str = "I made the change."
    one_at_a_time: bool = True
    reads_first: bool = False

    def __call__(self, asked: Asked) -> ScriptedReply:
        left = [edit for edit in self.edits if not _made(edit, asked)]
        if self.one_at_a_time and left:
            left = left[:1]
        calls = [found for edit in left if (found := self._call(edit, asked)) is not None]
        ending = next((name for name in ("done", "submit", "finish") if name in asked.tools), None)
        if ending and (not self.one_at_a_time or not left):
            calls.append(ScriptedCall(name=ending, arguments={"summary": self.summary}))
        if calls:
            return ScriptedReply(calls=tuple(calls))
        return ScriptedReply(text=self.summary if not left else "I have no tool to change a file with.")

    def _call(self, edit: Edit, asked: Asked) -> ScriptedCall | None:
        shown = edit.content is not None or edit.search in asked.text
        if "read" in asked.tools and (self.reads_first or not shown) and not _was_read(edit.path, asked):
            return ScriptedCall(name="read", arguments={"path": edit.path})
        if edit.content is None and "edit" in asked.tools:
            arguments = {"path": edit.path, "search": edit.search, "replace": edit.replace}
            return ScriptedCall(name="edit", arguments=arguments)
        if edit.content is not None and "write" in asked.tools:
            return ScriptedCall(name="write", arguments={"path": edit.path, "content": edit.content})
        return None


def _made(edit: Edit, asked: Asked) -> bool:
    """Whether the conversation holds this very edit, and the tool did not answer that it failed."""
    for name, arguments, answer in asked.done_calls():
        if arguments.get("path") != edit.path or _failed(answer):
            continue
        if name == "edit" and edit.content is None and arguments.get("replace") == edit.replace:
            return True
        if name == "write" and arguments.get("content") == edit.content:
            return True
    return False


def _was_read(path: str, asked: Asked) -> bool:
    return any(name == "read" and arguments.get("path") == path for name, arguments, _ in asked.done_calls())


def _failed(answer: str) -> bool:
    start = answer.lstrip()[:60].lower()
    return any(word in start for word in ("error", "refused", "not found", "does not match", "no match", "failed"))


def _arguments(text: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Explorer:
    """A model that only ever looks: reads and searches, each time something else, and never changes anything."""

    paths: tuple[str, ...] = field(default=("README.md", "setup.py", "src", "tests"))

    def __call__(self, asked: Asked) -> ScriptedReply:
        turn = asked.turns
        if turn % 2 and "search" in asked.tools:
            return call("search", pattern=f"def .*{turn}")
        return call("read", path=self.paths[turn // 2 % len(self.paths)], start=turn + 1)
