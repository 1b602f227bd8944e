"""What a repository is checked by, from its own files: pure over its paths and a reader. Nothing is run or asked.

Each detector looks at one kind of project and gives checks with a note on where they were found. A project without
tests gets what its language has built in.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchdog.contract.classes import classes_of
from benchdog.contract.naming import name_check
from benchdog.contract.values import Check, PathClass

Reader = Callable[[str], bytes | None]

MAX_BYTES = 1_000_000  # of a file that is looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A check and where it was found, in words."""

    check: Check
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """`languages` are those of the source files, most files first. `notes` are for the person."""

    checks: tuple[Found, ...]
    languages: tuple[str, ...]
    notes: tuple[str, ...] = ()


def detect(paths: Iterable[str], read: Reader) -> Detected:
    """The checks of the repository with these paths. Files that do not read are taken as not there."""
    project = _Project(tuple(sorted(paths)), read)
    found = [each for detector in _DETECTORS for each in detector(project)]
    languages = project.languages()
    notes = list(project.notes)
    if not any(each.check.name.startswith("tests") for each in found):
        built_in = [each for language in languages if (each := _built_in(language, project))]
        found += [each for each in built_in if each.check.run not in {known.check.run for known in found}]
        notes.append("no tests were found: built-in checks show only that the code compiles")
    return Detected(checks=_named(found), languages=languages, notes=tuple(dict.fromkeys(notes)))


def environments_own(run: str) -> str:
    """`uv run X`, `poetry run X` … as plain `X`: checks run with the lent environment's own programs first on PATH."""
    bare = _RUNNER.sub("", run.strip())
    return re.sub(r"^(?:\./)?\.?venv/bin/", "", bare) if bare else run


_RUNNER = re.compile(
    r"^(?:uv|poetry|pdm|rye|pipenv|hatch|pixi)\s+run\s+"
    r"(?:(?:--(?:extra|group|with|python|package|env|environment)[ =]\S+|-p\s+\S+|-e\s+\S+|-m(?=\s)|--?[\w-]+)\s+)*"
)


class _Project:
    def __init__(self, paths: tuple[str, ...], read: Reader) -> None:
        self.paths = frozenset(paths)
        self.top = frozenset(path.split("/", 1)[0] for path in paths)
        self.notes: list[str] = []
        self._read = read
        self._ordered = paths

    def text(self, path: str) -> str:
        """A file's text; empty where it is not there, too large or not to be read."""
        data = self._read(path) if path in self.paths else None
        return data.decode("utf-8", "replace") if data is not None and len(data) <= MAX_BYTES else ""

    def toml(self, path: str) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text(path).removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            self.notes.append(f"{path} does not read: what it says of checks was left out")
            return {}

    def json(self, path: str) -> dict[str, Any]:
        try:
            found = json.loads(self.text(path).removeprefix("\ufeff") or "{}")
        except (ValueError, RecursionError):
            self.notes.append(f"{path} does not read: what it says of checks was left out")
            return {}
        return found if isinstance(found, dict) else {}

    def tests(self, suffix: str) -> tuple[str, ...]:
        return tuple(p for p in self._ordered if p.endswith(suffix) and PathClass.TESTS in classes_of(p))

    def languages(self) -> tuple[str, ...]:
        counts: dict[str, int] = {}
        for path in self._ordered:
            language = _LANGUAGES.get("." + path.rpartition("/")[2].rpartition(".")[2].lower())
            if language and not classes_of(path) & {PathClass.DEPENDENCIES, PathClass.GENERATED}:
                counts[language] = counts.get(language, 0) + 1
        return tuple(sorted(counts, key=lambda language: (-counts[language], language)))


_LANGUAGES = {
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".ts", ".tsx", ".mts", ".cts"), "typescript"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "javascript"),
    ".rs": "rust",
    ".go": "go",
}


def _python(project: _Project) -> Iterator[Found]:
    """pytest where anything speaks of it, else unittest where there are tests in its form."""
    for path, sign in (
        ("pytest.ini", ""),
        (".pytest.ini", ""),
        ("setup.cfg", r"^\[tool:pytest\]"),
        ("tox.ini", r"^\[pytest\]|\bpytest\b"),
        ("pyproject.toml", r"pytest"),
        ("noxfile.py", r"\bpytest\b"),
        ("conftest.py", ""),
        ("tests/conftest.py", ""),
        ("requirements-dev.txt", r"^pytest\b"),
        ("requirements.txt", r"^pytest\b"),
    ):
        if path in project.paths and re.search(sign, project.text(path), re.MULTILINE):
            yield _found("python3 -m pytest -q", path)
            return
    tests = project.tests(".py")
    texts = [project.text(path) for path in tests[:50]]
    if any(re.search(r"^\s*(?:import|from) pytest\b|^(?:async )?def test_", text, re.MULTILINE) for text in texts):
        yield _found("python3 -m pytest -q", tests[0])
    elif any(re.search(r"\bunittest\b", text) for text in texts):
        yield _found("python3 -m unittest discover" + _start_folder(tests), tests[0])


