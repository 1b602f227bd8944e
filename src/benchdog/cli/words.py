"""Each event of a run in words. Pure.

What came from a model, a file or a command passes through `one_line` here: no terminal sequence gets further.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchdog.checks import CheckResult, CheckStatus
from benchdog.cli.view import Line, Span, Tone, View, duration, plural_s
from benchdog.events import kinds
from benchdog.events.kinds import Stage
from benchdog.events.state import RunState
from benchdog.system.places import run_place
from benchdog.system.terminal import one_line
from benchdog.verdict import Finding, Severity, Verdict

_REASON_LINES = 12  # of a verdict
_MESSAGE_LINES = 3  # of a finding; all of it is in the report
_MARKS = {CheckStatus.GREEN: "✓", CheckStatus.RED: "✗", CheckStatus.TIMED_OUT: "✗", CheckStatus.BROKEN: "!"}
_FAULTS = {
    "empty": "empty reply",
    "prose": "prose instead of a call",
    "malformed": "malformed call",
    "unknown-tool": "unknown tool",
    "cut": "reply cut by its length limit",
    "repeated": "the same call again",
}


def _more(*spans: Span) -> tuple[Line, ...]:
    return (Line("", spans),)


def _said(label: str, text: str, tone: Tone = Tone.PLAIN) -> tuple[Line, ...]:
    return (Line(label, (Span(one_line(text, 400), tone),)),)


def _started(event: kinds.RunStarted, view: View) -> tuple[Line, ...]:
    lines: tuple[Line, ...] = (
        Line("run", (Span(event.run, Tone.STRONG), Span(" · " + one_line(event.goal, 160), Tone.DIM))),
    )
    if event.unsafe:
        text = "--unsafe-no-sandbox: checks run with your rights, your files and your network"
        lines += (Line("UNSAFE", (Span(text, Tone.BAD),), Tone.BAD),)
    return lines


def _linted(event: kinds.GoalLinted, view: View) -> tuple[Line, ...]:
    return tuple(line for hint in event.hints for line in _said("hint", hint, Tone.WARN))


def _base(event: kinds.BaseTaken, view: View) -> tuple[Line, ...]:
    where = event.head[:7] if event.head else f"{event.files} file{plural_s(event.files)}"
    count = len(event.uncommitted)
    if event.head and count:
        where += f" + {count} uncommitted file{plural_s(count)}"
    return _said("base", where)


def _sandbox(event: kinds.SandboxReady, view: View) -> tuple[Line, ...]:
    if event.unsafe:
        return (Line("sandbox", (Span("none: nothing is kept from the checks", Tone.BAD),), Tone.BAD),)
    network = [layer for layer in event.layers if "network" in layer][-1:]  # what people ask first
    others = len(event.layers) - len(network)
    more = [f"{others} more layer{plural_s(others)}"] if others else []
    lines = _said("sandbox", " · ".join(one_line(part, 80) for part in (event.backend, *network, *more)))
    if event.widened:
        lines += _more(Span("widened by settings: " + one_line(", ".join(event.widened)), Tone.WARN))
    return lines


def _endpoint(event: kinds.EndpointPinned, view: View) -> tuple[Line, ...]:
    server = one_line(event.server or event.dialect, 60)
    host = one_line(event.url.split("://", 1)[-1].split("/", 1)[0], 80)
    context = f"{event.context:,} tokens in effect" if event.context else "context length unknown"
    return _said("model", f"{one_line(event.model, 100)} · {server} at {host} · {context}")


def _check(event: kinds.CheckFinished, view: View) -> tuple[Line, ...]:
    if event.stage not in (Stage.BASE, Stage.LANDING):
        return ()
    line = check_line(event.result, base=event.stage is Stage.BASE)
    kept = (Span(" · known from an earlier run", Tone.DIM),) if event.cached else ()
    return (replace(line, spans=line.spans + kept),)


def check_line(result: CheckResult, *, base: bool = True) -> Line:
    """A check on a line of its own: on the base, or on a merge with what changed meanwhile."""
    return Line("base" if base else "merged", check_spans(result, calm=base))


def check_spans(result: CheckResult, *, calm: bool = False) -> tuple[Span, ...]:
    """`tests ✗ 1 failed, 41 passed (0.8 s)`. Before any work red is news, not trouble: `calm` says so in its colour."""
    green = result.status is CheckStatus.GREEN
    tone = Tone.GOOD if green else (Tone.WARN if calm else Tone.BAD)
    count = f" {_counted(result)}" if _counted(result) else ""
    return (
        Span(f"{one_line(result.name, 60)} "),
        Span(_MARKS[result.status], tone),
        Span(f"{count} ({duration(result.seconds)})"),
    )


def _counted(result: CheckResult) -> str:
    if result.status is CheckStatus.TIMED_OUT:
        return "took too long"
    if result.status is CheckStatus.BROKEN:
        return "cannot run here"
    tests = result.tests
    if tests is None:
        return "" if result.status is CheckStatus.GREEN else f"exit status {result.exit_status}"
    counts = ((tests.failed, "failed"), (tests.passed, "passed"), (tests.skipped, "skipped"))
    return ", ".join(f"{number} {word}" for number, word in counts if number) or "no tests"


def _round(event: kinds.RoundStarted, view: View) -> tuple[Line, ...]:
    lines = _said(f"round {event.round}", "implement")
    told = view.state.findings  # they stand right above
    new = [finding for finding in event.findings if finding not in told]
    answers = [Span("to answer: " + finding_text(finding), Tone.DIM) for finding in new]
    if len(new) < len(event.findings):
        answers.append(Span("to answer: what is marked ✗ above", Tone.DIM))
    return lines + tuple(_more(span)[0] for span in answers)


def _reply(event: kinds.ReplyReceived, view: View) -> tuple[Line, ...]:
    lines: tuple[Line, ...] = ()
    if view.first_reply and event.prompt_tokens is not None:
        cached = f" ({event.cached_tokens:,} from cache)" if event.cached_tokens else ""
        text = f"{event.prompt_tokens:,} tokens in{cached}, first token after {duration(event.first_token_seconds)}"
        lines = _more(Span(text, Tone.DIM))
    if event.recovered is not None:
        lines += _more(Span("⟲ ", Tone.WARN), Span(f"call leaked as text, recovered ({one_line(event.recovered, 40)})"))
    return lines


def _invalid(event: kinds.ReplyInvalid, view: View) -> tuple[Line, ...]:
    if view.invalid == (event.fault, event.detail):
        return _more(Span("⟲ ", Tone.WARN), Span("and again", Tone.DIM))
    fault = _FAULTS.get(event.fault, one_line(event.fault, 40))
    detail = f": {one_line(event.detail, 160)}" if event.detail else ""
    return _more(Span("⟲ ", Tone.WARN), Span(f"reply not kept: {fault}{detail}"))


def _tool(event: kinds.ToolUsed, view: View) -> tuple[Line, ...]:
    return _more(Span(f"· {one_line(event.tool, 20)} {one_line(event.detail, 120)}".rstrip(), Tone.DIM))


def _edit(event: kinds.EditApplied, view: View) -> tuple[Line, ...]:
    how = f"  ({one_line(event.how, 40)})" if event.how != "exact" else ""
    return _more(
        Span("✎ ", Tone.GOOD),
        Span(f"{one_line(event.path)}:{event.line}  +{event.added} -{event.removed}"),
        Span(how, Tone.DIM),
    )


def _refused(event: kinds.EditRefused, view: View) -> tuple[Line, ...]:
    path, reason = one_line(event.path), one_line(event.reason)
    reason = reason.removeprefix(f"{path!r} may not change: ")  # what was refused has been said
    return _more(Span("✗ ", Tone.BAD), Span(f"edit of {path} refused: {reason}"))


def _claim(event: kinds.ClaimMade, view: View) -> tuple[Line, ...]:
    return _more(Span(f"says: “{one_line(event.text, 160)}” (a claim; it counts for nothing)", Tone.DIM))


def _intervened(event: kinds.Intervened, view: View) -> tuple[Line, ...]:
    return _more(Span("! ", Tone.WARN), Span(f"watchdog: {one_line(event.action, 20)}: {one_line(event.reason)}"))


def _asked(event: kinds.Asked, view: View) -> tuple[Line, ...]:
    wants = f" (wants to change {one_line(event.path)})" if event.path else ""
    return _said("asks", one_line(event.question, 400) + wants, Tone.WARN)


_WELL_KNOWN = frozenset({"scope", "size", "deliverables"})


def verification(state: RunState) -> tuple[Line, ...]:
    """The gates and checks that ran on the candidate, then what blocks it, one line each.

    Of the gates that hold only the best known are named: a person looks for what does not.
    """
    spans = [Span("verify   ", Tone.DIM)]
    blocked = {finding.gate for finding in state.findings if finding.severity is Severity.BLOCK}
    names = {result.name for result in state.checks}
    gates = [gate for gate in state.gates if gate not in names and gate != "checks"]
    named = [gate for gate in gates if gate in blocked or gate in _WELL_KNOWN]
    for gate in named:
        mark = Span("✗", Tone.BAD) if gate in blocked else Span("✓", Tone.GOOD)
        spans += [Span(f"  {one_line(gate, 40)} "), mark]
    if len(gates) > len(named):
        spans += [Span(f"  {len(gates) - len(named)} more gates "), Span("✓", Tone.GOOD)]
    for result in state.checks:
        spans += [Span("  "), *check_spans(result)]
    lines = [Line("", tuple(spans))]
    for finding in state.findings:
        mark = Span("✗ ", Tone.BAD) if finding.severity is Severity.BLOCK else Span("! ", Tone.WARN)
        lines.append(Line("", (mark, Span(finding_text(finding)))))
    return tuple(lines)


def finding_text(finding: Finding) -> str:
    """`src/a.py:3: scope: what is wrong`, safe to show."""
    place = f"{one_line(finding.path)}:" if finding.path else ""
    if finding.path and finding.line:
        place += f"{finding.line}:"
    first = " ".join(line.strip() for line in finding.message.strip().split("\n")[:_MESSAGE_LINES])
    return f"{place} {one_line(finding.gate, 40)}: {one_line(first, 240)}".strip()


_VERDICT_TONES = {Verdict.PASSED: Tone.GOOD, Verdict.HELD: Tone.WARN, Verdict.NEEDS_INPUT: Tone.WARN}


def _verdict(event: kinds.VerdictReached, view: View) -> tuple[Line, ...]:
    tone = _VERDICT_TONES.get(event.verdict, Tone.BAD)
    label = event.verdict.value.upper().replace("_", " ")
    lines = [Line(label, (Span(_summary(view)),), tone)]
    if event.verdict is not Verdict.PASSED:
        for part in event.reason.strip().split("\n")[:_REASON_LINES]:
            lines.append(Line("", (Span(one_line(part, 400)),)))
    if event.failure_class is not None:
        lines.append(Line("", (Span(f"class of failure: {event.failure_class.value}", Tone.DIM),)))
    return tuple(lines) + _next(event, view)


def _next(event: kinds.VerdictReached, view: View) -> tuple[Line, ...]:
    good = event.verdict in (Verdict.PASSED, Verdict.HELD)
    if good and view.state.changes:
        steps = "look: benchdog diff @     land: benchdog apply @"
    else:
        steps = f"next: {one_line(event.next_step)}" if event.next_step else ""
    lines = [Line("", (Span(steps),))] if steps else []
    if view.place is not None and view.state.started is not None:
        report = run_place(view.place, view.state.started.run) / "report.md"
        lines.append(Line("", (Span(f"report: {one_line(str(report), 400)}", Tone.DIM),)))
    return tuple(lines)


def _summary(view: View) -> str:
    state, tally = view.state, view.state.tally
    added = sum(change.added for change in state.changes)
    removed = sum(change.removed for change in state.changes)
    count = len(state.changes)
    parts = [f"{count} file{plural_s(count)}, +{added} -{removed}" if count else "no change"]
    if tally.requests:
        parts.append(f"{tally.requests} request{plural_s(tally.requests)}")
    if tally.prompt:
        cached = f", {tally.cached:,} more from cache" if tally.cached else ""
        parts.append(f"{tally.prompt - tally.cached:,} tokens prefilled{cached}")
    parts.append(duration(view.seconds))
    return " · ".join(parts)


def _landed(event: kinds.Landed, view: View) -> tuple[Line, ...]:
    branch = (event.ref or "").removeprefix("refs/heads/")
    where = {"files": "in your working tree", "commit": "committed", "branch": f"on branch {branch}"}
    commit = f" as {event.commit[:7]}" if event.commit else ""
    count = len(event.paths)
    text = f"{count} file{plural_s(count)} {one_line(where.get(event.how, event.how))}{commit}"
    notes = tuple(line for note in event.notes for line in _said("note", note, Tone.WARN))
    way_back = _more(Span("way back: benchdog rollback @"))
    return (Line("APPLIED", (Span(text),), Tone.GOOD), *notes, *way_back)


def _rolled_back(event: kinds.RolledBack, view: View) -> tuple[Line, ...]:
    landing = view.state.landing
    if landing is not None and landing.how == "branch":
        branch = one_line((landing.ref or "").removeprefix("refs/heads/"), 120)
        return (Line("UNDONE", (Span(f"branch {branch} is gone"),), Tone.GOOD),)
    count = len(event.paths)
    return (Line("UNDONE", (Span(f"{count} file{plural_s(count)} as before"),), Tone.GOOD),)


def _aborted(event: kinds.LandingAborted, view: View) -> tuple[Line, ...]:
    return (Line("NOT DONE", (Span("your tree is as it was before"),), Tone.WARN),)  # why is said by what stopped it


def _discarded(event: kinds.Discarded, view: View) -> tuple[Line, ...]:
    return _said("discard", "marked as not wanted; the evidence stays")


WORDS: dict[type[Any], Callable[[Any, View], tuple[Line, ...]]] = {
    kinds.RunStarted: _started,
    kinds.GoalLinted: _linted,
    kinds.BaseTaken: _base,
    kinds.SandboxReady: _sandbox,
    kinds.EndpointPinned: _endpoint,
    kinds.CheckFinished: _check,
    kinds.RoundStarted: _round,
    kinds.ReplyReceived: _reply,
    kinds.ReplyInvalid: _invalid,
    kinds.ToolUsed: _tool,
    kinds.EditApplied: _edit,
    kinds.EditRefused: _refused,
    kinds.ClaimMade: _claim,
    kinds.Intervened: _intervened,
    kinds.Asked: _asked,
    kinds.Answered: lambda event, view: _said("answer", event.text),
    kinds.Refined: lambda event, view: _said("refine", event.text),
    kinds.Resumed: lambda event, view: _said("resume", "goes on where it stopped"),
    kinds.VerdictReached: _verdict,
    kinds.Accepted: lambda event, view: _said("accepted", "you read this diff and accept it"),
    kinds.Landed: _landed,
    kinds.LandingAborted: _aborted,
    kinds.RolledBack: _rolled_back,
    kinds.Discarded: _discarded,
}
