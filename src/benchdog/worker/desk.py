"""Carries out a reply's calls on the workspace: reads, searches and edits, in order; edits are atomic per file.

Everything that a call answers is capped when it is made, by a share of the window, with how to see the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol

from benchdog.contract import Contract
from benchdog.contract.scope import readable
from benchdog.errors import UserError
from benchdog.events import EditApplied, EditRefused, Event, ToolUsed
from benchdog.models.values import ToolCall
from benchdog.worker.edit import Edited, RefusedEdit, apply_edit
from benchdog.worker.edit.whole import write_whole
from benchdog.worker.seeking import MAX_HITS, search
from benchdog.worker.steps import Workspace
from benchdog.worker.text import CHARS_PER_TOKEN, block, clipped, file_lines, fitting, show_lines


class Refused(Protocol):
    """Why a path may not change: `rule` is scope or class."""

    @property
    def rule(self) -> str: ...

    @property
    def reason(self) -> str: ...


MayEdit = Callable[[str], Refused | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What calls came to. `texts` answer them one by one; `changed` are the paths that were written."""

    texts: tuple[str, ...]
    events: tuple[Event, ...]
    changed: tuple[str, ...]
    refused: bool


@dataclass(slots=True)
class _Sheet:
    """One file while a reply's calls are carried out: what it will be, and the edits that made it so."""

    data: bytes | None
    edits: list[tuple[int, EditApplied]] = field(default_factory=list)
    refused: bool = False


