"""Tool calls that a server let through as text: one small function for each syntax, and the table of them.

Each function takes text and gives the calls that stand in it in its syntax, with their places. Nothing here decides
whether a call may run: names must be known, arguments must fit (see calls.py), and text that merely talks about a
call is left alone: inside inline code, or after words such as `for example`. Sources: the chat templates of the
families that are named, and the parsers of vLLM and llama.cpp.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

MAX_TEXT = 400_000  # characters; a longer reply is no leaked call
MAX_CALLS = 64  # in one reply
_TALK = re.compile(
    r"for example|for instance|\be\.g\.|example:|\bformat(?::|\s*\n| is\b)|such as|like this"
    r"|\bsyntax\b|would look|looks like",
    re.IGNORECASE,
)
_NAMES = ("name", "tool_name", "tool", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "params")
_CLOSERS = re.compile(r"(?:\s|</[a-z_]{1,30}>|<\|[a-z_]{1,30}\|>|;|```)*", re.IGNORECASE)
_JSON = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Leak:
    """A call in a text: name, arguments (JSON text, or values), and where it stands."""

    name: str
    arguments: str | Mapping[str, Any]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Leaks:
    syntax: str
    calls: tuple[Leak, ...]


Syntax = Callable[[str], list[Leak]]


def find_leaks(text: str, reasoning: str, *, known: Callable[[str], bool]) -> Leaks | None:
    """The calls that leaked into the text, or, where the text is empty, stand at the very end of the reasoning.

    None where there is none with a known name. Where some names are known and others are not, all are given.
    """
    body = text[:MAX_TEXT] if len(text) <= MAX_TEXT else ""
    answer = body.rpartition("</think>")[2]
    found = _first(answer, known, anywhere=True)
    if found is None and not answer.strip() and len(reasoning) <= MAX_TEXT:
        found = _first(reasoning or body, known, anywhere=False)
    return found


def _first(text: str, known: Callable[[str], bool], *, anywhere: bool) -> Leaks | None:
    if not text.strip():
        return None
    for syntax, read in LEAKS:
        calls = [leak for leak in read(text) if not _merely_talk(text, leak.start)]
        if not any(known(leak.name) for leak in calls):
            continue
        if anywhere or _CLOSERS.fullmatch(text, max(leak.end for leak in calls)):
            return Leaks(syntax, tuple(calls))
    return None


def _merely_talk(text: str, start: int) -> bool:
    line = text.rfind("\n", 0, start) + 1
    before = text[max(line, start - 400) : start]
    if before.replace("```", "").count("`") % 2:
        return True
    return bool(_TALK.search(text[max(0, start - 120) : start]))


def hermes(text: str) -> list[Leak]:
    """`<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen 2.5 and 3, and many more."""
    found = []
    for start in _each(text, "<tool_call>"):
        at = _skip_space(text, start + len("<tool_call>"))
        at = _skip_space(text, text.index("\n", at)) if text.startswith("```", at) and "\n" in text[at:] else at
        leaks, _ = _json_calls(text, at)
        if leaks:
            found += [Leak(each.name, each.arguments, start, each.end) for each in leaks]
        elif text.startswith("{", at):
            found += _broken_json(text, start, at, text.find("</tool_call>", at))
    return found


def _broken_json(text: str, start: int, at: int, end: int) -> list[Leak]:
    """A wrapped object that is no JSON: its name, and the text of its arguments for the guarded repair."""
    if end < 0:
        return []
    body = text[at:end].strip()
    named = re.match(r'\{\s*["\']?name["\']?\s*:\s*["\']([\w.:-]{1,64})["\']\s*,', body)
    given = re.compile(r'\s*["\']?(?:arguments|parameters)["\']?\s*:\s*').match(body, named.end()) if named else None
    if named is None or given is None:
        return []
    inner = body[given.end() :].rstrip()
    return [Leak(named[1], inner.removesuffix("}").rstrip() if inner.count("}") > 1 else inner, start, end)]


def qwen_xml(text: str) -> list[Leak]:
    """`<function=NAME><parameter=KEY>VALUE</parameter></function>`: Qwen3-Coder and its relatives. Values are raw."""
    found = []
    starts = list(_each(text, "<function="))
    for number, start in enumerate(starts):
        limit = starts[number + 1] if number + 1 < len(starts) else len(text)
        head = text.find(">", start, min(limit, start + 100))
        end = text.rfind("</function>", start, limit)
        if end < 0:
            end = text.rfind("</tool_call>", start, limit)
        name = text[start + len("<function=") : head].strip(" \"'") if head > 0 else ""
        if end < 0 or not re.fullmatch(r"[\w.:-]{1,64}", name):
            continue
        values = _xml_parameters(text[head + 1 : end])
        if values is not None:
            found.append(Leak(name, values, start, text.find(">", end) + 1))
    return found


def _xml_parameters(body: str) -> dict[str, str] | None:
    """The raw values, without one line break at either end. A parameter ends where the next one begins."""
    values: dict[str, str] = {}
    parts = re.split(r"<parameter=([\w.-]{1,64})>", body)
    for name, rest in zip(parts[1::2], parts[2::2], strict=True):
        end = rest.rfind("</parameter>")
        value = rest if end < 0 else rest[:end]
        values[name] = value.removeprefix("\n").removesuffix("\n")
    return values if not parts[0].strip() else None


