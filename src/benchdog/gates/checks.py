"""Gate `checks`: what the contract's checks showed. A green exit status alone is not enough where more can be had.

A check that has not run on the candidate yields nothing here: whether all that must run have run is the runner's
to hold, which alone knows what is due.
"""

from __future__ import annotations

from benchdog.checks import CheckResult, CheckStatus
from benchdog.checks.compare import worse
from benchdog.checks.status import suspicious
from benchdog.contract import Expect
from benchdog.gates.case import Case, CheckPair
from benchdog.verdict import Finding, Severity

_SHOWN = 12  # test ids named in a message


def judge(case: Case) -> tuple[Finding, ...]:
    return tuple(found for pair in case.checks for found in judge_pair(pair))


def judge_pair(pair: CheckPair) -> tuple[Finding, ...]:
    """What one check shows: nothing where it holds or has not run on the candidate yet."""
    result = pair.candidate
    if result is None:
        return ()
    if result.status is CheckStatus.BROKEN:
        fix = f"; {result.fix}" if result.fix else ""
        return (_found(result, f"check {result.name!r} could not do its work{fix}{_output(result)}"),)
    if result.status is CheckStatus.TIMED_OUT:
        limit = f"{pair.check.timeout:g} s"
        return (_found(result, f"check {result.name!r} was not finished after {limit}{_output(result)}"),)
    if pair.check.expect is Expect.NO_WORSE:
        return (*_worse(pair, result), *_witness(pair))
    if result.status is CheckStatus.RED:
        return (_found(result, f"check {result.name!r} is red (exit status {result.exit_status}){_output(result)}"),)
    return (*_doubts(pair, result), *_witness(pair))


def turned_green(pair: CheckPair) -> bool:
    """Whether this check was red on the base and is green on the candidate: what a witness must do.

    A check that was not finished on the base, or could not do its work there, was not red. A `no-worse` check turns
    green only where the contract names it the witness, and each test that was red on the base passes now.
    """
    if pair.base is None or pair.candidate is None:
        return False
    if pair.base.status is not CheckStatus.RED or pair.candidate.status is not CheckStatus.GREEN:
        return False
    if pair.check.expect is not Expect.NO_WORSE:
        return True
    return pair.check.witness is True and not _still_red(pair)


def _still_red(pair: CheckPair) -> set[str]:
    """Tests that were red on the base and are not among those that pass now, where the runner tells which pass."""
    if pair.base_tests is None or pair.candidate_tests is None or not pair.candidate_tests.passed_ids:
        return set()
    return set(pair.base_tests.failed_ids) - set(pair.candidate_tests.passed_ids)


def _worse(pair: CheckPair, result: CheckResult) -> tuple[Finding, ...]:
    """Nothing green on the base may be red or gone: no test, nor the check as a whole, whatever its tests say.

    Without both test reports: red is worse unless it was red.
    """
    if pair.base is not None and pair.base.status is CheckStatus.GREEN and result.status is not CheckStatus.GREEN:
        message = f"check {result.name!r} was green on the base and is red now (exit status {result.exit_status})"
        return (_found(result, f"{message}{_lost(pair)}{_output(result)}"),)
    if pair.base_tests is not None and pair.candidate_tests is not None:
        lost = _lost(pair)
        if not lost:
            return ()
        return (_found(result, f"check {result.name!r} is worse than on the base{lost}{_output(result)}"),)
    if result.status is CheckStatus.GREEN:
        return _doubts(pair, result)
    if pair.base is not None and pair.base.status is CheckStatus.RED and pair.base_tests is None:
        return ()
    return (_found(result, f"check {result.name!r} is red and cannot be compared with the base{_output(result)}"),)


def _lost(pair: CheckPair) -> str:
    """The tests that were green on the base and are no longer; empty where there is none, or nothing tells."""
    if pair.base_tests is None or pair.candidate_tests is None:
        return ""
    lost = worse(pair.base_tests, pair.candidate_tests)
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    return f", make these green again: {', '.join(lost[:_SHOWN])}{more}" if lost else ""


def _witness(pair: CheckPair) -> tuple[Finding, ...]:
    """A named witness must fail on the base and pass on the candidate.

    Where it was not finished on the base nothing can be mended in the candidate: it proves nothing, a person reads it.
    """
    if pair.check.witness is not True or pair.base is None or pair.candidate is None or turned_green(pair):
        return ()
    if pair.base.status is CheckStatus.TIMED_OUT and pair.candidate.status is CheckStatus.GREEN:
        return ()
    if pair.base.status is CheckStatus.GREEN:
        message = (
            f"check {pair.check.name!r} is the witness, but it is green on the base as well: it proves nothing; "
            "name a check that fails today, or take `witness = true` out of the contract"
        )
    else:
        message = f"check {pair.check.name!r} is the witness: all that is red on the base must turn green"
    return (_found(pair.candidate, message),)


def _doubts(pair: CheckPair, result: CheckResult) -> tuple[Finding, ...]:
    return tuple(
        _found(result, f"check {result.name!r} is green, but {doubt}")
        for doubt in suspicious(pair.base, pair.base_tests, result, pair.candidate_tests)
    )


def _output(result: CheckResult) -> str:
    return f":\n{result.distilled.rstrip()}" if result.distilled.strip() else ""


def _found(result: CheckResult, message: str) -> Finding:
    return Finding(gate="checks", severity=Severity.BLOCK, message=message, evidence=result.output)
