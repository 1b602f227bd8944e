"""Texts that `benchdog init` writes: a repository's settings with the checks that were found; contract templates."""

from __future__ import annotations

from collections.abc import Mapping

from benchdog.contract.detect import Detected
from benchdog.contract.duration import format_duration
from benchdog.contract.naming import name_check
from benchdog.contract.write import toml_value
from benchdog.errors import UserError

_SETTINGS = """\
# What every contract of this repository shares. Every key: docs/reference.md, or `benchdog config --schema`.
# Your own settings (the model's address) are in config.toml: `benchdog config --explain` shows where.
"""
_NO_CHECKS = """
# No check was found. One is a command that exits 0 when all is well:
# [[check]]
# name = "tests"
# run = "python3 -m pytest -q"
"""
_MORE = """
# [classes]
# generated = ["src/schema/**"]        # further paths that stay closed inside a pattern

# [sandbox]
# fresh = ["dist"]                     # ignored paths that checks do not see
"""


def render_settings(detected: Detected) -> str:
    """The text of a `benchdog.toml` with the checks that were found; it reads back to exactly those."""
    parts = [_SETTINGS]
    parts += [f"# {_comment(note)}\n" for note in detected.notes]
    for found in detected.checks:
        check = found.check
        parts.append(
            f"\n[[check]]                                # found in {_comment(found.why)}\n"
            f"name = {toml_value(check.name)}\nrun = {toml_value(check.run)}\n"
            f"timeout = {toml_value(format_duration(check.timeout))}\n"
        )
    return "".join([*parts, "" if detected.checks else _NO_CHECKS, _MORE])


def _comment(text: str) -> str:
    """On one line, with nothing in it that a comment may not hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


_LOGGING = """\
# Log what a module does. Fill in the file, then: benchdog run {file}
goal = \"\"\"
Log every public function and method of src/app/service.py with the module's own logger: entry at debug level with the
arguments' names and no values, failures with logger.exception. Nothing else changes: no signature, no return value.
\"\"\"

[scope]
allow = ["src/app/service.py"]
max_files = 1
max_lines = 120

[[deliver]]
path = "src/app/service.py"
contains = "getLogger"
"""
_IMPORTS = """\
# Put the imports of a file in order. Fill in the file, then: benchdog run {file}
goal = \"\"\"
Sort and group the imports of src/app/service.py (standard library, third party, own), remove those that are not used,
and move imports inside functions to the top where that makes no cycle. Nothing else changes.
\"\"\"

[scope]
allow = ["src/app/service.py"]
max_files = 1
max_lines = 40
"""
_FIXTURES = """\
# Move repeated set-up of tests into fixtures. Fill in the files, then: benchdog run {file}
goal = \"\"\"
In tests/test_service.py move set-up that two or more tests repeat into pytest fixtures in the same file. Every test
keeps its name, its assertions and what it covers; none is added, removed or skipped.
\"\"\"

[scope]
allow = ["tests/test_service.py"]
max_files = 1
max_lines = 200
"""
TEMPLATES: Mapping[str, str] = {"logging": _LOGGING, "imports": _IMPORTS, "fixtures": _FIXTURES}


def render_template(name: str, file: str, run: str | None = None) -> str:
    """A contract of a common kind, to be filled in; `run` is its check where the repository's settings name none.

    Raises UserError for a name that is not known.
    """
    if name not in TEMPLATES:
        raise UserError(f"there is no template {name!r}", hint="one of " + ", ".join(TEMPLATES))
    check = f"\n[[check]]\nname = {toml_value(name_check(run))}\nrun = {toml_value(run)}\n" if run else ""
    return TEMPLATES[name].replace("{file}", _comment(file)) + check
