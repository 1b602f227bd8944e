"""A report as Markdown for people. Nothing in it that came from outside can steer a terminal or pose as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from benchdog.checks import CheckStatus
from benchdog.ledger.account import Counts, Report, ReportedCheck
from benchdog.system.terminal import one_line, plain
from benchdog.trees import Change
from benchdog.verdict import Finding

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&$:@-])")
_KEPT = ":@-+()"  # harmless inside a line; escaped they would only be hard to read
_MAX_FINDINGS = 100
_MAX_CHANGES = 500


def render(report: Report) -> str:
    """The whole report. An unsafe run says so before anything else."""
    parts = [
        _title(report),
        _summary(report),
        _findings(report.findings),
        _checks(report.checks),
        _changes(report),
        _claims(report.claims),
        _surroundings(report),
        _record(report),
    ]
    return "\n".join("\n".join(part) + "\n" for part in (list(part) for part in parts) if part)


def _title(report: Report) -> Iterator[str]:
    verdict = report.verdict.value.upper() if report.verdict else "NOT FINISHED"
    yield f"# {verdict}: {_inline(report.goal)}"
    if report.unsafe:
        yield ""
        yield "> **UNSAFE: this run had no sandbox.** Its checks could do whatever the person who ran it can."
    if report.reason:
        yield ""
        yield _inline(report.reason, 2000)
    if report.question:
        yield ""
        yield f"**The worker asks** (its words): {_inline(report.question, 2000)}"
    if report.next_step:
        yield ""
        yield f"Next: {_code(report.next_step)}"


def _summary(report: Report) -> Iterator[str]:
    added = sum(change.added for change in report.changes)
    removed = sum(change.removed for change in report.changes)
    files = len(report.changes)
    yield "## In short"
    yield ""
    yield f"- run {_code(report.run)} in {_code(report.root)}"
    yield f"- proof: {report.proof.value}" + (f" · class: {report.failure_class.value}" if report.failure_class else "")
    size = f"{_count(files, 'file')}, +{added} -{removed}"
    yield f"- {size} · rounds: {report.rounds} · requests: {report.requests}"
    tokens = report.tokens
    yield f"- tokens: {tokens.prompt:,} prompt ({tokens.cached:,} cached), {tokens.completion:,} completion" + (
        f" · {tokens.unreported} of the replies told no counts" if tokens.unreported else ""
    )
    replies = report.replies
    yield (
        f"- replies: {replies.received} received, {replies.invalid} invalid, {replies.recovered} recovered · "
        f"edits: {replies.edits} made, {replies.refused} refused"
    )
    if report.landing:
        landing = report.landing
        where = f" as {_code(landing.commit)}" if landing.commit else ""
        yield f"- landing: {_inline(landing.state)} ({_inline(landing.how)}){where}"
    if report.accepted:
        yield f"- a person read the diff {_digest(report.accepted.diff)} and accepted it"
    if report.discarded:
        yield "- a person discarded this candidate"


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    if not findings:
        return
    yield "## Findings"
    yield ""
    for finding in findings[:_MAX_FINDINGS]:
        place = f" {_code(finding.path)}" if finding.path is not None else ""
        line = f":{finding.line}" if finding.line is not None else ""
        evidence = f" · evidence {_digest(finding.evidence)}" if finding.evidence else ""
        yield f"- **{finding.severity.value}** · {_inline(finding.gate)}{place}{line}: " + (
            f"{_inline(finding.message, 2000)}{evidence}"
        )
    if len(findings) > _MAX_FINDINGS:
        yield f"- … and {len(findings) - _MAX_FINDINGS} more in report.json"


def _checks(checks: tuple[ReportedCheck, ...]) -> Iterator[str]:
    if not checks:
        return
    yield "## Checks"
    yield ""
    yield "| check | command | base | candidate | evidence |"
    yield "| --- | --- | --- | --- | --- |"
    for check in checks:
        base = _outcome(check.baseline.status.value, check.baseline.counts) if check.baseline else "not run"
        now = _outcome(check.status.value, check.counts) if check.status else "not run"
        evidence = check.evidence or (check.baseline.output if check.baseline else "")
        shown = _digest(evidence) if evidence else "no output"
        yield f"| {_inline(check.name)} | {_cell(check.run)} | {base} | {now} ({check.seconds:.1f} s) | {shown} |"
    for check in checks:
        where, distilled = _told(check)
        if distilled:
            yield ""
            yield f"{_inline(check.name)}{where}:"
            yield ""
            yield _fence(distilled)
        fix = check.fix or (check.baseline.fix if check.baseline else None)
        if fix:
            yield ""
            yield f"To mend {_inline(check.name)}: {_inline(fix, 1000)}"


def _told(check: ReportedCheck) -> tuple[str, str]:
    """What a check said: on the candidate, or on the base where it came no further and was not green."""
    if check.status is None and check.baseline and check.baseline.status is not CheckStatus.GREEN:
        return " on the base", check.baseline.distilled
    return "", check.distilled


def _outcome(status: str, counts: Counts | None) -> str:
    if counts is None:
        return status
    left_out = f", {counts.skipped} skipped" if counts.skipped else ""
    cut = "" if counts.complete else ", ended before its closing report"
    return f"{status}: {counts.failed} failed, {counts.passed} passed{left_out}{cut}"


def _changes(report: Report) -> Iterator[str]:
    if not report.changes:
        return
    yield "## Changes"
    yield ""
    for change in report.changes[:_MAX_CHANGES]:
        yield f"- {_how(change)} {_code(change.path)}" + (
            " (binary)" if change.binary else f" +{change.added} -{change.removed}"
        )
    if len(report.changes) > _MAX_CHANGES:
        yield f"- … and {len(report.changes) - _MAX_CHANGES} more in report.json"
    yield ""
    yield f"The diff: {_digest(report.diff)} · candidate tree {_code(report.candidate or '')}"


def _how(change: Change) -> str:
    if change.before is None:
        return "added"
    if change.after is None:
        return "removed"
    if change.before.blob == change.after.blob:
        return f"mode {change.before.mode.value} to {change.after.mode.value}"
    return "changed"


def _claims(claims: tuple[str, ...]) -> Iterator[str]:
    if not claims:
        return
    yield "## Claims"
    yield ""
    yield "What the worker says of its work. Nothing above rests on it."
    for claim in claims[-5:]:
        yield ""
        yield _fence(claim[:4000])


def _surroundings(report: Report) -> Iterator[str]:
    yield "## Around it"
    yield ""
    if report.base:
        head = f" on commit {_code(report.base.head)}" if report.base.head else ""
        more = f" and {_count(len(report.base.uncommitted), 'uncommitted path')}" if report.base.uncommitted else ""
        yield f"- base: tree {_code(report.base.tree)}, {_count(report.base.files, 'file')}{head}{more}"
    if report.endpoint:
        context = f", {report.endpoint.context:,} tokens in effect" if report.endpoint.context else ""
        server = f" ({_inline(report.endpoint.server)})" if report.endpoint.server else ""
        yield f"- model: {_code(report.endpoint.model)} at {_code(report.endpoint.url)}{server}{context}"
    if report.hosts:
        yield f"- addresses contacted: {', '.join(_code(host) for host in report.hosts)}"
    if report.sandbox:
        sandbox = report.sandbox
        yield f"- sandbox: {_inline(sandbox.backend)}: {_listed(sandbox.layers) or 'nothing is enforced'}"
        for name, values in (("lent", sandbox.lent), ("widened by settings", sandbox.widened)):
            if values:
                yield f"- {name}: {_listed(values)}"
    for hint in report.hints:
        yield f"- about the goal: {_inline(hint, 500)}"


def _record(report: Report) -> Iterator[str]:
    yield "## Record"
    yield ""
    yield f"- started {_inline(report.started)}" + (f", ended {_inline(report.ended)}" if report.ended else "")
    yield f"- contract {_digest(report.contract)}"
    yield f"- log: {_count(report.events, 'event')}, head {_code(report.head)}"
    yield f"- evidence: {_code(report.evidence)} · recompute all of it: {_code(f'benchdog verify {report.run}')}"
    yield f"- one artefact of it: {_code(f'benchdog show {report.run} --evidence DIGEST')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(_inline(value) for value in values)


def _inline(text: str, width: int = 300) -> str:
    """Text of any origin on one line, with what Markdown or HTML would take as its own escaped."""
    escaped = _SPECIAL.sub(lambda match: match[1] if match[1] in _KEPT else f"\\{match[1]}", one_line(text, width))
    return escaped.replace("://", ":\u200b//")  # no link that a viewer would make on its own


def _code(text: str) -> str:
    """Text of any origin as a code span, whatever backticks it holds."""
    line = one_line(text, 300) or " "
    ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def _cell(text: str) -> str:
    """A code span inside a table, where a bar would end the cell."""
    return _code(text).replace("|", "\\|")


def _fence(text: str) -> str:
    """Text of any origin as a code block."""
    body = plain(text).strip("\n")
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", body)), default=0))
    return f"{ticks}text\n{body}\n{ticks}"


def _digest(digest: str) -> str:
    return _code(f"{digest[:2]}/{digest}") if digest else "(none)"
