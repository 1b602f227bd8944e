"""A run's events in words: the one pure reading that feeds the live view and the plain lines alike."""

from __future__ import annotations

from dataclasses import replace

from benchdog.cli.view import Line, View
from benchdog.cli.words import WORDS, verification
from benchdog.events import kinds
from benchdog.events.kinds import Stage
from benchdog.events.state import step
from benchdog.ledger.log import Recorded


def advance(view: View, recorded: Recorded) -> View:
    """The view after one more event."""
    event = recorded.event
    verifying = _is_verification(event) or (view.verifying and isinstance(event, _QUIET))
    first = isinstance(event, kinds.RoundStarted) or (view.first_reply and not isinstance(event, kinds.ReplyReceived))
    invalid = None if isinstance(event, kinds.RoundStarted | kinds.EditApplied) else view.invalid
    if isinstance(event, kinds.ReplyInvalid):
        invalid = (event.fault, event.detail)
    return replace(
        view,
        state=step(view.state, event),
        verifying=verifying,
        first_reply=first,
        invalid=invalid,
        began=view.began or recorded.at,
        now=recorded.at,
    )


# What may come between two gates of one verification; a baseline's late result too.
_QUIET = (kinds.CheckStarted, kinds.CheckFinished)


def _is_verification(event: kinds.Event) -> bool:
    match event:
        case kinds.GateFinished():
            return True
        case kinds.CheckFinished(stage=stage):
            return stage in (Stage.REPLY, Stage.ROUND, Stage.FINAL)
    return False


def describe(recorded: Recorded, view: View) -> tuple[Line, ...]:
    """The lines that this event adds; `view` is what was known before it."""
    event = recorded.event
    lines: tuple[Line, ...] = ()
    if view.verifying and not _is_verification(event) and not isinstance(event, _QUIET):
        lines = verification(view.state)
    told = WORDS.get(type(event))
    return lines + (told(event, replace(view, now=recorded.at, began=view.began or recorded.at)) if told else ())
