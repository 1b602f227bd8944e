"""`expect = "no-worse"`: what was green on the base must be green on the candidate."""

from __future__ import annotations

from benchdog.checks.values import TestReport


def worse(base: TestReport, candidate: TestReport) -> tuple[str, ...]:
    """The ids that are green on the base and red, skipped or gone on the candidate, in the base's order.

    Where the runner does not tell the ids of green tests: the ids red now that were not red on the base, and, where
    there is none though the numbers say worse, one line with the numbers.
    """
    if base.passed_ids:
        green = set(candidate.passed_ids)
        lost = tuple(dict.fromkeys(each for each in base.passed_ids if each not in green))
        if candidate.passed_ids or not candidate.complete or candidate.passed < base.passed:
            return lost
    known = set(base.failed_ids)
    newly_red = tuple(dict.fromkeys(each for each in candidate.failed_ids if each not in known))
    if newly_red:
        return newly_red
    if candidate.passed < base.passed or candidate.failed > base.failed or (base.complete and not candidate.complete):
        return (f"({base.passed} passed and {base.failed} failed on the base, now {_numbers(candidate)})",)
    return ()


def _numbers(report: TestReport) -> str:
    end = "" if report.complete else ", and it ended before its closing report"
    return f"{report.passed} passed and {report.failed} failed{end}"
