"""A check over a tree in the clean room, with the made-up `.git` that it may ask for."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchdog.contract import Check
from benchdog.repo import Checkout, Repository
from benchdog.repo.madeup import make_git_directory
from benchdog.runner.checks import CheckContext, CheckRun, run_check


def check_in(checkout: Checkout, check: Check, context: CheckContext, *, repository: Repository, base: str) -> CheckRun:
    """Runs `check` over the checkout as it is; `base` is the tree that a made-up `.git` has as its commit.

    Raises what `run_check` raises.
    """
    if not check.git:
        return run_check(check, tree=checkout.path, context=context)
    with tempfile.TemporaryDirectory(prefix="git-", dir=checkout.path.parent) as folder:
        made = make_git_directory(repository.store, repository.environment, base, checkout.tree, Path(folder) / "git")
        return run_check(check, tree=checkout.path, context=context, git_directory=made)
