"""Gate `filters`: a path that git stores in another form (LFS, ident, an encoding) changes only when named exactly.

The candidate holds such a file as it lies on disk; what would be committed is what the person's own filter makes of it,
which nothing here has seen.
"""

from __future__ import annotations

from benchdog.contract.globs import exact_path
from benchdog.gates.case import Case
from benchdog.verdict import Finding, Severity


def judge(case: Case) -> tuple[Finding, ...]:
    named = {exact_path(pattern) for pattern in case.contract.scope.allow}
    return tuple(
        Finding(
            gate="filters",
            severity=Severity.BLOCK,
            path=change.path,
            message=f"git stores {change.path!r} through a filter (.gitattributes): undo the change, or a person names "
            "the path exactly in `allow`",
        )
        for change in case.changes
        if change.path in case.filtered and change.path not in named
    )
