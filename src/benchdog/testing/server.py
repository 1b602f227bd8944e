"""The scripted model: a real HTTP server on loopback that speaks the OpenAI chat protocol and follows a policy.

It is no model: what it answers is written down. It serves `/v1/chat/completions` (streamed and whole), `/v1/models`
and llama.cpp's `/props`, counts tokens, and tells how much of each prompt a cache would have held.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchdog.testing.policy import Asked, Policy, ScriptedReply, Trick
from benchdog.testing.shapes import PIECE, chunk, completion, pieces, usage, whole
from benchdog.testing.usage import CHARACTERS, Counts, PromptCache, rendered

_MAX_BODY = 64 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the server says of itself, and how slow it is. Speeds are tokens per second; None: at once."""

    model: str = "scripted"
    context: int = 65536
    prefill: float | None = None
    decode: float | None = None
    max_wait: float = 5.0
    """The longest that any simulated wait takes, in seconds."""
    streams: bool = True
    """False: answers whole JSON even where a stream was asked for, as some servers do."""


class ScriptedServer:
    """Serves from the moment it is made, on a port of its own choice; a context manager.

    `requests` are the bodies of all completions asked for, `bodies` their exact bytes, `paths` all paths that were
    asked for, `faults` what went wrong on purpose, `counts` the scripted tokens; each in order.
    """

    def __init__(self, policy: Policy, traits: Traits | None = None, *, port: int = 0) -> None:
        self.policy = policy
        self.traits = traits or Traits()
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.faults: list[str] = []
        self.counts: list[Counts] = []
        self.closing = threading.Event()
        self._cache = PromptCache()
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.scripted = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every connection. Safe to call twice."""
        if not self.closing.is_set():
            self.closing.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def answer(self, raw: bytes, body: dict[str, Any]) -> tuple[ScriptedReply, Counts]:
        """Asks the policy, and counts."""
        with self._lock:
            self.requests.append(body)
            self.bodies.append(raw)
            asked = Asked(body=body, number=len(self.requests))
            digest = asked.digest
            asked = Asked(body=body, number=asked.number, repeats=self._seen[digest])
            self._seen[digest] += 1
            reply = self.policy(asked)
            if reply.fault or reply.trick:
                self.faults.append(reply.fault or str(reply.trick))
            prompt, cached = self._cache.count(rendered(body))
            counts = Counts(prompt=prompt, cached=cached, completion=completion(reply))
            self.counts.append(counts)
        return reply, counts


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    scripted: ScriptedServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """The server is silent: what was asked is in `requests`."""

    def do_GET(self) -> None:
        self.server.scripted.paths.append(self.path)
        traits = self.server.scripted.traits
        if self.path == "/v1/models":
            meta = {"n_ctx": traits.context, "n_ctx_train": 262144}
            entry = {"id": traits.model, "object": "model", "owned_by": "llamacpp", "meta": meta}
            self.send_json(200, {"object": "list", "data": [entry]})
        elif self.path == "/props":
            settings = {"n_ctx": traits.context}
            self.send_json(200, {"default_generation_settings": settings, "build_info": "scripted", "total_slots": 1})
        elif self.path == "/health":
            self.send_json(200, {"status": "ok"})
        else:
            self.send_json(404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}})

    def do_POST(self) -> None:
        self.server.scripted.paths.append(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(min(length, _MAX_BODY))
        try:
            body = json.loads(raw)
        except ValueError as error:
            self.send_json(
                400, {"error": {"code": 400, "message": f"not JSON: {error}", "type": "invalid_request_error"}}
            )
            return
        if self.path != "/v1/chat/completions" or not isinstance(body, dict):
            self.send_json(404, {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}})
            return
        self._complete(raw, body)

    def _complete(self, raw: bytes, body: dict[str, Any]) -> None:
        scripted = self.server.scripted
        reply, counts = scripted.answer(raw, body)
        if counts.prompt > scripted.traits.context:
            self._overflow(counts.prompt)
        elif reply.trick is not None and reply.trick in _TRICKS:
            _TRICKS[reply.trick](self, reply)
        else:
            self._wait(counts.prompt - counts.cached, scripted.traits.prefill)
            if body.get("stream") and scripted.traits.streams:
                self._stream(reply, counts, told=bool((body.get("stream_options") or {}).get("include_usage")))
            else:
                self.send_json(200, whole(scripted.traits.model, reply, counts))

    def _overflow(self, prompt: int) -> None:
        context = self.server.scripted.traits.context
        message = f"request ({prompt} tokens) exceeds the available context size ({context} tokens), try increasing it"
        error = {"code": 400, "type": "exceed_context_size_error", "message": message}
        self.send_json(400, {"error": {**error, "n_prompt_tokens": prompt, "n_ctx": context}})

    def _stream(self, reply: ScriptedReply, counts: Counts, *, told: bool) -> None:
        traits = self.server.scripted.traits
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        parts = list(pieces(reply))
        if reply.trick in (Trick.DIE, Trick.STREAM_ERROR):
            parts = parts[: max(1, len(parts) // 2)]
        for piece in parts:
            self._wait(PIECE // CHARACTERS, traits.decode)
            self._event(chunk(traits.model, {"delta": piece, "finish_reason": None}))
        if reply.trick is Trick.DIE:
            self.close_connection = True
            return
        if reply.trick is Trick.STREAM_ERROR:
            self._event({"error": reply.error or {"code": 500, "message": "scripted error", "type": "server_error"}})
        else:
            self._event(chunk(traits.model, {"delta": {}, "finish_reason": reply.finish_reason}))
            if told:
                self._event({**chunk(traits.model), "usage": usage(counts)})
            self._data(b"data: [DONE]\n\n")
        self._data(b"")

    def _event(self, value: dict[str, Any]) -> None:
        self._data(f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode())

    def _data(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _wait(self, count: int, speed: float | None) -> None:
        """As long as `count` tokens take at that speed, but never longer than the traits' bound."""
        scripted = self.server.scripted
        if speed:
            scripted.closing.wait(min(count / speed, scripted.traits.max_wait))

    def send_json(self, status: int, value: Any) -> None:
        self.send_body(status, json.dumps(value, ensure_ascii=False).encode(), "application/json")

    def send_body(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


Tricker = Callable[[_Handler, ScriptedReply], None]


def _close(handler: _Handler, reply: ScriptedReply) -> None:
    handler.close_connection = True


def _hang(handler: _Handler, reply: ScriptedReply) -> None:
    handler.server.scripted.closing.wait()
    handler.close_connection = True


def _html(handler: _Handler, reply: ScriptedReply) -> None:
    page = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Log in</body></html>"
    handler.send_body(200, page, "text/html; charset=utf-8")


def _loading(handler: _Handler, reply: ScriptedReply) -> None:
    handler.send_json(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})


def _error(handler: _Handler, reply: ScriptedReply) -> None:
    error = reply.error or {"message": "scripted error", "type": "server_error"}
    handler.send_json(500 if reply.status == 200 else reply.status, {"error": error})


def _junk(handler: _Handler, reply: ScriptedReply) -> None:
    handler.wfile.write(b"\x00\xff\xfe junk \x1b[2J\r\n\r\n" * 8)
    handler.close_connection = True


_TRICKS: dict[Trick, Tricker] = {
    Trick.REFUSE: _close,
    Trick.HANG: _hang,
    Trick.HTML: _html,
    Trick.LOADING: _loading,
    Trick.ERROR: _error,
    Trick.JUNK: _junk,
}
