"""The gate for checks, proof, and the class of a failure."""

from __future__ import annotations

from typing import Any

import pytest
from cases import case, contract, pair, report, result

from benchdog.checks import CheckStatus
from benchdog.contract import Deliverable, Expect
from benchdog.gates import CheckPair
from benchdog.gates.checks import judge_pair
from benchdog.gates.failure import failure_class
from benchdog.gates.proof import prove, proved_by, spoiled_by
from benchdog.verdict import FailureClass, Finding, Proof, Severity

GREEN, RED = result(), result(CheckStatus.RED, distilled="test_a.py:3: assert 1 == 2")
NO_WORSE = {"expect": Expect.NO_WORSE}


def blocks(given: CheckPair) -> list[str]:
    findings = judge_pair(given)
    assert all(finding.severity is Severity.BLOCK for finding in findings)
    return [finding.message for finding in findings]


def test_green_holds_and_what_has_not_run_says_nothing() -> None:
    assert blocks(pair(RED, GREEN)) == []
    assert blocks(pair(RED, None)) == []


def test_red_carries_what_is_needed_to_mend_it() -> None:
    (message,) = blocks(pair(GREEN, RED))
    assert message == "check 'tests' is red (exit status 1):\ntest_a.py:3: assert 1 == 2"


def test_a_check_that_hangs_or_cannot_work_blocks() -> None:
    (late,) = blocks(pair(GREEN, result(CheckStatus.TIMED_OUT), terms={"timeout": 1.5}))
    assert late == "check 'tests' was not finished after 1.5 s"
    (broken,) = blocks(pair(GREEN, result(CheckStatus.BROKEN, fix="install it")))
    assert broken == "check 'tests' could not do its work; install it"


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (report("a b c"), report("a b"), "fell from 3 to 2"),
        (report("a b c"), report("a b", skipped="c"), "skipped tests rose"),
        (report("a b c"), report("a b c", complete=False), "ended before its closing report"),
        (report("a b c"), report(), "no test ran"),
        (report("a b c"), None, "told nothing of its tests"),
    ],
)
def test_a_green_check_that_is_doubtful_blocks(before: Any, after: Any, word: str) -> None:
    (message,) = blocks(pair(GREEN, GREEN, base_tests=before, candidate_tests=after))
    assert word in message


def test_no_worse_wants_nothing_green_to_turn_red_or_vanish() -> None:
    before = report("a b", "x y")
    assert blocks(pair(RED, RED, base_tests=before, candidate_tests=report("a b", "x y"), terms=NO_WORSE)) == []
    assert blocks(pair(RED, RED, base_tests=before, candidate_tests=report("a b x", "y"), terms=NO_WORSE)) == []
    for after in (report("a", "b x y"), report("a", "x y"), report("a", "x y", "b")):
        (message,) = blocks(pair(RED, RED, base_tests=before, candidate_tests=after, terms=NO_WORSE))
        assert "make these green again: b" in message


def test_no_worse_without_test_ids() -> None:
    assert blocks(pair(RED, RED, terms=NO_WORSE)) == []
    assert blocks(pair(RED, GREEN, terms=NO_WORSE)) == []
    assert len(blocks(pair(GREEN, RED, terms=NO_WORSE))) == 1
    assert len(blocks(pair(None, RED, terms=NO_WORSE))) == 1
    assert len(blocks(pair(RED, RED, base_tests=report("a"), terms=NO_WORSE))) == 1


def test_a_named_witness_must_fail_on_the_base() -> None:
    (message,) = blocks(pair(GREEN, GREEN, terms={"witness": True}))
    assert "green on the base as well" in message
    assert blocks(pair(RED, GREEN, terms={"witness": True})) == []


def test_a_named_witness_that_is_no_worse_must_gain_something() -> None:
    terms = NO_WORSE | {"witness": True}
    before = report("a", "x")
    (message,) = blocks(pair(RED, RED, base_tests=before, candidate_tests=before, terms=terms))
    assert "must turn green" in message
    for status, after in ((RED, report("a x", "y")), (GREEN, report("a x")), (RED, report("a x y", "z"))):
        given = pair(RED, status, base_tests=report("a", "x y"), candidate_tests=after, terms=terms)
        (message,) = blocks(given)
        assert "must turn green" in message
    assert blocks(pair(RED, GREEN, base_tests=before, candidate_tests=report("a x"), terms=terms)) == []


def test_no_worse_looks_at_the_exit_status_as_well() -> None:
    tests = report("a b")
    (message,) = blocks(pair(GREEN, RED, base_tests=tests, candidate_tests=tests, terms=NO_WORSE))
    assert message.startswith("check 'tests' was green on the base and is red now (exit status 1):\n")
    (message,) = blocks(pair(GREEN, RED, base_tests=tests, candidate_tests=report("a", "b"), terms=NO_WORSE))
    assert "(exit status 1), make these green again: b" in message


def test_a_witness_that_was_not_finished_on_the_base_neither_blocks_nor_proves() -> None:
    late = pair(result(CheckStatus.TIMED_OUT), GREEN, terms={"witness": True}, witness=True)
    assert blocks(late) == []
    assert prove(case(BASE, AFTER, checks=(late,))) is Proof.NONE


