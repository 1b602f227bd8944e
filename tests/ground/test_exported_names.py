"""What each package offers to the others. A name that comes or goes is a decision: change it here too."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

import benchdog

EXPORTED: dict[str, str] = {
    "benchdog": "",
    "benchdog.checks": "CheckResult CheckStatus TestReport",
    "benchdog.checks.runners": "RUNNERS Runner",
    "benchdog.cli": "main",
    "benchdog.cli.commands": "",
    "benchdog.contract": """
        Check Contract Deliverable EndpointSettings Expect Limits PathClass SandboxSettings Scope Settings When
    """,
    "benchdog.events": """
        Accepted Answered Asked BaseTaken CandidateTaken CheckFinished CheckStarted ClaimMade Discarded EditApplied
        EditRefused EndpointPinned Event GateFinished GoalLinted Intervened Landed Landing LandingAborted
        LandingStarted Refined ReplyInvalid ReplyReceived RequestSent Resumed RolledBack RoundEnded RoundStarted
        RunStarted RunState SandboxReady Sealed Stage ToolUsed VerdictReached decode encode fold from_plain step
        to_plain
    """,
    "benchdog.gates": "Case CheckPair GATES Gate judge_all",
    "benchdog.ledger": "",
    "benchdog.models": """
        Delta DeltaKind Endpoint Facts Finish Message OnDelta OpenAIEndpoint Patience RawCall Reply Request Role
        Sampling Tool ToolCall Transport Usage connect discover encode_request estimate_request estimate_tokens room
    """,
    "benchdog.repo": """
        Base Checkout Harvest Ignored Journal JournalState Landing MergeConflict Merged Repository Undone
        abort_landing apply_commit apply_files continue_landing journal_state landing_of merge open_repository
        pending_journal roll_back undone_of
    """,
    "benchdog.runner": """
        Answer Bench Nobody Watcher accept answer ask_question begin carry_out discard finish_landing land open_bench
        propose red_command refine resume take_back
    """,
    "benchdog.sandbox": "",
    "benchdog.system": "",
    "benchdog.testing": """
        Asked Edit Explorer Fixer Policy ScriptedCall ScriptedReply ScriptedServer Traits Trick always call play
    """,
    "benchdog.trees": """
        Both Change Entry Mode PathMerge TreeView changed_paths is_git_name merge_modes merge_paths parse_changes
        parse_tree unsafe_because
    """,
    "benchdog.verdict": "FailureClass Finding Proof Severity Verdict",
    "benchdog.worker": "Reading read_reply work",
    "benchdog.worker.edit": "Edited RefusedEdit apply_edit",
}


def _packages() -> list[str]:
    found = pkgutil.walk_packages(benchdog.__path__, "benchdog.")
    return ["benchdog", *(each.name for each in found if each.ispkg)]


def _exported(module: ModuleType) -> list[str]:
    names: list[str] = list(getattr(module, "__all__", ()))
    return names


def test_every_package_is_listed() -> None:
    assert sorted(EXPORTED) == sorted(_packages())


@pytest.mark.parametrize("package", EXPORTED)
def test_a_package_exports_just_these_names(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(_exported(module)) == sorted(EXPORTED[package].split())
    assert [name for name in _exported(module) if not hasattr(module, name)] == []
