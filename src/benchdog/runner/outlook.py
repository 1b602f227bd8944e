"""Before there is a contract: what is red now, and which files a goal is probably about. No model is asked."""

from __future__ import annotations

from benchdog.checks import CheckResult
from benchdog.contract import Check
from benchdog.contract.propose import Proposal, propose_scope
from benchdog.ledger.evidence import Evidence
from benchdog.runner.bench import Bench
from benchdog.runner.checks import CheckRun, run_check


def red_command(bench: Bench, command: str, *, cwd: str = ".") -> CheckRun:
    """Runs a command in the sandbox, in `cwd` of the tree as it is; its output lies with the repository's own records."""
    context = bench.check_context(Evidence(bench.repository.place / "outlook"))
    with bench.repository.checkout(bench.repository.snapshot().tree) as checkout:
        check = Check(name="command", run=command, cwd=cwd)
        return run_check(check, tree=checkout.path, context=context)


def propose(bench: Bench, goal: str, failing: tuple[CheckResult, ...]) -> Proposal:
    """The scope that the goal and the failing checks point at."""
    tree = bench.repository.snapshot().tree
    paths = tuple(bench.repository.view(tree).entries)
    return propose_scope(goal, paths, tuple(result.distilled for result in failing), find=bench.repository.find)