def _start_folder(tests: tuple[str, ...]) -> str:
    """unittest looks for tests below a folder that it can import only if each folder is a package."""
    folders = {path.split("/")[0] for path in tests if "/" in path}
    packages = {path.rpartition("/")[0] for path in tests if path.endswith("__init__.py")}
    odd = folders - packages
    return f" -s {min(odd)}" if len(odd) == 1 and len(folders) == 1 else ""


def _python_types(project: _Project) -> Iterator[Found]:
    tools = project.toml("pyproject.toml").get("tool") if "pyproject.toml" in project.paths else {}
    known = tools if isinstance(tools, dict) else {}
    configured = "mypy.ini" in project.paths or ".mypy.ini" in project.paths
    configured = configured or bool(re.search(r"^\[mypy\]", project.text("setup.cfg"), re.MULTILINE))
    mypy = known.get("mypy")
    if isinstance(mypy, dict) and (mypy.get("files") or mypy.get("packages")):
        yield _found("mypy", "pyproject.toml, [tool.mypy]")
    elif isinstance(mypy, dict) or configured:
        yield _found("mypy .", "its own settings")
    if "ruff" in known or {"ruff.toml", ".ruff.toml"} & project.paths:
        yield _found("ruff check .", "its own settings")


def _node(project: _Project) -> Iterator[Found]:
    """The test script of package.json, by the package manager whose lock file is there."""
    if "package.json" not in project.paths:
        return
    scripts = project.json("package.json").get("scripts")
    known = scripts if isinstance(scripts, dict) else {}
    manager = next((name for lock, name in _LOCKS if lock in project.paths), "npm")
    for name in ("test", "typecheck", "type-check", "lint"):
        command = known.get(name)
        if isinstance(command, str) and command.strip() and "no test specified" not in command:
            short = name == "test" and manager != "bun"
            yield _found(f"{manager} {name}" if short else f"{manager} run {name}", f"package.json, scripts.{name}")
            if re.search(r"\b(?:vitest|jest)\b(?!.*\brun\b)", command) and "watch" in command:
                project.notes.append(f"scripts.{name} watches: give the check a command that ends")


_LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun"))


def _rust(project: _Project) -> Iterator[Found]:
    if "Cargo.toml" in project.paths:
        rust = [path for path in project.paths if path.endswith(".rs")]
        if any(PathClass.TESTS in classes_of(path) or "#[test]" in project.text(path) for path in sorted(rust)[:500]):
            yield _found("cargo test --offline", "Cargo.toml")


def _go(project: _Project) -> Iterator[Found]:
    if "go.mod" in project.paths and project.tests("_test.go"):
        yield _found("go test ./...", "go.mod")


def _make(project: _Project) -> Iterator[Found]:
    """Targets `test` and `check`; only where no language's own tests were found before: they mostly call those."""
    name = next((name for name in ("Makefile", "makefile", "GNUmakefile") if name in project.paths), None)
    if name is None:
        return
    text = project.text(name)
    for target in ("test", "tests", "check"):
        if found := re.search(rf"^{target}\s*:(?!=)[^\n]*\n((?:\t[^\n]*(?:\n|\Z))*)", text + "\n", re.MULTILINE):
            yield _found(_recipe(found[1]) or f"make {target}", f"{name}, target {target}")


def _recipe(lines: str) -> str | None:
    """The one command of a target where it goes through a runner of environments (`uv run X`): X itself is there."""
    command = lines.strip().lstrip("@-")
    plain = command and "\n" not in command and "$" not in command
    return command if plain and environments_own(command) != command else None


def _by_make_or_own(project: _Project) -> Iterator[Found]:
    own = [each for detector in (_python, _node, _rust, _go) for each in detector(project)]
    yield from own
    if not any(each.check.name == "tests" for each in own):
        yield from _make(project)


_DETECTORS: tuple[Callable[[_Project], Iterator[Found]], ...] = (_by_make_or_own, _python_types)


def _built_in(language: str, project: _Project) -> Found | None:
    """What a language can say of code without tests."""
    if language == "python":
        folders = sorted({path.split("/")[0] for path in project.paths if path.endswith(".py")})
        places = " ".join(name for name in folders if re.fullmatch(r"[\w.-]+", name)) or "."
        return _found(f"python3 -m compileall -q {places}", "built into Python")
    if language == "typescript" and "tsconfig.json" in project.paths:
        return _found("npx --no-install tsc --noEmit", "tsconfig.json")
    if language == "rust" and "Cargo.toml" in project.paths:
        return _found("cargo check --offline", "Cargo.toml")
    if language == "go" and "go.mod" in project.paths:
        return _found("go build ./... && go vet ./...", "go.mod")
    return None


def _found(run: str, why: str) -> Found:
    command = environments_own(run)
    return Found(check=Check(name=name_check(command), run=command), why=why)


def _named(found: list[Found]) -> tuple[Found, ...]:
    """Each command once, each name once."""
    result: list[Found] = []
    for each in found:
        if each.check.run in {known.check.run for known in result}:
            continue
        name = name_check(each.check.run, [known.check.name for known in result])
        result.append(replace(each, check=replace(each.check, name=name)))
    return tuple(result)
