"""From a reply to the calls in it, or to the fault for which it is not used. Pure; never raises.

A reply is used whole or not at all: one faulty call spoils it, for then it is asked again. What was cut (by length or
by a broken stream) is never used, however complete it looks. Faults: empty, prose, malformed, unknown-tool, cut,
wrong-arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchdog.models.values import Finish, Reply, Tool, ToolCall
from benchdog.worker.arguments import fit, parse_object
from benchdog.worker.leaks import find_leaks
from benchdog.worker.tools import NAME_ALIASES, by_alias, folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reply comes to. `recovered` names the syntax in which calls had leaked as text; None: they had not.

    `detail` says what is wrong, in words for a person and for the model.
    """

    calls: tuple[ToolCall, ...] = ()
    fault: str | None = None
    detail: str = ""
    recovered: str | None = None


def read_reply(reply: Reply, tools: Sequence[Tool]) -> Reading:
    """The calls of a reply, all of them valid against `tools`, or its fault."""
    if reply.finish in (Finish.LENGTH, Finish.BROKEN):
        why = reply.trouble or (
            "the reply was cut: it is too long" if reply.finish is Finish.LENGTH else "it broke off"
        )
        return Reading(fault="cut", detail=why)
    if reply.calls:
        return _read_calls(((call.id, call.name, call.arguments) for call in reply.calls), tools)
    leaks = find_leaks(reply.text, reply.reasoning, known=lambda name: resolve(name, tools) is not None)
    if leaks is not None:
        found = ((f"leak{number:05d}", leak.name, leak.arguments) for number, leak in enumerate(leaks.calls, 1))
        reading = _read_calls(found, tools)
        return Reading(
            calls=reading.calls,
            fault=reading.fault,
            detail=reading.detail,
            recovered=None if reading.fault else leaks.syntax,
        )
    if not reply.text.strip():
        return Reading(fault="empty", detail="the reply had neither text nor a call")
    return Reading(fault="prose", detail="the reply had text but no tool call")


def _read_calls(raw: Iterable[tuple[str, str, str | Mapping[str, Any]]], tools: Sequence[Tool]) -> Reading:
    calls = []
    for identity, name, arguments in raw:
        tool = resolve(name, tools)
        if tool is None:
            names = ", ".join(each.name for each in tools)
            return Reading(fault="unknown-tool", detail=f"there is no tool {name[:60]!r}; the tools are {names}")
        values = parse_object(arguments, tool) if isinstance(arguments, str) else arguments
        if values is None:
            return Reading(fault="malformed", detail=f"the arguments of {tool.name} are not valid JSON")
        fitting = fit(values, tool)
        if isinstance(fitting, str):
            return Reading(fault="wrong-arguments", detail=fitting)
        calls.append(ToolCall(id=identity, name=tool.name, arguments=fitting))
    return Reading(calls=tuple(calls))


def resolve(name: str, tools: Sequence[Tool]) -> Tool | None:
    """The tool that a model means by `name`: exactly, without prefix, case and separators, or by a listed alias."""
    by_name = {tool.name: tool for tool in tools}
    for each in _spellings(name):
        if each in by_name:
            return by_name[each]
    by_folded = {folded(tool.name): tool for tool in tools}
    for each in _spellings(name):
        if folded(each) in by_folded:
            return by_folded[folded(each)]
    for each in _spellings(name):
        alias = by_alias(NAME_ALIASES, each) if each else None
        if alias in by_name:
            return by_name[alias]
    return None


def _spellings(name: str) -> tuple[str, ...]:
    """The name as it is, without what follows a special token, and without a namespace (`functions.edit:0`)."""
    plain = name.strip().split("<|")[0].strip()
    bare = plain.rpartition(".")[2].split(":")[0].strip()
    return tuple(dict.fromkeys((name, plain, bare)))
