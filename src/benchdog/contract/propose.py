"""A scope without a model: which files a goal, or the output of a failing command, is probably about.

What the goal names counts most; then the frames of the failure; then the files that a failing test's name points at,
and those that have the words that the goal or the failure calls. Tests and closed classes are never proposed. What
does not exist but is named is proposed as new: a file exactly, a directory as a pattern in which nothing lies yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from benchdog.contract.classes import classes_of
from benchdog.contract.globs import exact_pattern
from benchdog.contract.languages import CODE_SUFFIXES, COMMON_WORDS, SOURCE_SUFFIXES, places, plain_output, resolve
from benchdog.contract.scope import path_problem, refusal
from benchdog.contract.values import PathClass, Scope

Find = Callable[[str], tuple[str, ...]]

MAX_FILES = 5  # more than that is no proposal: a person would have to read it
_MAX_NAMED = 3  # files that one word may stand for
_MAX_SYMBOLS = 12  # look-ups

_PATH_WORD = re.compile(r"(?<![\w./-])(?:[\w.@+-]+/)+[\w.@+-]*|(?<![\w./-])[\w@+-]+(?:\.[\w@+-]+)+")
_SYMBOL = re.compile(
    r"`([A-Za-z_]\w*(?:\.\w+)*)(?:\(\))?`|\b([A-Za-z_]\w*)\(\)|\b([a-z]\w*_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*)\b"
)
# `the percentage function`, `class Parser`: words that say of their neighbour that it is a symbol.
_KIND = r"(?:function|method|class|procedure|func|struct|trait|interface)"
_SPOKEN = re.compile(rf"\b(?P<before>[A-Za-z_]\w{{2,60}}) {_KIND}\b|\b{_KIND} (?P<after>[A-Za-z_]\w{{2,60}})\b")
_DEFINES = ("def", "class", "function", "fn", "func")
_PACKAGE_FILES = frozenset({"__init__", "index", "mod"})  # stems of files that stand for their folder
_MAX_WORDS = 6  # bare words of a goal that are looked up
_CALLED = re.compile(r"\b([A-Za-z_]\w{2,60})\(")
_TEST_WORD = re.compile(r"^(?:tests?_|spec_|check_)|(?:[._-](?:tests?|spec|unittest))+$|(?<=[a-z])Tests?$")
_EVERYTHING = Scope(allow=("**",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a path is proposed, in words such as `failing test` or `named in the goal`."""

    pattern: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`allow` in the order of `reasons`; empty: nothing points anywhere. `wider`: whole allow lists, each wider."""

    allow: tuple[str, ...]
    reasons: tuple[Reason, ...]
    wider: tuple[tuple[str, ...], ...] = ()


def propose_scope(
    goal: str,
    paths: Iterable[str],
    outputs: Iterable[str] = (),
    *,
    find: Find | None = None,
    instruments: frozenset[str] = frozenset(),
) -> Proposal:
    """What may change for `goal`. `outputs` are what failing checks print; `find` gives the files that have a word.

    `instruments` are paths that the checks execute: as tests are, they are never proposed.
    """
    tree = _Tree(paths, instruments)
    groups = [
        tuple(_named(goal, tree, find)),
        tuple(_frames(outputs, tree)),
        tuple(_tested(outputs, tree)),
        tuple(_defining(_symbols(goal), "has {}, which the goal names", tree, find)),
        tuple(_definitions(_spoken(goal), tree, find)),
        tuple(_stems(goal, tree)),
        tuple(_defining(_called(outputs), "has {}, which the failure calls", tree, find)),
    ]
    if not any(groups):
        groups.append(tuple(_definitions(_words(goal)[:_MAX_WORDS], tree, find)) or tuple(_only(outputs, tree)))
    chosen = _distinct(next((group for group in groups if group), ()))[:MAX_FILES]
    others = _distinct([reason for group in groups for reason in group])[: 2 * MAX_FILES]
    allow = tuple(reason.pattern for reason in chosen)
    return Proposal(allow=allow, reasons=chosen, wider=tuple(_wider(allow, others, tree)))


class _Tree:
    """The tree's paths, and those of them that may be proposed, looked up in several ways."""

    def __init__(self, paths: Iterable[str], instruments: frozenset[str]) -> None:
        self.paths = frozenset(paths)
        self.instruments = instruments
        self.open = tuple(path for path in sorted(self.paths) if self.proposable(path))
        self.folders = frozenset(folder for path in self.paths for folder in _above(path))
        self.by_name: dict[str, list[str]] = {}
        self.by_stem: dict[str, list[str]] = {}
        for path in self.open:
            name = path.rpartition("/")[2]
            self.by_name.setdefault(name.lower(), []).append(path)
            if "." in name[1:] and "." + name.rpartition(".")[2].lower() in SOURCE_SUFFIXES:
                for stem in dict.fromkeys(_stems_of(path)):
                    self.by_stem.setdefault(stem.lower(), []).append(path)

    def proposable(self, path: str) -> bool:
        return _proposable(path) and path not in self.instruments

    def few(self, found: list[str] | None) -> list[str]:
        """What one word stands for, unless it stands for too much."""
        return found if found and len(found) <= _MAX_NAMED else []


