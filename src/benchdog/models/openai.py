"""An endpoint that speaks OpenAI's chat completions, as every local server does, each a little differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from benchdog.contract.values import EndpointSettings
from benchdog.errors import Cancelled, ContextOverflow, EndpointError, EndpointMissing, EndpointStalled
from benchdog.models.address import Address, parse_address
from benchdog.models.assemble import Assembly
from benchdog.models.problems import BadOutput, Busy, Refusal, explain, not_json, parse_json
from benchdog.models.sse import EventReader
from benchdog.models.transport import Answer, Call, Patience, Transport, pause
from benchdog.models.values import Facts, Finish, OnDelta, Reply, Request
from benchdog.models.wire import encode_request
from benchdog.system.cancel import Cancel
from benchdog.system.clock import Clock
from benchdog.system.terminal import one_line

Wait = Callable[[float, Cancel], None]
BACKOFF = (0.25, 0.5, 1.0, 2.0, *(5.0,) * 60)  # seconds between tries while a model loads: five minutes in all
_AFTER_FINISH = 5.0  # seconds that a finished reply's last events (usage) may take
_MAX_ERROR = 1024 * 1024
_STREAM_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")


@dataclass(slots=True)
class _Watch:
    """What streams in while one request is answered."""

    assembly: Assembly
    started: float
    first: float | None = None


class OpenAIEndpoint:
    """One model on one server. `wait` is how it waits between tries; `on_failure` is told of every EndpointError."""

    def __init__(
        self,
        settings: EndpointSettings,
        key: str | None,
        clock: Clock,
        transport: Transport,
        *,
        facts: Facts | None = None,
        patience: Patience | None = None,
        wait: Wait = pause,
        on_failure: Callable[[EndpointError], None] | None = None,
    ) -> None:
        self._settings = settings
        self._address: Address = parse_address(settings.url)
        self._headers = request_headers(key)
        self._clock = clock
        self._transport = transport
        self._patience = patience or Patience()
        self._wait = wait
        self._on_failure = on_failure
        self._facts = facts or Facts(
            url=self._address.url, dialect="openai", model=settings.model or "", context=settings.context
        )

    @property
    def facts(self) -> Facts:
        hosts = dict.fromkeys((*self._facts.hosts, *self._transport.contacted))
        return replace(self._facts, hosts=tuple(hosts))

    def close(self) -> None:
        """Nothing is held between requests."""

    def ask(self, request: Request, *, cancel: Cancel, on_delta: OnDelta | None = None) -> Reply:
        """See the port. A server that loads or is busy is asked again for about five minutes."""
        body = encode_request(self._sampled(request), self._facts)
        made_up = sum(len(message.calls) for message in request.messages)
        try:
            for seconds in BACKOFF:
                try:
                    return self._once(body, made_up, cancel, on_delta)
                except Busy:
                    self._wait(seconds, cancel)
            return self._once(body, made_up, cancel, on_delta)
        except EndpointError as error:
            self._learn(error)
            if self._on_failure is not None:
                self._on_failure(error)
            raise

    def _sampled(self, request: Request) -> Request:
        """The request with the sampling that the person set for this endpoint."""
        sampling = request.sampling
        if self._settings.temperature is not None:
            sampling = replace(sampling, temperature=self._settings.temperature)
        if self._settings.top_p is not None:
            sampling = replace(sampling, top_p=self._settings.top_p)
        return replace(request, sampling=sampling)

    def _learn(self, error: EndpointError) -> None:
        if isinstance(error, ContextOverflow) and error.limit is not None:
            known = self._facts.context
            self._facts = replace(self._facts, context=error.limit if known is None else min(known, error.limit))

    def _once(self, body: bytes, made_up: int, cancel: Cancel, on_delta: OnDelta | None) -> Reply:
        watch = _Watch(Assembly(url=self._address.url, first=made_up), self._clock.monotonic())
        trouble = ""
        try:
            self._receive(body, watch, cancel, on_delta)
        except (Cancelled, ContextOverflow, EndpointMissing, Busy):
            raise
        except BadOutput as error:
            return self._reply(watch, body, str(error), error.raw)
        except EndpointError as error:
            if not watch.assembly.finished and (isinstance(error, EndpointStalled) or not watch.assembly.arrived):
                raise
            trouble = str(error)
        return self._reply(watch, body, trouble)

    def _receive(self, body: bytes, watch: _Watch, cancel: Cancel, on_delta: OnDelta | None) -> None:
        call = Call(
            method="POST",
            address=self._address.below("/chat/completions"),
            headers=self._headers,
            body=body,
            patience=self._patience,
        )
        with self._transport.exchange(call, cancel) as answer:
            if answer.status != 200:
                raise self._refused(answer)
            begun, chunks = _begin(answer)
            if begun.startswith(b"{"):
                self._whole(begun + b"".join(chunks), watch, on_delta)
            elif begun.startswith(_STREAM_STARTS):
                self._stream(answer, chain((begun,), chunks), watch, on_delta)
            else:
                raise not_json(self._address.url, begun)

    def _whole(self, body: bytes, watch: _Watch, on_delta: OnDelta | None) -> None:
        """A server that left the wish to stream unheard."""
        answer = parse_json(body)
        if not isinstance(answer, Mapping):
            raise not_json(self._address.url, body)
        for delta in watch.assembly.whole(answer):
            watch.first = watch.first or self._clock.monotonic()
            if on_delta is not None:
                on_delta(delta)

    def _stream(self, answer: Answer, chunks: Iterator[bytes], watch: _Watch, on_delta: OnDelta | None) -> None:
        reader, assembly = EventReader(), watch.assembly
        for events in chain((reader.feed(chunk) for chunk in chunks), (reader.finish() for _ in range(1))):
            for data in events:
                for delta in assembly.event(data):
                    watch.first = watch.first or self._clock.monotonic()
                    if on_delta is not None:
                        on_delta(delta)
            if assembly.done:
                return
            if assembly.finished:
                answer.hurry(_AFTER_FINISH)

    def _refused(self, answer: Answer) -> EndpointError:
        return explain(
            Refusal(
                url=self._address.url,
                status=answer.status,
                body=answer.read(_MAX_ERROR),
                model=self._facts.model,
                key_env=self._settings.key_env,
            )
        )

    def _reply(self, watch: _Watch, body: bytes, trouble: str, raw: str = "") -> Reply:
        assembly, now = watch.assembly, self._clock.monotonic()
        return Reply(
            text=assembly.text or raw,
            reasoning=assembly.reasoning,
            calls=assembly.calls,
            finish=assembly.finish if assembly.finished else Finish.BROKEN,
            usage=assembly.usage,
            body=body,
            first_token_seconds=(watch.first or now) - watch.started,
            seconds=now - watch.started,
            trouble=one_line(trouble, 400),
        )


def request_headers(key: str | None) -> dict[str, str]:
    """The headers of every request to a model server."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _begin(answer: Answer) -> tuple[bytes, Iterator[bytes]]:
    """Enough of the body to tell what it is (without white space before it), and the rest."""
    chunks = answer.chunks()
    begun = b""
    for chunk in chunks:
        begun = (begun + chunk).lstrip(b" \t\r\n\xef\xbb\xbf")
        if len(begun) >= 8 or begun.startswith((b"{", b":")):
            break
    return begun, chunks
