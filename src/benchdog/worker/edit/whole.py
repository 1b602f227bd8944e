"""Writing a whole file: what the model sends replaces the file, but for what it cannot know of the bytes.

The byte order mark, the kind of line ends and the final newline stay as they were. A text that leaves parts out is
refused: it would delete them.
"""

from __future__ import annotations

from benchdog.worker.edit.clean import has_fence, unfenced
from benchdog.worker.edit.counting import counted
from benchdog.worker.edit.lines import BOM, has_surrogates, is_binary
from benchdog.worker.edit.marks import elision_in
from benchdog.worker.edit.values import Edited, RefusedEdit


def write_whole(before: bytes | None, content: str, path: str = "") -> Edited | RefusedEdit:
    """`content` as the file's new bytes. `before` is None for a new file; `path` tells whether fences belong."""
    old = before.decode("utf-8", "surrogateescape") if before is not None else ""
    if before is not None and is_binary(before):
        return RefusedEdit(reason="the file is binary")
    if has_surrogates(content):
        return RefusedEdit(reason="the content is not valid Unicode")
    text = content.removeprefix(BOM)
    inner = unfenced(text)
    if inner is not None and not has_fence(old) and not path.lower().endswith((".md", ".mdx", ".rst", ".markdown")):
        text = inner + "\n"
    mark = elision_in(text, old)
    if mark is not None:
        return RefusedEdit(reason=f"{mark!r} would delete what it stands for: write the whole file, or use edit")
    after = _as_before(old, text).encode("utf-8", "surrogateescape")
    if before is not None and after == before:
        return RefusedEdit(reason="the file reads so already")
    line, added, removed = counted(old, after.decode("utf-8", "surrogateescape"))
    return Edited(after=after, line=line, added=added, removed=removed, how="exact")


def _as_before(old: str, text: str) -> str:
    """The new text with the old one's line ends, byte order mark and final newline."""
    if not old:
        return text
    crlf = old.count("\r\n")
    if crlf and crlf * 2 > old.count("\n") and "\r\n" not in text:
        text = text.replace("\n", "\r\n")
    if old.endswith("\n") and text and not text.endswith("\n"):
        text += "\r\n" if old.endswith("\r\n") else "\n"
    return (BOM if old.startswith(BOM) else "") + text