def _named(goal: str, tree: _Tree, find: Find | None) -> Iterator[Reason]:
    """Paths that the goal writes out, existing or new."""
    for word in _PATH_WORD.findall(goal):
        folder = word.endswith("/")
        path = word.strip("/").rstrip(".").removeprefix("./")
        if not path or path_problem(path):
            continue
        yield from _meant(path, folder, tree, find)


def _meant(path: str, folder: bool, tree: _Tree, find: Find | None) -> Iterator[Reason]:
    suffix = "." + path.rpartition(".")[2].lower()
    if path in tree.paths:
        found = [path] if tree.proposable(path) else []
    elif path in tree.folders:
        yield from _in_folder(path, "folder named in the goal")
        return
    elif "/" in path:
        found = [each for each in tree.open if each.endswith("/" + path)][: _MAX_NAMED + 1]
    else:
        found = tree.by_name.get(path.lower(), [])
    if found := tree.few(found):
        yield from (Reason(pattern=exact_pattern(each), why="named in the goal") for each in found)
    elif dotted := tree.few(_dotted(path, tree, find)):
        yield from (Reason(pattern=exact_pattern(each), why=f"{path} in the goal") for each in dotted)
    elif path in tree.paths or not _proposable(path):
        return
    elif suffix in SOURCE_SUFFIXES and ("/" in path or "." in path[1:]):
        yield Reason(pattern=exact_pattern(path), why="new file named in the goal")
    elif folder:
        yield from _in_folder(path, "new folder named in the goal: new files only")


def _in_folder(path: str, why: str) -> Iterator[Reason]:
    if _proposable(path + "/x.py"):
        yield Reason(pattern=exact_pattern(path + "/x").removesuffix("x") + "**", why=why)


def _dotted(word: str, tree: _Tree, find: Find | None) -> list[str]:
    """`ops.add` or `calc.ops.add`: the module that the longest part of it names; of a package, where it defines it."""
    parts = word.split(".")
    for end in range(len(parts), 0, -1):
        tail = "/".join(parts[:end])
        found = [path for path in tree.by_stem.get(parts[end - 1].lower(), []) if _ends(path, tail)]
        if found and (end > 1 or parts[0].lower() not in COMMON_WORDS):
            packages = tuple(path.rpartition("/")[0] + "/" for path in found if _is_package(path))
            inside = _defined(parts[end], tree, find) if packages and end < len(parts) else []
            return tree.few([path for path in inside if path.startswith(packages)]) or found
    return []


def _ends(path: str, tail: str) -> bool:
    module = path.rpartition("/")[0] if _is_package(path) else path.rpartition(".")[0]
    return any(("/" + each).lower().endswith("/" + tail.lower()) for each in (module, path.rpartition(".")[0]))


def _is_package(path: str) -> bool:
    return "/" in path and _stem(path.rpartition("/")[2]).lower() in _PACKAGE_FILES


def _stems_of(path: str) -> Iterator[str]:
    """What a file is called without its suffix; one that stands for its folder is called as that too."""
    folder, _, name = path.rpartition("/")
    yield _stem(name)
    if _is_package(path):
        yield folder.rpartition("/")[2]


def _frames(outputs: Iterable[str], tree: _Tree) -> Iterator[Reason]:
    """Files of the tree in the frames of the failures, the deepest (last) first."""
    for output in outputs:
        for written, line in reversed(places(plain_output(output))):
            path = resolve(written, tree.paths)
            if path and tree.proposable(path) and PathClass.DOCS not in classes_of(path):
                at = f" at line {line}" if line else ""
                yield Reason(pattern=exact_pattern(path), why=f"in the failure{at}")


def _tested(outputs: Iterable[str], tree: _Tree) -> Iterator[Reason]:
    """`tests/test_ops.py` fails: `ops.py` is meant."""
    for output in outputs:
        for written, _ in places(plain_output(output)):
            path = resolve(written, tree.paths)
            if path is None or not (path in tree.instruments or PathClass.TESTS in classes_of(path)):
                continue
            name = path.rpartition("/")[2].rpartition(".")[0]
            stem = _TEST_WORD.sub("", name)
            if path in tree.instruments and stem == name:
                continue  # a script with a name of its own tells nothing
            for each in tree.few(tree.by_stem.get(stem.lower())):
                yield Reason(pattern=exact_pattern(each), why=f"{path} fails")


