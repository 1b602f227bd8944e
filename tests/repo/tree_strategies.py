"""Hypothesis strategies for trees: any names and bytes, files and symlinks, directories where files were."""

from __future__ import annotations

import os

from hypothesis import strategies as st

from benchdog.trees import Mode, is_git_name
from benchdog.trees.paths import parents_of

_PLAIN = st.sampled_from(["a", "b", "dir", "x.py"])
_ODD = st.binary(min_size=1, max_size=6).map(lambda raw: os.fsdecode(raw.replace(b"/", b"_").replace(b"\0", b"_")))
NAMES = (_PLAIN | _ODD).filter(lambda name: name not in (".", "..") and not is_git_name(name))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=40) | st.sampled_from([b"", b"line\n", b"crlf\r\n", b"no end", b"\0\xff" * 9000])
TARGETS = st.binary(min_size=1, max_size=20).filter(lambda raw: b"\0" not in raw)
FILES = st.tuples(st.sampled_from([Mode.FILE, Mode.EXECUTABLE]), CONTENTS) | st.tuples(st.just(Mode.SYMLINK), TARGETS)


def _without_clashes(files: dict[str, tuple[Mode, bytes]]) -> dict[str, tuple[Mode, bytes]]:
    """No file where another one needs a directory."""
    needed = {above for path in files for above in parents_of(path)}
    return {path: file for path, file in files.items() if path not in needed}


TREES = st.dictionaries(PATHS, FILES, max_size=8).map(_without_clashes)
