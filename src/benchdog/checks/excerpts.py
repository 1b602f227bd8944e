"""The lines of an output that say what is wrong, in blocks, most telling first: one function a kind of output.

Each is pure and linear, takes cleaned lines and gives short blocks, or none where the output is not of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice, takewhile

Blocks = list[list[str]]
Extract = Callable[[list[str]], Blocks]

_MAX_BLOCKS = 40
_MAX_LINES = 14  # of one block
_FOREIGN = re.compile(
    r"site-packages/|dist-packages/|/lib/python\d|node_modules/|node:internal|\(internal/|/rustc/|<frozen "
)

_SECTION = re.compile(r"^_{3,} (.+?) _{3,}$|^(?:FAIL|ERROR): (\S.*)$")
_RULE = re.compile(r"^={3,}(?: |$)|^-{3,}(?: |$)|^(?:_ ){10,}")
_PLACE = re.compile(r"^\S+:\d+: ")
_FRAME = re.compile(r'^ +File "([^"]+)", line (\d+)')


def pytest_blocks(lines: list[str]) -> Blocks:
    """Of each failure: its name, the line that failed, the `E` lines, and places in the project."""
    blocks: Blocks = []
    for title, body in _sections(lines):
        code = [line for line in body if line.startswith(">")][-1:]
        errors = [line for line in body if line.startswith("E  ") and line[1:].strip()][:8]
        places = [line for line in body if _PLACE.match(line) and not _FOREIGN.search(line)][-3:]
        if errors or places:
            blocks.append([title, *code, *errors, *places])
    return blocks


def _sections(lines: list[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in lines:
        title = _SECTION.match(line)
        if title:
            found.append((title[1] or title[2], []))
            inside = True
        elif line.startswith(("====", "----")) and not line.startswith("-" * 70):
            inside = False  # captured output, or the end of the failures
        elif inside:
            found[-1][1].append(line)
    return found


def traceback_blocks(lines: list[str]) -> Blocks:
    """Of each Python traceback: the innermost place in the project, and the exception."""
    blocks: Blocks = []
    title = ""
    for index, line in enumerate(lines):
        section = _SECTION.match(line)
        title = section[2] or "" if section else title
        if line.lstrip("| ") == "Traceback (most recent call last):":
            block = _traceback(lines[index + 1 : index + 400])
            blocks.append([title, *block] if title else block)
            title = ""
    return blocks


def _traceback(lines: list[str]) -> list[str]:
    place: list[str] = []
    for index, line in enumerate(lines):
        frame = _FRAME.match(line)
        if frame:
            if not place or not _FOREIGN.search(frame[1]):
                place = [f"{frame[1]}:{frame[2]}:", *lines[index + 1 : index + 2]]
        elif line and not line.startswith(" "):
            return place + _until_rule(lines[index:])
    return place


def _until_rule(lines: list[str]) -> list[str]:
    block: list[str] = []
    for line in lines:
        if not line.strip() or _RULE.match(line) or len(block) == 8:
            break
        block.append(line)
    return block


_RUST_STARTS = re.compile(
    r"^error(?:\[E\d+\])?: (?!could not compile|test failed|aborting|\d+ targets? failed)|^thread '.*panicked at"
)
_RUST_ENDS = re.compile(r"^$|^stack backtrace:|^note: ")
_GO_STARTS = re.compile(r"^ *--- FAIL: |^(?:\S+/)?[\w.-]+\.go:\d+:\d+: |^panic: |^ +[\w./-]+_test\.go:\d+: ")
_GO_LINE = re.compile(r"^ +[\w./-]+_test\.go:\d+: ")
_GO_ENDS = re.compile(r"^(?:FAIL|ok  |PASS|exit status|=== RUN|goroutine |\[recovered\])")


def rust_blocks(lines: list[str]) -> Blocks:
    """Compiler errors and panics."""
    return _blocks(lines, _RUST_STARTS, _RUST_ENDS)


def go_blocks(lines: list[str]) -> Blocks:
    """Failed tests with what they printed, compiler errors, panics."""
    return _blocks(lines, _GO_STARTS, _GO_ENDS, _GO_LINE)


_JS_STARTS = re.compile(r"^  ● |^ *FAIL  \S|^  \d+\) .*|^ *not ok \d+|^test at ")
_JS_ENDS = re.compile(r"^(?:Test Suites: |Tests: | *Test Files |⎯{4}|  \d+ passing|# tests \d|ℹ tests|1\.\.\d)")
_JS_NOISE = re.compile(
    r"^ *(?:duration_ms|failureType|code|name|stack|generatedMessage|operator|type|\.\.\.|---|\}|\|)[:, ]?"
    r"|^ *$|^ *ok \d|^ *# Subtest|^ *[✓✔○﹣↓] "
    r"|^ *(?:at )?(?:async )?(?:Suite|Test|Promise|process)\.\w|^ *at new Promise|^ *1\.\.\d+$"
)


def javascript_blocks(lines: list[str]) -> Blocks:
    """jest, vitest, mocha and node: each failure without the frames of the runner."""
    from_list = next(
        (i for i, line in enumerate(lines) if line.strip() == "✖ failing tests:" or _FAILING.match(line)), 0
    )
    kept = [line for line in lines[from_list:] if not (_JS_NOISE.match(line) or _FOREIGN.search(line))]
    blocks = _blocks(kept, _JS_STARTS, _JS_ENDS)
    return [block for block in blocks if len(block) > 1]


_TAP_POINT = re.compile(r"^ *not ok \d+\b(?!.*# *(?:SKIP|TODO)\b)")
_TAP_TITLE = re.compile(r"^ *# (?!tests |pass |fail |Subtest: )\S")
_TAP_ENDS = re.compile(r"^ *(?:\.\.\.$|not ok \d|ok \d|# |1\.\.\d)")
_TAP_STACK = re.compile(r"^ *stack:")


def tap_blocks(lines: list[str]) -> Blocks:
    """Of each failed point: the title above it (tape prints one), its name, what was expected, and where; no stack."""
    blocks: Blocks = []
    title: list[str] = []
    for index, line in enumerate(lines):
        if _TAP_TITLE.match(line):
            title = [line]
        if not _TAP_POINT.match(line):
            continue
        if len(blocks) == _MAX_BLOCKS:
            break
        told = takewhile(lambda each: not (_TAP_ENDS.match(each) or _TAP_STACK.match(each)), lines[index + 1 :])
        kept = [each for each in islice(told, 4 * _MAX_LINES) if not (_JS_NOISE.match(each) or _FOREIGN.search(each))]
        blocks.append([*title, line, *kept[:_MAX_LINES]])
    return [block for block in blocks if len(block) > 1]


_FAILING = re.compile(r"^ +\d+ failing$")


def _blocks(
    lines: Iterable[str], starts: re.Pattern[str], ends: re.Pattern[str], joins: re.Pattern[str] | None = None
) -> Blocks:
    """What `starts` begins, until `ends`; a line of `joins` begins a block only where none is open."""
    blocks: Blocks = []
    inside = False
    for line in lines:
        if starts.match(line) and not (inside and joins and joins.match(line)):
            if len(blocks) == _MAX_BLOCKS:
                break
            blocks.append([line])
            inside = True
        elif inside and (ends.match(line) or len(blocks[-1]) >= _MAX_LINES):
            inside = False
        elif inside:
            blocks[-1].append(line)
    return blocks


_INDENTED = re.compile(r"[ \t]+\S")
_ERROR = re.compile(
    r"\b(?:error|Error|ERROR|fatal|FATAL|Exception|panic|FAILED|Failed|failed|cannot|Cannot|undefined)\b"
)
_DIAGNOSTIC = re.compile(r"^(?:\./)?[\w./@+-]+[:(]\d+(?:[:,]\d+)?\)?:? ")


def generic_blocks(lines: list[str]) -> Blocks:
    """Diagnostics of the form `file:line: …` and lines that speak of an error, each with what follows; then the end."""
    blocks: Blocks = []
    skip = -1
    for index, line in enumerate(lines):
        if index <= skip or not line.strip():
            continue
        if (_DIAGNOSTIC.match(line) or _ERROR.search(line)) and not _FOREIGN.search(line):
            following = list(takewhile(_INDENTED.match, lines[index + 1 : index + 3]))
            blocks.append([line, *following])
            skip = index + len(following)
        if len(blocks) == _MAX_BLOCKS:
            break
    blocks = blocks[:12]
    told = {line for block in blocks for line in block}
    tail = [line for line in lines if line.strip() and line not in told][-6:]
    return [*blocks, tail] if tail else blocks


EXTRACTS: dict[str, tuple[Extract, ...]] = {
    "pytest": (pytest_blocks, traceback_blocks),
    "unittest": (traceback_blocks,),
    "cargo": (rust_blocks,),
    "go": (go_blocks,),
    "jest": (javascript_blocks,),
    "vitest": (javascript_blocks,),
    "mocha": (javascript_blocks,),
    "node": (javascript_blocks,),
    "tap": (tap_blocks,),
}
