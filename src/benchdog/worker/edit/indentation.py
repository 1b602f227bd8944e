"""Indentation that a model shifted: how the search's maps to the file's, and whose the replacement speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchdog.worker.edit.lines import indent

Mapper = Callable[[str], "str | None"]
"""From an indentation of the model's to one of the file's; None: unknowable."""


def mapper(pairs: Sequence[tuple[str, str]]) -> Mapper:
    """The map that all pairs (search, file) obey: the same, a prefix more or less, tabs for blanks; else a table."""
    unique = list(dict.fromkeys(pairs))
    for made in (_same, _shifted, _retabbed):
        found = made(unique)
        if found is not None:
            return found
    return _table(unique)


def _same(pairs: list[tuple[str, str]]) -> Mapper | None:
    return (lambda lead: lead) if all(ours == theirs for theirs, ours in pairs) else None


def _shifted(pairs: list[tuple[str, str]]) -> Mapper | None:
    theirs, ours = pairs[0]
    if ours.endswith(theirs):
        more = ours[: len(ours) - len(theirs)]
        if all(file == more + search for search, file in pairs):
            return lambda lead: more + lead
    if theirs.endswith(ours):
        less = theirs[: len(theirs) - len(ours)]
        if all(search == less + file for search, file in pairs):
            return lambda lead: lead[len(less) :] if lead.startswith(less) else None
    return None


def _retabbed(pairs: list[tuple[str, str]]) -> Mapper | None:
    """Blanks for tabs, or tabs for blanks, at one width for all."""
    deep = [(theirs, ours) for theirs, ours in pairs if theirs or ours]
    for old, new in ((" ", "\t"), ("\t", " ")):
        if not all(theirs and ours and set(theirs) == {old} and set(ours) == {new} for theirs, ours in deep):
            continue
        tabs, blanks = (1, 0) if new == "\t" else (0, 1)
        widths = {len(pair[blanks]) / len(pair[tabs]) for pair in deep}
        width = widths.pop() if len(widths) == 1 else 0.0
        if width >= 1 and width.is_integer():
            return _tabs_of(int(width)) if new == "\t" else _blanks_of(int(width))
    return None


def _tabs_of(width: int) -> Mapper:
    return lambda lead: "\t" * (len(lead) // width) + " " * (len(lead) % width) if set(lead) <= {" "} else None


def _blanks_of(width: int) -> Mapper:
    return lambda lead: " " * (width * len(lead)) if set(lead) <= {"\t"} else None


def _table(pairs: list[tuple[str, str]]) -> Mapper:
    known: dict[str, set[str]] = {}
    for theirs, ours in pairs:
        known.setdefault(theirs, set()).add(ours)

    def look_up(lead: str) -> str | None:
        found = known.get(lead, set())
        return next(iter(found)) if len(found) == 1 else None

    return look_up


def speaks_file(file: Sequence[str], search: Sequence[str], replace: Sequence[str]) -> bool | None:
    """Whether the replacement is indented as the file is (True) or as the search is (False); None: it is unclear.

    Lines that search and replacement share tell; so do the first line and the least indented one. What contradicts
    itself is unclear.
    """
    new = [line for line in replace if line.strip()]
    pairs = [(theirs, ours) for theirs, ours in zip(search, file, strict=True) if theirs.strip()]
    if not new or all(indent(theirs) == indent(ours) for theirs, ours in pairs):
        return False
    shared = _votes(pairs, new)
    edge = _one(_edges(pairs, new))
    if len(shared) > 1:
        return None
    if shared:
        vote = next(iter(shared))
        return None if edge is not None and edge != vote else vote
    return edge


def _votes(pairs: list[tuple[str, str]], new: list[str]) -> set[bool]:
    """For each line that stands in search and replacement and whose indentation tells: whose it has."""
    leads: dict[str, set[tuple[str, str]]] = {}
    for theirs, ours in pairs:
        leads.setdefault(theirs.strip(), set()).add((indent(theirs), indent(ours)))
    votes = set()
    for line in new:
        known = leads.get(line.strip(), set())
        as_search = any(indent(line) == lead for lead, _ in known)
        as_file = any(indent(line) == lead for _, lead in known)
        if as_search != as_file:
            votes.add(as_file)
    return votes


def _edges(pairs: list[tuple[str, str]], new: list[str]) -> set[bool]:
    """What the first line and the common indentation say."""
    said = set()
    common = tuple(_common([pair[side] for pair in pairs]) for side in (0, 1))
    first = (indent(pairs[0][0]), indent(pairs[0][1]), indent(new[0]))
    edges = (first, (common[0], common[1], _common(new)))
    for search, file, replacement in edges:
        if search != file and replacement in (search, file):
            said.add(replacement == file)
    return said


def _one(said: set[bool]) -> bool | None:
    return next(iter(said)) if len(said) == 1 else None


def _common(lines: Sequence[str]) -> str:
    """The blanks and tabs that all lines begin with."""
    leads = [indent(line) for line in lines]
    low, high = min(leads), max(leads)
    same = next((at for at, char in enumerate(low) if char != high[at : at + 1]), len(low))
    return low[:same]
