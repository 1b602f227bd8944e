"""What a worker remembers during one round: the window so far, what it used up, and what was seen."""

from __future__ import annotations

from dataclasses import replace

from benchdog.events import EditRefused
from benchdog.models.budget import estimate_request, room
from benchdog.models.values import Message, Reply, Request, Role, Sampling, ToolCall
from benchdog.verdict import FailureClass
from benchdog.worker.calls import Reading
from benchdog.worker.desk import Answered, Desk
from benchdog.worker.prompt import Files, TooLarge, first_messages, reply_reserve, the_one_thing
from benchdog.worker.steps import Assignment, Stalled, Verification
from benchdog.worker.tools import EXPLORING, TOOLS
from benchdog.worker.watchdog import Watch


class Shift:
    """The one mutable thing of the loop. `asked` counts requests of this round, from 1; `turns` replies that were
    kept; `strikes` prompts in a row that brought no reply that can be used. `holds`: something was changed, and
    nothing fails on the tree as it is. `repeated`: replies in a row that only repeat; `stalled`: why that ended it.
    """

    def __init__(self, assignment: Assignment, desk: Desk) -> None:
        self.assignment = assignment
        self.desk = desk
        self.watch = Watch(assignment.turns)
        self.messages: tuple[Message, ...] = ()
        self.reading = Reading()
        self.last_fault: Reading | None = None
        self.asked = self.turns = self.strikes = 0
        self.seconds = 0.0
        self.looked = self.holds = False
        self.scope_refused = False
        self.advised = ""
        self.repeated = 0
        self.stalled: Stalled | None = None

    # --- the window

    def open_window(self, note: str = "") -> TooLarge | None:
        """Begins a fresh window from the goal, the files as they are and the last failure."""
        files = Files(self.desk.allowed_files(), self.desk.read_allowed)
        messages = first_messages(self.assignment, files, note)
        if isinstance(messages, TooLarge):
            return messages
        self.messages = messages
        self.watch = self.watch.forgotten()
        return None

    def request(self, sampling: Sampling, corrected: str = "") -> Request:
        """The next request of this window; a correction joins its last message."""
        request = Request(messages=self._with(corrected), tools=TOOLS, sampling=sampling)
        longest = room(self.assignment.context, estimate_request(request))
        return replace(request, max_tokens=max(128, longest))

    def has_room(self) -> bool:
        """Whether a reply of a useful length still fits."""
        request = Request(messages=self.messages, tools=TOOLS)
        return room(self.assignment.context, estimate_request(request)) >= reply_reserve(self.assignment.context) // 2

    def keep(self, reply: Reply, reading: Reading, corrected: str) -> None:
        """Appends a reply that can be used. Leaked calls get ids of their own, and become proper calls."""
        self.turns += 1
        self.strikes = self.repeated = 0
        self.last_fault = None
        if reading.recovered is not None:
            made = (replace(call, id=f"c{self.asked:04d}{number:04d}") for number, call in enumerate(reading.calls))
            reading = replace(reading, calls=tuple(made))
        self.reading = reading
        message = Message(
            role=Role.ASSISTANT,
            content=reply.text if reading.recovered is None else "",
            calls=reading.calls,
            reasoning=(reply.reasoning or None) if reading.recovered is None else None,
        )
        self.messages = (*self._with(corrected), message)

    def answer(self, calls: tuple[ToolCall, ...], texts: tuple[str, ...], found: str) -> None:
        """Appends what the calls came to; findings and the goal close the last message."""
        closing = [text for text in (found, the_one_thing(self.assignment.contract.goal)) if text]
        contents = [*texts[:-1], "\n\n".join([texts[-1], *closing])]
        self.messages += tuple(
            Message(role=Role.TOOL, content=content, call_id=call.id)
            for call, content in zip(calls, contents, strict=True)
        )

    def _with(self, corrected: str) -> tuple[Message, ...]:
        if not corrected:
            return self.messages
        last = self.messages[-1]
        goal = the_one_thing(self.assignment.contract.goal)
        return (*self.messages[:-1], replace(last, content=f"{last.content}\n\n{corrected}\n{goal}"))

    # --- what is known

    def count(self, reply: Reply) -> None:
        self.asked += 1
        self.seconds += reply.seconds

    def note(self, calls: tuple[ToolCall, ...], answered: Answered) -> None:
        """Remembers what a reply did, for the watchdog and for a fresh window."""
        self.looked = self.looked or answered.refused or any(call.name in EXPLORING for call in calls)
        rules = [event.rule for event in answered.events if isinstance(event, EditRefused)]
        self.scope_refused = bool(rules) and all(rule in ("scope", "class") for rule in rules)
        if answered.changed:
            self.watch = self.watch.changed()
            changed = dict.fromkeys((*self.assignment.changed, *answered.changed))
            self.assignment = replace(self.assignment, changed=tuple(changed), diff="")
            return
        self.watch = self.watch.called(calls)
        if not answered.refused:
            self.watch = self.watch.replied()

    def found(self, verification: Verification) -> None:
        self.holds = not verification.findings and not verification.checks
        self.assignment = replace(self.assignment, findings=verification.findings, failing=verification.checks)

    def may_change(self, path: str) -> bool:
        return self.desk.may_change(path)

    def lost_class(self) -> FailureClass:
        """The class of a round that the watchdog stops."""
        return FailureClass.SCOPE if self.scope_refused else FailureClass.LOST_THREAD

    # --- limits

    def out_of_time(self) -> bool:
        return self.seconds >= self.assignment.wall

    def limit(self) -> Stalled | None:
        """The limit that is used up; None: go on."""
        if self.turns >= self.assignment.turns:
            reason = f"the limit of {self.assignment.turns} turns a round is used up (limits.turns)"
            return Stalled(reason=reason, failure_class=FailureClass.LOST_THREAD)
        if self.out_of_time():
            reason = f"the model's time is used up: {self.seconds:.0f} s (limits.wall)"
            return Stalled(reason=reason, failure_class=FailureClass.LOST_THREAD)
        return None

    def why_unusable(self) -> str:
        detail = self.last_fault.detail if self.last_fault else ""
        return f"the model brought no reply that can be used in {self.asked} requests; the last one: {detail}"
