"""What commands print, made readable: no terminal sequences, bounded, one kind of line end. Linear in its input."""

from __future__ import annotations

import re

MAX_CHARS = 8 * 1024 * 1024  # more than the check runner keeps of any output
MAX_LINE = 4000  # characters; a longer line is cut, so that no pattern sees more
MAX_LINES = 100_000

# CSI; then the string sequences, of which an unterminated one ends with its line; then any other escape (ECMA-48).
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]{0,8}[0-~]?"
)
_LONG = re.compile(rf"^(.{{{MAX_LINE}}}).+", re.MULTILINE)
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\n\t"} | {127: None}


def clean(output: str) -> str:
    """`output` as plain lines. What a carriage return would overwrite stays, on a line of its own."""
    if len(output) > MAX_CHARS:
        half = MAX_CHARS // 2
        output = output[:half] + "\n" + output[-half:]
    if "\x1b" in output:
        output = _SEQUENCE.sub("", output)
    if "\r" in output:
        output = output.replace("\r\n", "\n").replace("\r", "\n")
    return _LONG.sub(r"\1", _few_lines(output)).translate(_CONTROLS)


def _few_lines(output: str) -> str:
    """The first and the last half of what is allowed, where there are more lines."""
    if output.count("\n") <= MAX_LINES:
        return output
    lines = output.split("\n")
    return "\n".join(lines[: MAX_LINES // 2] + lines[-MAX_LINES // 2 :])