class Desk:
    """The workspace as the tools see it. `context` is the window in tokens."""

    def __init__(self, contract: Contract, workspace: Workspace, may_edit: MayEdit, context: int) -> None:
        self._contract = contract
        self._workspace = workspace
        self._may_edit = may_edit
        self._limit = max(600, context * CHARS_PER_TOKEN // 6)
        self._sheets: dict[str, _Sheet] = {}

    def allowed_files(self) -> tuple[str, ...]:
        """The existing files that may change, sorted."""
        patterns = self._contract.scope.allow
        near = (path for path in self._workspace.paths() if any(_may_match(path, each) for each in patterns))
        return tuple(path for path in near if self._may_edit(path) is None)

    def may_change(self, path: str) -> bool:
        """Whether the scope lets a path change."""
        return self._may_edit(path) is None

    def read_allowed(self, path: str) -> bytes | None:
        """A file that may change or be seen; None for any other."""
        return self._workspace.read(path) if readable(path, self._contract.scope) else None

    def carry_out(self, calls: Iterable[ToolCall]) -> Answered:
        """Does what the calls ask; those that end or interrupt a round are not for the desk and answer nothing."""
        self._sheets = {}
        texts: list[str] = []
        events: list[Event] = []
        for number, call in enumerate(calls):
            text, event = self._one(number, call)
            texts.append(text)
            events += [event] if event else []
        changed = self._commit(texts, events)
        refused = any(isinstance(event, EditRefused) for event in events)
        return Answered(texts=tuple(texts), events=tuple(events), changed=changed, refused=refused)

    def _one(self, number: int, call: ToolCall) -> tuple[str, Event | None]:
        match call.name:
            case "read":
                return self._read(call.arguments)
            case "search":
                return self._search(call.arguments)
            case "edit" | "write":
                return self._edit(number, call)
            case _:
                return "", None

    # --- looking

    def _read(self, arguments: Mapping[str, Any]) -> tuple[str, Event]:
        path = self.plain_path(arguments["path"])
        used = ToolUsed(tool="read", detail=path)
        data = self._content(path) if readable(path, self._contract.scope) else None
        if data is None:
            return self._missing(path), used
        lines = file_lines(data)
        if lines is None:
            return f"{path} is binary ({len(data)} bytes)", used
        return self._shown(path, lines, arguments.get("start"), arguments.get("end")), used

    def _content(self, path: str) -> bytes | None:
        sheet = self._sheets.get(path)
        return self._workspace.read(path) if sheet is None else sheet.data

    def _shown(self, path: str, lines: list[str], start: int | None, end: int | None) -> str:
        if not lines:
            return f"{path} is empty"
        first = min(max(1, start or 1), len(lines))
        last = min(max(first, end or len(lines)), len(lines))
        fits = fitting(lines[:last], first, self._limit)
        if fits >= last:
            return show_lines(path, lines, first, last)
        if start is not None or end is not None:
            fits = max(first, fits)
            return f"{show_lines(path, lines, first, fits)}\nMore: read with start={fits + 1}"
        return self._head_and_tail(path, lines)

    def _head_and_tail(self, path: str, lines: list[str]) -> str:
        head = max(1, fitting(lines, 1, self._limit * 2 // 3))
        tail, size = len(lines) + 1, 0
        while tail - 1 > head and size + len(lines[tail - 2]) + 1 <= self._limit // 3:
            tail -= 1
            size += len(lines[tail - 1]) + 1
        shown = [show_lines(path, lines, 1, head)]
        if tail <= len(lines):
            shown.append(show_lines(path, lines, tail, len(lines)))
        return "\n".join([*shown, f"Between: read with start={head + 1} end={tail - 1}"])

    def _missing(self, path: str) -> str:
        visible = self._visible()
        inside = [each for each in visible if each.startswith(path.rstrip("/") + "/")] if path else visible
        if inside:
            more = f"\n… and {len(inside) - 100} more" if len(inside) > 100 else ""
            return f"{path or '.'} is a folder:\n" + block("files", "\n".join(inside[:100]) + more)
        near = _nearest(path, visible)
        return f"there is no file {path!r}" + (f"; near it: {', '.join(near)}" if near else "")

    def _visible(self) -> list[str]:
        scope = self._contract.scope
        return [path for path in self._workspace.paths() if readable(path, scope)]

    def _search(self, arguments: Mapping[str, Any]) -> tuple[str, Event]:
        pattern, within = str(arguments["pattern"]), self.plain_path(arguments.get("path") or "")
        used = ToolUsed(tool="search", detail=pattern[:200])
        if not pattern.strip():
            return "the pattern is empty", used
        paths = (path for path in self._workspace.paths() if readable(path, self._contract.scope))
        hits = search(paths, self._content, pattern, within)
        if not hits:
            return f"nothing matches {pattern[:200]!r}" + (f" in {within!r}" if within else ""), used
        more = "\n… and more: search for something longer, or give a path" if len(hits) > MAX_HITS else ""
        lines = "\n".join(f"{path}:{number}: {text}" for path, number, text in hits[:MAX_HITS])
        return block("hits", clipped(lines, self._limit)) + more, used

    # --- changing

    def _edit(self, number: int, call: ToolCall) -> tuple[str, Event | None]:
        path = self.plain_path(call.arguments["path"])
        refusal = self._may_edit(path)
        if refusal is not None:
            allowed = ", ".join(self._contract.scope.allow[:8]) or "nothing"
            reason = f"{path!r} may not change: {refusal.reason}. Allowed: {allowed}"
            return f"refused: {reason}", EditRefused(path=path, rule=refusal.rule, reason=reason)
        sheet = self._sheets.setdefault(path, _Sheet(self._workspace.read(path)))
        result = self._attempt(path, sheet.data, call)
        if isinstance(result, RefusedEdit):
            sheet.refused = True
            reason = clipped(result.reason, self._limit)
            return f"refused: {path}: {reason}", EditRefused(path=path, rule="match", reason=reason)
        sheet.data = result.after
        event = EditApplied(path=path, line=result.line, added=result.added, removed=result.removed, how=result.how)
        sheet.edits.append((number, event))
        how = "" if result.how == "exact" else f" (matched in spite of: {result.how})"
        return f"done: {path}:{result.line} +{result.added} -{result.removed}{how}", None

    def _attempt(self, path: str, before: bytes | None, call: ToolCall) -> Edited | RefusedEdit:
        if call.name == "write":
            return write_whole(before, call.arguments["content"], path)
        if before is None:
            near = _nearest(path, self._visible())
            hint = f"; near it: {', '.join(near)}" if near else ""
            return RefusedEdit(reason=f"there is no such file; write creates one{hint}")
        return apply_edit(before, call.arguments["search"], call.arguments["replace"])

    def _commit(self, texts: list[str], events: list[Event]) -> tuple[str, ...]:
        """Writes each file of which every edit holds; of the others none is kept."""
        changed = []
        for path, sheet in self._sheets.items():
            problem = self._write(path, sheet)
            if problem is None and not sheet.refused:
                if sheet.edits:
                    changed.append(path)
                events += [event for _, event in sheet.edits]
                continue
            why = problem or "another edit of this file in the same reply was refused; send them all again"
            for number, _ in sheet.edits:
                texts[number] = f"refused: {path}: not written: {why}"
                events.append(EditRefused(path=path, rule="match", reason=why))
        return tuple(changed)

    def _write(self, path: str, sheet: _Sheet) -> str | None:
        if sheet.refused or not sheet.edits or sheet.data is None:
            return None
        try:
            self._workspace.write(path, sheet.data)
        except UserError as error:
            return error.message
        return None

    def plain_path(self, path: str) -> str:
        """The path from the root that a model means: `./` and the repository's own absolute path are taken off."""
        plain = path.strip().strip("`\"'").replace("\\", "/")
        while plain.startswith("./"):
            plain = plain[2:]
        if plain in (".", "/"):
            return ""
        if plain.startswith("/"):
            ends = [each for each in self._workspace.paths() if plain.endswith(f"/{each}")]
            return max(ends, key=len) if ends else plain
        return plain


def _may_match(path: str, pattern: str) -> bool:
    """Whether a gitignore pattern could match: a quick look before the real rule is asked."""
    literal = pattern.lstrip("!").strip("/")
    for special in "*?[\\":
        literal = literal.split(special)[0]
    first = literal.split("/")[0] if "/" in literal else literal
    return first in path


def _nearest(path: str, paths: Iterable[str]) -> list[str]:
    """Up to three paths that were likely meant: the same name elsewhere first, then names alike."""
    name = path.rpartition("/")[2].lower()
    known = list(paths)
    same = [each for each in known if each.rpartition("/")[2].lower() == name]
    if same:
        return same[:3]
    return get_close_matches(path, known[:3000], n=3, cutoff=0.75)