def _defining(symbols: Iterable[str], why: str, tree: _Tree, find: Find | None) -> Iterator[Reason]:
    if find is None:
        return
    for symbol in list(dict.fromkeys(symbols))[:_MAX_SYMBOLS]:
        found = _code(find(symbol), tree)
        if len(found) > _MAX_NAMED:
            found = _defined(symbol, tree, find)
        for path in tree.few(found):
            yield Reason(pattern=exact_pattern(path), why=why.format(symbol))


def _definitions(words: Iterable[str], tree: _Tree, find: Find | None) -> Iterator[Reason]:
    """Files that define what a bare word of the goal calls."""
    for word in list(dict.fromkeys(words))[:_MAX_SYMBOLS]:
        for path in tree.few(_defined(word, tree, find)):
            yield Reason(pattern=exact_pattern(path), why=f"defines {word}, which the goal names")


def _defined(symbol: str, tree: _Tree, find: Find | None) -> list[str]:
    """The files with a definition of `symbol`, in the words of common languages."""
    if find is None:
        return []
    return sorted({path for word in _DEFINES for path in _code(find(f"{word} {symbol}"), tree)})


def _code(found: Iterable[str], tree: _Tree) -> list[str]:
    """Those that may be proposed, documents left out."""
    known = (path for path in sorted(set(found)) if path in tree.paths and tree.proposable(path))
    return [path for path in known if PathClass.DOCS not in classes_of(path)]


def _spoken(goal: str) -> Iterator[str]:
    for match in _SPOKEN.finditer(goal):
        word = match["before"] or match["after"]
        if word.lower() not in COMMON_WORDS:
            yield word


def _only(outputs: Iterable[str], tree: _Tree) -> Iterator[Reason]:
    """Something fails, and there is one file only that could be meant."""
    code = [path for path in tree.open if "." + path.rpartition(".")[2].lower() in CODE_SUFFIXES]
    if len(code) == 1 and any(outputs):
        yield Reason(pattern=exact_pattern(code[0]), why="the only source file")


def _symbols(goal: str) -> Iterator[str]:
    for match in _SYMBOL.finditer(goal):
        word = match[1] or match[2] or match[3]
        yield word.rpartition(".")[2]


def _called(outputs: Iterable[str]) -> Iterator[str]:
    for output in outputs:
        for word in _CALLED.findall(plain_output(output)[-20_000:]):
            if not word.lower().startswith("test") and word not in _BUILT_IN:
                yield word


_NO_SYMBOLS = (
    "print len range isinstance list dict set str int float super repr type open expect describe assert assertEqual "
    "raises require toBe toEqual panic Error main"
)
_BUILT_IN = frozenset(_NO_SYMBOLS.split())


def _stems(goal: str, tree: _Tree) -> Iterator[Reason]:
    """Words of the goal that are a file's stem: `parser` for src/parser.py."""
    for word in _words(goal):
        for path in tree.few(tree.by_stem.get(word.lower())):
            yield Reason(pattern=exact_pattern(path), why=f"{word!r} in the goal")


def _words(goal: str) -> list[str]:
    """The goal's words that could be a name, each once."""
    found = dict.fromkeys(re.findall(r"[A-Za-z][\w-]{2,60}", goal))
    return [word for word in found if word.lower() not in COMMON_WORDS]


def _wider(allow: tuple[str, ...], others: tuple[Reason, ...], tree: _Tree) -> Iterator[tuple[str, ...]]:
    """Whole allow lists, each wider than the one before: all that was found, its folders, their roots, everything."""
    known = {allow}
    found = tuple(dict.fromkeys((*allow, *(reason.pattern for reason in others))))
    folders = [pattern.rpartition("/")[0] for pattern in found]
    steps = [
        found,
        tuple(dict.fromkeys(f"{folder}/**" for folder in folders if folder.strip("/"))),
        tuple(dict.fromkeys(f"{folder.split('/')[0]}/**" for folder in folders if folder.strip("/"))),
        ("**",),
    ]
    for step in steps:
        if step and step not in known:
            known.add(step)
            yield step


def _proposable(path: str) -> bool:
    return refusal(path, _EVERYTHING) is None and PathClass.TESTS not in classes_of(path)


def _distinct(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    first: dict[str, Reason] = {}
    for reason in reasons:
        first.setdefault(reason.pattern, reason)
    return tuple(first.values())


def _stem(name: str) -> str:
    return name.partition(".")[0] or name


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
