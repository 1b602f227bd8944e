"""Where things lie: pure functions from the state directory to paths.

<state>/repositories/<key>/      key: hash of the repository's real path
    root                         that path, for people
    store.git/                   raw objects of benchdog's own
    checkouts/<n>/               trees on disk, reused between runs
    journals/<id>/               the way back of a landing
    workbenches/<id>/            where git cleans or merges files, for as long as that takes
    baseline/                    results of checks on base trees
<state>/runs/<id>/
    log.jsonl                    the hash-chained log
    evidence/<aa>/<digest>       content-addressed artefacts
    report.json, report.md
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def repository_place(state: Path, root: Path) -> Path:
    """benchdog's own folder for the repository at `root` (a real path)."""
    return state / "repositories" / hashlib.sha256(os.fsencode(root)).hexdigest()[:16]


def runs_place(state: Path) -> Path:
    return state / "runs"


def run_place(state: Path, run: str) -> Path:
    return runs_place(state) / run
