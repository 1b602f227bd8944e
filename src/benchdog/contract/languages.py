"""What is known of languages by their file names: suffixes, and where a failing command's output names a file."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_SUFFIXES = (
    ".py .pyi .pyx .js .mjs .cjs .jsx .ts .mts .cts .tsx .vue .svelte .rs .go .c .h .cc .cpp .cxx .hpp .hh .java "
    ".kt .kts .scala .rb .php .cs .fs .swift .m .mm .ex .exs .erl .hs .ml .clj .lua .pl .r .jl .dart .zig .nim "
    ".sh .bash .sql .html .css .scss .less .proto .graphql .toml .yaml .yml .json .md .rst .txt .cfg .ini"
)
SOURCE_SUFFIXES = frozenset(_SUFFIXES.split())
_TEXTS = ".html .css .scss .less .toml .yaml .yml .json .md .rst .txt .cfg .ini .sql .proto .graphql"
CODE_SUFFIXES = SOURCE_SUFFIXES - frozenset(_TEXTS.split())
# Words of prose that are also names of files in most trees: they point at nothing.
_COMMON = (
    "a add all an and any app are as at base be big build by can change check class client code common config "
    "core data do doc docs each error errors every exit fail failing fails file files fix for from function "
    "general get green has if in index init into is it its just lib like log main make method missing model "
    "models module must new no not of on one only or out package pass passes project public readme red remove run "
    "script server set setup should so src support test tests that the them then there this to tool tools type "
    "types up use user util utils value values version when which whole with work works write wrong"
)
COMMON_WORDS = frozenset(_COMMON.split())

_NAME = r"(?<![^\s\"'`()\[\]{}<>|:,;])(?P<path>(?:[A-Za-z]:)?[^\s\"'`()\[\]{}<>|:,;]{1,400}\.[A-Za-z]\w{0,6})"
# The forms in which tools name a place. The more a form tells of a real frame, the earlier it stands.
_PLACES = (
    re.compile(r'^\s*File "(?P<path>[^"\n]{1,400})", line (?P<line>\d+)', re.MULTILINE),  # Python traceback
    re.compile(r"^\s*-->\s*(?P<path>[^\s:]{1,400}):(?P<line>\d+):\d+", re.MULTILINE),  # rustc
    re.compile(rf"panicked at (?:'[^'\n]*', )?{_NAME}:(?P<line>\d+)"),  # a Rust panic
    re.compile(rf"\(?(?:file://)?{_NAME}:(?P<line>\d+)(?::\d+)?\)?"),  # pytest, node, go, gcc, mypy, eslint, vitest
    re.compile(rf"{_NAME}\((?P<line>\d+),\d+\)"),  # tsc, msbuild
    re.compile(rf"^\s*(?:FAILED|ERROR|FAIL)\s+{_NAME}(?:::|\s|$)", re.MULTILINE),  # pytest's summary
)
# Where frames lie that belong to a language or a library, whatever their tail is called.
_FOREIGN = re.compile(
    r"/(?:site|dist)-packages/|/lib/python\d|node_modules/|/rustc/|/\.cargo/|/\.rustup/|^/usr/|^node:"
)
MAX_OUTPUT = 400_000  # characters of output that are looked at: half from its beginning, half from its end


def both_ends(output: str) -> str:
    """The first failures are the plainest, the last lines sum up: of a long output both are kept."""
    half = MAX_OUTPUT // 2
    return output if len(output) <= MAX_OUTPUT else f"{output[:half]}\n{output[-half:]}"


def plain_output(output: str) -> str:
    """Both ends of an output, without colours."""
    return re.sub(r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]", "", both_ends(output))


def places(output: str) -> tuple[tuple[str, int | None], ...]:
    """The `path, line` pairs that an output names, in its order, each once; paths as they are written there."""
    text = both_ends(output)
    found: dict[tuple[str, int | None], int] = {}
    for form in _PLACES:
        for match in form.finditer(text):
            line = match.groupdict().get("line")
            place = (match["path"].removeprefix("./"), int(line[:9]) if line else None)
            found.setdefault(place, match.start())
    return tuple(sorted(found, key=lambda place: found[place]))


def resolve(written: str, paths: frozenset[str]) -> str | None:
    """The path of the tree that an output means: as written, or the longest tail of it that is a path of the tree."""
    if _FOREIGN.search(written):
        return None
    parts = [part for part in PurePosixPath(written.replace("\\", "/")).parts if part not in ("/", ".", "..")]
    for start in range(min(len(parts), 64)):
        if (tail := "/".join(parts[start:])) in paths:
            return tail
    return None