def test_no_worse_proves_only_when_it_is_named_and_all_that_was_red_is_green() -> None:
    terms = NO_WORSE | {"witness": True}
    for status, given, after, proof in (
        (GREEN, terms, report("a x y"), Proof.WITNESS),
        (GREEN, NO_WORSE, report("a x y"), Proof.NONE),
        (GREEN, terms, report("a x"), Proof.NONE),
        (RED, terms, report("a x", "y"), Proof.NONE),
        (GREEN, terms, None, Proof.NONE),
    ):
        told = pair(RED, status, base_tests=report("a", "x y"), candidate_tests=after, terms=given, witness=True)
        assert prove(case(BASE, AFTER, checks=(told,))) is proof
    silent = pair(RED, GREEN, terms=terms, witness=True)
    assert prove(case(BASE, AFTER, checks=(silent,))) is Proof.WITNESS


BASE, AFTER = {"a.py": "1\n"}, {"a.py": "2\n"}


def test_a_witness_proves() -> None:
    assert prove(case(BASE, AFTER, checks=(pair(RED, GREEN, witness=True),))) is Proof.WITNESS
    two = case(BASE, AFTER, checks=(pair(RED, GREEN, witness=True), pair(GREEN, GREEN)))
    assert (proved_by(two), spoiled_by(two)) == (("tests",), ())


@pytest.mark.parametrize(
    "given",
    [
        pair(RED, GREEN),
        pair(GREEN, GREEN, witness=True),
        pair(None, GREEN, witness=True),
        pair(RED, None, witness=True),
        pair(RED, RED, witness=True),
        pair(result(CheckStatus.BROKEN), GREEN, witness=True),
        pair(RED, GREEN, base_tests=report("a b", "c"), candidate_tests=report("a b"), witness=True),
    ],
)
def test_what_is_no_witness(given: CheckPair) -> None:
    assert prove(case(BASE, AFTER, checks=(given,))) is Proof.NONE


def test_a_witness_whose_test_was_rewritten_proves_nothing() -> None:
    witness = (pair(RED, GREEN, witness=True),)
    base = BASE | {"tests/test_a.py": "assert add(1, 2) == 3\n"}
    assert prove(case(base, base | {"tests/test_a.py": "assert True\n"}, checks=witness)) is Proof.NONE
    assert prove(case(base, AFTER, checks=witness)) is Proof.NONE
    added = base | {"a.py": "2\n", "tests/test_a.py": "assert add(1, 2) == 3\nassert add(0, 0) == 0\n"}
    given = case(base, added, checks=witness)
    assert (prove(given), proved_by(given), spoiled_by(given)) == (Proof.NONE, (), ("tests/test_a.py",))
    fresh = base | {"a.py": "2\n", "tests/test_b.py": "assert add(0, 0) == 0\n"}
    assert prove(case(base, fresh, checks=witness)) is Proof.WITNESS


def test_nothing_changed_proves_nothing() -> None:
    assert prove(case(BASE, BASE, checks=(pair(RED, GREEN, witness=True),))) is Proof.NONE


def test_required_content_that_was_missing_proves() -> None:
    wanted = contract(deliver=(Deliverable(path="a.py", contains="2"),))
    assert prove(case(BASE, AFTER, contract=wanted)) is Proof.DELIVER
    assert proved_by(case(BASE, AFTER, contract=wanted)) == ("a.py",)
    assert prove(case({"a.py": "12\n"}, AFTER, contract=wanted)) is Proof.NONE
    assert prove(case({}, {"a.py": "1"}, contract=wanted)) is Proof.NONE


def test_a_path_alone_may_be_empty_and_proves_nothing() -> None:
    wanted = contract(deliver=(Deliverable(path="new.md"),))
    assert prove(case(BASE, BASE | {"new.md": ""}, contract=wanted)) is Proof.NONE


@pytest.mark.parametrize("terms", [{"matches": ".*"}, {"matches": ""}, {"matches": "^"}, {"contains": ""}])
def test_a_requirement_that_everything_satisfies_proves_nothing(terms: dict[str, str]) -> None:
    wanted = contract(deliver=(Deliverable(path="new.md", **terms),))
    assert prove(case(BASE, BASE | {"new.md": "x"}, contract=wanted)) is Proof.NONE


def found(gate: str, severity: Severity = Severity.BLOCK) -> Finding:
    return Finding(gate=gate, severity=severity, message="x")


@pytest.mark.parametrize(
    ("gates", "claims", "refusals", "expected"),
    [
        (["scope"], ["done"], 0, FailureClass.SCOPE),
        (["classes", "checks"], ["done"], 0, FailureClass.SCOPE),
        (["checks"], ["all tests pass"], 0, FailureClass.FALSE_CLAIM),
        (["empty"], ["done"], 3, FailureClass.SCOPE),
        (["deliverables"], ["done"], 0, FailureClass.FALSE_CLAIM),
        (["empty"], [], 3, FailureClass.SCOPE),
        (["checks"], [], 3, FailureClass.WRONG_WORK),
        (["size"], ["done"], 0, FailureClass.WRONG_WORK),
        ([], [], 0, FailureClass.WRONG_WORK),
    ],
)
def test_the_class_of_a_failure(gates: list[str], claims: list[str], refusals: int, expected: FailureClass) -> None:
    assert failure_class([found(gate) for gate in gates], claims=claims, refusals=refusals) is expected


def test_warnings_have_no_class_and_a_stall_keeps_its_own() -> None:
    assert failure_class([found("scope", Severity.WARN)]) is FailureClass.WRONG_WORK
    assert failure_class([found("scope")], outcome=FailureClass.CONTEXT) is FailureClass.CONTEXT
