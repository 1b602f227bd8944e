"""A read-only question about a tree: the model may look, and what it says is a claim whose citations are checked.

A step generator as the worker's loop is: it yields requests and is sent replies. No tool that changes anything exists
here, so none can be called.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from benchdog.contract import Contract
from benchdog.contract.scope import Refusal
from benchdog.models.budget import estimate_request, room
from benchdog.models.values import Message, Reply, Request, Role, Sampling
from benchdog.worker.calls import read_reply
from benchdog.worker.desk import Desk
from benchdog.worker.steps import Workspace
from benchdog.worker.tools import EXPLORING, TOOLS

TURNS = 8  # replies until an answer must be there
_LOOKING = tuple(tool for tool in TOOLS if tool.name in EXPLORING)
_SYSTEM = (
    "You answer one question about the repository. Look with the tools before you answer. Answer in a few plain "
    "sentences and cite every place as path:line. Nothing can be changed here."
)
_LISTED = 200  # paths named in the first message
_CITED = re.compile(r"(?<![\w/.-])((?:[\w.@+-]+/)*[\w@+-]+\.[A-Za-z]\w{0,9}):(\d{1,7})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A place that an answer names. `holds`: there is such a line in such a file."""

    path: str
    line: int
    holds: bool


def ask(question: str, workspace: Workspace, context: int) -> Generator[Request, Reply, str]:
    """Yields requests until the model answers in words; returns them, empty where it never did."""
    desk = Desk(Contract(goal=question), workspace, _nothing, context)
    paths = workspace.paths()
    more = f"\n… and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    listing = "\n".join(paths[:_LISTED]) + more
    first = f"Files:\n<files>\n{listing}\n</files>\n\nThe question: {question}"
    messages = [Message(role=Role.SYSTEM, content=_SYSTEM), Message(role=Role.USER, content=first)]
    for turn in range(TURNS):
        last = turn == TURNS - 1
        request = Request(messages=tuple(messages), tools=_LOOKING, sampling=Sampling(seed=turn))
        space = room(context, estimate_request(request))
        reply = yield Request(
            messages=request.messages,
            tools=_LOOKING,
            sampling=request.sampling,
            max_tokens=max(256, space),
            tool_choice="none" if last or not space else "auto",
        )
        calls = read_reply(reply, _LOOKING).calls
        if not calls:
            if reply.text.strip():
                return reply.text.strip()
            continue  # an empty reply is not kept: the same prompt again, with another seed
        messages.append(Message(role=Role.ASSISTANT, content="", calls=calls, reasoning=reply.reasoning or None))
        answers = desk.carry_out(calls).texts
        for call, text in zip(calls, answers, strict=True):
            messages.append(Message(role=Role.TOOL, content=f"{text}\n\nThe question: {question}", call_id=call.id))
    return ""


def citations(answer: str, workspace: Workspace) -> tuple[Citation, ...]:
    """Every `path:line` of an answer, each once, and whether it is there."""
    found: dict[tuple[str, int], Citation] = {}
    for path, number in _CITED.findall(answer[:100_000]):
        place = (path, int(number))
        if place not in found:
            data = workspace.read(path) if ".." not in path.split("/") else None
            lines = 0 if data is None else len(data.splitlines())
            found[place] = Citation(path=path, line=place[1], holds=1 <= place[1] <= lines)
    return tuple(found.values())


def _nothing(path: str) -> Refusal:
    return Refusal(path=path, rule="scope", reason="a question changes nothing")
