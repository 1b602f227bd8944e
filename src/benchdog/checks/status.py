"""From a finished check to its status; and what makes a green one doubtful."""

from __future__ import annotations

import re

from benchdog.checks.text import clean
from benchdog.checks.values import CheckResult, CheckStatus, TestReport

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # POSIX, Shell Command Language, 2.8.2

_TAIL_LINES = 40  # what keeps a command from its work stands at the end of its output
_MODULE = re.compile(
    r"^(?:(?:[^\n:]{0,500}/)?(?:python|pypy)[\w.]*: No module named '?([\w.]+)'?"  # python -m X
    r"|(?:E +)?ModuleNotFoundError: No module named '(pytest|pytest_\w+|xdist|hypothesis|coverage|nox|tox)')$",
    re.MULTILINE,
)
_PACKAGE = re.compile(r"Cannot find (?:module|package) '([^'\n]{0,300}node_modules[^'\n]{1,300})'")
_COMMAND = re.compile(
    r"^(?:\S*sh: (?:line )?(?:\d+: )?|make(?:\[\d+\])?: |env: |/usr/bin/env: |error: )"
    r"['‘`]?([\w./@+-]{1,200})['’`]?: "
    r"(?:command not found|not found|inaccessible or not found|No such file or directory)",
    re.MULTILINE,
)
_REFUSED = re.compile(
    r"^(?:\S*sh: (?:line )?(?:\d+: )?)?(\S{1,200}): (?:Permission denied|cannot execute[^\n]*)$", re.MULTILINE
)
_ARGUMENTS = re.compile(r"^\S[^\n]{0,200}: error: unrecognized arguments: (\S+)", re.MULTILINE)
_SCRIPT = re.compile(r"^npm (?:ERR!|error) Missing script: \"?([^\"\n]{1,80})", re.MULTILINE)
_NETWORK = re.compile(
    r"(Network is unreachable|Temporary failure in name resolution|Name or service not known"
    r"|Could not resolve host|[Cc]ould not resolve hostname|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)"
    r"|dial tcp: lookup [^\n]{1,100}|failed to lookup address information|nodename nor servname provided)"
)
_PLUGINS = {
    "--cov": "pytest-cov",
    "-n": "pytest-xdist",
    "--timeout": "pytest-timeout",
    "--asyncio-mode": "pytest-asyncio",
}


def classify(
    exit_status: int | None, timed_out: bool, output: str, report: TestReport | None
) -> tuple[CheckStatus, str | None]:
    """The status of a finished check and, for `broken`, what the person can do about it. Never raises.

    Broken is only what says that the command could not do its work: where a runner reported its tests, they count,
    whatever else they printed.
    """
    if timed_out:
        return CheckStatus.TIMED_OUT, None
    if exit_status == 0:
        return CheckStatus.GREEN, None
    if exit_status is None:
        return CheckStatus.BROKEN, "the check could not be started: look at its command"
    if report is not None and report.complete and report.passed + report.failed > 0:
        return CheckStatus.RED, None
    fix = _fix(exit_status, "\n".join(clean(output).rstrip().split("\n")[-_TAIL_LINES:]))
    return (CheckStatus.BROKEN, fix) if fix else (CheckStatus.RED, None)


def _fix(exit_status: int, text: str) -> str | None:
    module, command, refused = _MODULE.search(text), _COMMAND.search(text), _REFUSED.search(text)
    if module:
        name = module[1] or module[2]
        return (
            f"install {name!r} into the environment that the check uses (for example `python -m pip install "
            f"{name}` into .venv, which is lent to checks), or correct the check's command"
        )
    if exit_status == _NOT_FOUND or (command and command[0].rstrip().endswith("not found")) or _from_make(command):
        name = repr(command[1]) if command else "a program that the check starts"
        return f"{name} is not found inside the sandbox: install it, expose its directory, or correct the command"
    if exit_status == _NOT_EXECUTABLE:
        name = repr(refused[1]) if refused else "the program"
        return f"{name} cannot be executed: `chmod +x` it, or start it through its interpreter"
    return _fix_of_tool(text)


def _from_make(command: re.Match[str] | None) -> bool:
    return command is not None and command[0].startswith("make")


def _fix_of_tool(text: str) -> str | None:
    argument, script, network = _ARGUMENTS.search(text), _SCRIPT.search(text), _NETWORK.search(text)
    package = _PACKAGE.search(text)
    if argument:
        option = argument[1].split("=")[0]
        plugin = _PLUGINS.get(option)
        what = f"install {plugin}" if plugin else "install the plugin that knows it"
        return f"the runner does not know {option!r}: {what}, or take it out of the command and its settings"
    if script:
        return f"package.json has no script {script[1]!r}: add it, or correct the check's command"
    if package:
        return f"{package[1]!r} is missing: run `npm ci`; node_modules is lent to checks"
    if network:
        return (
            f"the check wants the network ({network[1]!r}), which checks do not have: download what it needs before "
            "(uv sync, npm ci, cargo fetch, go mod download), or take that step out of the check"
        )
    return None


def suspicious(
    result_before: CheckResult | None,
    tests_before: TestReport | None,
    result_after: CheckResult,
    tests_after: TestReport | None,
) -> tuple[str, ...]:
    """Why a green check may not be believed: one message each, empty where nothing speaks against it.

    A check that is not green says enough by itself. `before` is the base; None: it was not run there.
    """
    if result_after.status is not CheckStatus.GREEN:
        return ()
    known = tests_before if tests_before is not None and tests_before.complete else None
    if tests_after is None:
        return (_silent(known),) if known is not None and _total(known) else ()
    messages = []
    if not tests_after.complete and not _always_so(result_before, tests_before):
        messages.append(
            f"{tests_after.runner} ended before its closing report: an exit status of 0 without it proves nothing"
        )
    elif tests_after.complete and not tests_after.passed and (known is None or known.passed + known.failed):
        messages.append("no test ran" if not _total(tests_after) else "no test ran: all were skipped")
    elif known is not None:
        messages.extend(_compared(known, tests_after))
    return tuple(messages)


def _silent(known: TestReport) -> str:
    return f"it told nothing of its tests, though {known.runner} told of {_total(known)} on the base"


def _always_so(result: CheckResult | None, tests: TestReport | None) -> bool:
    """Whether this command never shows the closing report (it is sent elsewhere), green on the base too."""
    return result is not None and result.status is CheckStatus.GREEN and tests is not None and not tests.complete


def _compared(before: TestReport, after: TestReport) -> list[str]:
    messages = []
    if _total(after) < _total(before):
        gone = [each for each in _ids(before) if each not in set(_ids(after))] if _ids(after) else []
        named = f" (gone: {', '.join(gone[:3])}{', …' if len(gone) > 3 else ''})" if gone else ""
        messages.append(f"the number of tests fell from {_total(before)} to {_total(after)}{named}")
    if after.skipped > before.skipped:
        skipped = [each for each in after.skipped_ids if each not in set(before.skipped_ids)]
        named = f" (now skipped: {', '.join(skipped[:3])}{', …' if len(skipped) > 3 else ''})" if skipped else ""
        messages.append(f"the number of skipped tests rose from {before.skipped} to {after.skipped}{named}")
    return messages


def _total(tests: TestReport) -> int:
    return tests.passed + tests.failed + tests.skipped


def _ids(tests: TestReport) -> tuple[str, ...]:
    return tests.passed_ids + tests.failed_ids + tests.skipped_ids
