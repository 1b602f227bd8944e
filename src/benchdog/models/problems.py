"""What a server's error means: pure functions from status and body to an error for a person."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchdog.errors import ContextOverflow, EndpointError, ProtocolError
from benchdog.system.terminal import one_line

# Texts of servers that say "too long", with the limit (never the prompt's own length) where they tell it. All seen:
# llama.cpp, vLLM, SGLang, LM Studio (three wordings), Ollama (three), OpenAI's code.
_OVERFLOWS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"exceeds the available context size(?: \((?P<limit>\d+))?",
        r"maximum context length is (?P<limit>\d+)",
        r"cannot be greater than max_model_len\s*=?\s*(?P<limit>\d+)?",
        r"longer than the model'?s context length(?: \((?P<limit>\d+))?",
        r"longer than the maximum model length(?: of (?P<limit>\d+))?",
        r"n_keep.{0,200}?n_ctx\W{0,4}(?P<limit>\d+)",
        r"tokens to keep from the initial prompt",
        r"keep the first \d+ tokens when context",
        r"prompt is longer than the context length",
        r"input length exceeds the context length",
        r"prompt too long; exceeded max context length",
        r"exceed_context_size_error",
        r"context_length_exceeded",
    )
)
# Servers that fail over their own model's output (llama.cpp, LM Studio; Ollama): a bad reply, not a bad server.
_OUTPUT = re.compile(
    r"model produced output that does not match the expected"
    r"|error parsing tool call: raw='(?P<raw>.*)', err=",
    re.IGNORECASE | re.DOTALL,
)
_LOADING = re.compile(r"loading model|model is loading|unavailable_error|server busy|not ready", re.IGNORECASE)


class Busy(EndpointError):
    """The server is up but cannot answer yet: it loads a model, or its queue is full. Worth another try."""


class BadOutput(EndpointError):
    """The server choked on what its own model wrote. `raw` is that text where the server told it."""

    def __init__(self, message: str, *, url: str, raw: str = "") -> None:
        super().__init__(message, url=url)
        self.raw = raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is not a success. `key_env` names the variable of the key that was sent, if any."""

    url: str
    status: int
    body: bytes
    model: str = ""
    key_env: str | None = None


def explain(refusal: Refusal) -> EndpointError:
    """The error that a refused request comes to."""
    answer = parse_json(refusal.body)
    if answer is None and looks_like_html(refusal.body):
        return not_json(refusal.url, refusal.body, refusal.status)
    message = error_message(answer) or quote(refusal.body) or "no reason given"
    if refusal.status == 503 or (refusal.status >= 500 and _LOADING.search(message)):
        return Busy(f"{refusal.url} is not ready: {one_line(message)}", url=refusal.url)
    known = recognise(message, answer, refusal.url)
    return known or _by_status(refusal, message)


def recognise(message: str, answer: Any, url: str) -> EndpointError | None:
    """The errors that are told by their text alone: an overflow, or output that the server could not read."""
    for pattern in _OVERFLOWS:
        if found := pattern.search(message) or pattern.search(_kind(answer)):
            limit = _limit(answer) or _number(found.groupdict().get("limit"))
            return ContextOverflow(
                f"the prompt does not fit the context in effect at {url}: {one_line(message)}",
                url=url,
                limit=limit,
                hint="start the server with a larger context (llama-server -c, OLLAMA_CONTEXT_LENGTH, --max-model-len)",
            )
    if found := _OUTPUT.search(message):
        return BadOutput(
            f"{url} could not read what its model wrote: {one_line(message)}", url=url, raw=found["raw"] or ""
        )
    return None


def error_message(answer: Any) -> str:
    """The text of an error, in any of the shapes that servers give it; empty where there is none."""
    if isinstance(answer, str):
        return answer
    if not isinstance(answer, Mapping):
        return ""
    error = answer.get("error")
    if isinstance(error, Mapping):
        found = error.get("message") or error.get("error") or json.dumps(error)
        return found if isinstance(found, str) else json.dumps(found)
    for value in (error, answer.get("message"), answer.get("detail")):
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list | Mapping) and value:
            return json.dumps(value)
    return ""


def not_json(url: str, body: bytes, status: int = 200) -> ProtocolError:
    """The answer is not what a model server sends: it is quoted, with a guess at what it is."""
    if looks_like_html(body):
        guess = "this looks like a web page (another program's port, a proxy, a login), not like a model server"
    elif not body.strip():
        guess = "the answer is empty; this does not look like a model server"
    else:
        guess = "this is not the JSON that an OpenAI-compatible server sends"
    said = f"{quote(body)!r}: " if body.strip() else ""
    place = f"{url} answered" if status == 200 else f"{url} answered HTTP {status}"
    return ProtocolError(f"{place} {said}{guess}", url=url, hint="check the address: it usually ends in /v1")


def looks_like_html(body: bytes) -> bool:
    start = body.lstrip()[:200].lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml")) or b"<html" in start


def quote(body: bytes, width: int = 120) -> str:
    """The first characters of a body, harmless for a terminal."""
    return one_line(body[: width * 4].decode("utf-8", "replace"), width)


def parse_json(body: bytes) -> Any:
    """The JSON value of a body; None where it is not JSON (nor anything that could be answered with)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _by_status(refusal: Refusal, message: str) -> EndpointError:
    said = one_line(message, 400)
    place = f"{refusal.url} answered HTTP {refusal.status}"
    if refusal.status in (401, 403):
        return EndpointError(f"{place}: {said}", url=refusal.url, hint=_key_hint(refusal.key_env))
    if refusal.status == 404:
        hint = "check the model's name (`benchdog models`) and that the address ends in /v1"
        return EndpointError(f"{place} for the model {refusal.model!r}: {said}", url=refusal.url, hint=hint)
    if 300 <= refusal.status < 400:
        hint = "redirects are not followed; give the address that it points to"
        return ProtocolError(f"{place}, a redirect", url=refusal.url, hint=hint)
    return EndpointError(f"{place}: {said}", url=refusal.url)


def _key_hint(key_env: str | None) -> str:
    if key_env:
        return f"the key in the environment variable {key_env} (key_env) is not accepted there"
    return 'put the key in an environment variable and name that in the endpoint\'s settings: key_env = "…"'


def _kind(answer: Any) -> str:
    """An error's type and code, where it has them."""
    error = answer.get("error", answer) if isinstance(answer, Mapping) else None
    if not isinstance(error, Mapping):
        return ""
    return f"{error.get('type', '')} {error.get('code', '')}"


def _limit(answer: Any) -> int | None:
    error = answer.get("error", answer) if isinstance(answer, Mapping) else None
    return _number(error.get("n_ctx")) if isinstance(error, Mapping) else None


def _number(value: Any) -> int | None:
    """A context length, from a number or digits; None for anything that cannot be one."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 12:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
