"""A person's question about the tree as it is. No run, no log: nothing comes of it but an answer, shown as a claim."""

from __future__ import annotations

from dataclasses import dataclass

from benchdog.errors import UserError
from benchdog.runner.bench import Bench
from benchdog.runner.implement import ASSUMED_CONTEXT
from benchdog.worker.question import Citation, ask, citations


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says, and which of the places that it cites are there."""

    text: str
    citations: tuple[Citation, ...]
    model: str


def ask_question(bench: Bench, question: str) -> Answer:
    """Asks the model. Raises UserError (no question, no answer came), EndpointError, Cancelled."""
    if not question.strip():
        raise UserError("ask something: ? where is the configuration read")
    endpoint = bench.endpoint()
    try:
        with bench.repository.checkout(bench.repository.snapshot().tree) as checkout:
            asking = ask(question.strip(), checkout, endpoint.facts.context or ASSUMED_CONTEXT)
            request = next(asking)
            while True:
                reply = endpoint.ask(request, cancel=bench.cancel, on_delta=bench.watcher.delta)
                try:
                    request = asking.send(reply)
                except StopIteration as stop:
                    text: str = stop.value
                    break
            if not text:
                raise UserError("the model gave no answer", hint="ask again, or ask about one file")
            return Answer(text=text, citations=citations(text, checkout), model=endpoint.facts.model)
    finally:
        endpoint.close()
