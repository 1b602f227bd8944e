"""A made-up `.git` for checks that ask git something: fresh settings, no remotes, one commit, objects of its own.

Nothing of the person's repository is in it but the trees: no history, no configuration, no hooks. It is thrown away
after the check.
"""

from __future__ import annotations

from pathlib import Path

from benchdog.repo.git import store_git
from benchdog.repo.store import Store
from benchdog.system.environment import Environment

_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogAllRefUpdates = false
[gc]
\tauto = 0
[user]
\tname = benchdog
\temail = benchdog@localhost
"""
_WHEN = "1700000000 +0000"  # always the same, so that the same trees make the same commit
_WHO = {
    "GIT_AUTHOR_NAME": "benchdog",
    "GIT_AUTHOR_EMAIL": "benchdog@localhost",
    "GIT_AUTHOR_DATE": _WHEN,
    "GIT_COMMITTER_NAME": "benchdog",
    "GIT_COMMITTER_EMAIL": "benchdog@localhost",
    "GIT_COMMITTER_DATE": _WHEN,
}


def make_git_directory(store: Store, environment: Environment, base: str, tree: str, directory: Path) -> Path:
    """Makes `directory` the `.git` of a repository whose HEAD is `base` and whose index is `tree`.

    Raises GitFailed, StoreError, OSError.
    """
    commit = store.git.with_variables(**_WHO).run("commit-tree", "-m", "base", base).decode().strip()
    pack = store.git.run("pack-objects", "--revs", "--stdout", "-q", stdin=f"{commit}\n{tree}\n".encode())
    for name in ("objects/pack", "objects/info", "refs/heads", "info"):
        (directory / name).mkdir(parents=True)
    (directory / "config").write_text(_CONFIG)
    (directory / "HEAD").write_text("ref: refs/heads/main\n")
    (directory / "refs/heads/main").write_text(f"{commit}\n")
    git = store_git(environment, directory)
    git.run("index-pack", "--stdin", stdin=pack)
    git.run("read-tree", tree)
    return directory