def mistral(text: str) -> list[Leak]:
    """`[TOOL_CALLS][{…}]`, or `[TOOL_CALLS]NAME[ARGS]{…}` repeated: Mistral before and since v11."""
    found = []
    for start in _each(text, "[TOOL_CALLS]"):
        at = _skip_space(text, start + len("[TOOL_CALLS]"))
        leaks, _ = _json_calls(text, at)
        found += [Leak(each.name, each.arguments, start, each.end) for each in leaks]
        if leaks:
            continue
        named = re.compile(r"([\w.-]{1,64})\s*(?:\[CALL_ID\]\w{1,64})?\s*(?:\[ARGS\])?\s*").match(text, at)
        value, end = _decode(text, named.end()) if named else (None, at)
        if named and isinstance(value, dict):
            found.append(Leak(named[1], value, start, end))
    return found


def llama_json(text: str) -> list[Leak]:
    """`<|python_tag|>{"name": …, "parameters": {…}}`, several joined with `;`: Llama 3."""
    found = []
    for start in _each(text, "<|python_tag|>"):
        leaks, _ = _json_calls(text, _skip_space(text, start + len("<|python_tag|>")))
        found += [Leak(each.name, each.arguments, start, each.end) for each in leaks]
    return found


def fenced_json(text: str) -> list[Leak]:
    """A fence that holds nothing but calls as JSON."""
    found = []
    for opening in re.finditer(r"^[ \t]*```[\w-]{0,20}[ \t]*\n\s*(?=[\[{])", text, re.MULTILINE):
        leaks, end = _json_calls(text, opening.end())
        if leaks and text.startswith("```", _skip_space(text, end)):
            found += leaks
    return found


def bare_json(text: str) -> list[Leak]:
    """Calls as JSON on lines of their own, after which nothing follows."""
    for opening in islice(re.finditer(r"^[ \t]*(?=\{|\[\s*\{)", text, re.MULTILINE), MAX_CALLS):
        leaks, end = _json_calls(text, opening.end())
        if leaks and _CLOSERS.fullmatch(text, end):
            return leaks
    return []


def pythonic(text: str) -> list[Leak]:
    """`[f(a='x'), g(b=1)]`: Llama 3.2 and 4, and others; read with `ast`, never evaluated."""
    found: list[Leak] = []
    for opening in islice(re.finditer(r"\[\s*[A-Za-z_][\w.]{0,63}\(", text), MAX_CALLS):
        start = opening.start()
        if found and start < found[-1].end:
            continue
        end = _closing(text, start)
        found += [Leak(name, values, start, end) for name, values in _python_calls(text[start:end])]
    return found


def _closing(text: str, at: int) -> int:
    """The end of the bracket that opens at `at`, strings skipped; `at` itself where it is never closed."""
    depth = 0
    for token in _PYTHON_TOKEN.finditer(text, at):
        if token[0] in "([{":
            depth += 1
        elif token[0] in ")]}":
            depth -= 1
            if depth == 0:
                return token.end()
    return at


_PYTHON_TOKEN = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[()\[\]{}]",
    re.DOTALL,
)


def _python_calls(code: str) -> list[tuple[str, dict[str, Any]]]:
    """The calls in a Python list of them; none where it is anything else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code, mode="eval").body
            return [_python_call(node) for node in tree.elts] if isinstance(tree, ast.List) else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _python_call(node: ast.expr) -> tuple[str, dict[str, Any]]:
    """Raises ValueError for whatever is no call with keyword arguments that are literals."""
    if not isinstance(node, ast.Call) or node.args or any(each.arg is None for each in node.keywords):
        raise ValueError("no call with keyword arguments")
    return ast.unparse(node.func), {str(each.arg): ast.literal_eval(each.value) for each in node.keywords}


LEAKS: tuple[tuple[str, Syntax], ...] = (
    ("mistral", mistral),
    ("hermes", hermes),
    ("qwen-xml", qwen_xml),
    ("llama-json", llama_json),
    ("fenced-json", fenced_json),
    ("bare-json", bare_json),
    ("pythonic", pythonic),
)
"""In the order in which they are tried: the most specific marker first."""


def _each(text: str, marker: str) -> Iterator[int]:
    """Where the marker stands, up to MAX_CALLS times."""
    at = text.find(marker)
    for _ in range(MAX_CALLS):
        if at < 0:
            return
        yield at
        at = text.find(marker, at + len(marker))


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _decode(text: str, at: int) -> tuple[Any, int]:
    try:
        return _JSON.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, at


def _json_calls(text: str, at: int) -> tuple[list[Leak], int]:
    """The calls in the JSON values that follow one another from `at` on, and where they end; none where one is no
    call."""
    found: list[Leak] = []
    end = at
    while at < len(text) and text[at] in "[{":
        value, stop = _decode(text, at)
        calls = _named_calls(value, at, stop)
        if calls is None:
            break
        found += calls
        end = stop
        at = _skip_space(text, stop)
        at = _skip_space(text, at + 1) if text.startswith((";", ","), at) else at
    return found, end


def _named_calls(value: Any, start: int, end: int) -> list[Leak] | None:
    """The calls that a JSON value is: an object or a list of objects, with a name and arguments; None: it is none."""
    items = value if isinstance(value, list) else [value]
    calls = [_named_call(item, start, end) for item in items]
    return [call for call in calls if call] if calls and all(calls) else None


def _named_call(item: Any, start: int, end: int) -> Leak | None:
    if not isinstance(item, dict):
        return None
    inner = item.get("function")
    if isinstance(inner, dict):
        item = inner
    name = next((item[key] for key in _NAMES if isinstance(item.get(key), str)), None)
    given = next((item[key] for key in _ARGUMENTS if key in item), None)
    if name is None or not isinstance(given, dict | str):
        return None
    return Leak(name, given, start, end)
