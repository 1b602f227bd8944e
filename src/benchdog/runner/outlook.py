"""Before there is a contract: what is red now, and which files a goal is probably about. No model is asked."""

from __future__ import annotations

from benchdog.checks import CheckResult
from benchdog.contract import Check
from benchdog.contract.propose import Proposal, propose_scope
from benchdog.ledger.evidence import Evidence
from benchdog.runner.baseline import Baseline
from benchdog.runner.bench import Bench
from benchdog.runner.checks import CheckRun
from benchdog.runner.known import environment_key


def red_command(bench: Bench, command: str, *, cwd: str = ".") -> CheckRun:
    """Runs a command in the sandbox, in `cwd` of the tree as it is. A run over the same tree takes its result over."""
    repository = bench.repository
    context = bench.check_context(Evidence(repository.place / "outlook"))
    tree = repository.snapshot().tree
    check = Check(name="command", run=command, cwd=cwd)
    return Baseline(repository, context, tree, environment_key(context)).run_now(check)


def propose(bench: Bench, goal: str, failing: tuple[CheckResult, ...]) -> Proposal:
    """The scope that the goal and the failing checks point at."""
    tree = bench.repository.snapshot().tree
    paths = tuple(bench.repository.view(tree).entries)
    return propose_scope(goal, paths, tuple(result.distilled for result in failing), find=bench.repository.find)
