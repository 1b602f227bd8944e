"""What a check measures with. A candidate that touched it proves nothing by that check turning green.

    1. Tests that stood on the base, changed in any way: an added line can replace what is tested. A wholly new test
       file is none of them.
    2. What sets tests up, wherever it lies and also where it is new: `conftest.py`, `sitecustomize.py`, `pytest.ini`,
       `jest.config.*` and their kind; a new `__init__.py` among tests or above them; a new file among tests that
       bears the name of a code file elsewhere, in whose stead it could be imported.
    3. Of one check, what its command names and the candidate changed or made:
       - what it executes: `./X`, `sh X`, `python X`, `python -m X`, `node X`, `. X`, `sh < X`, also inside `$(…)`;
       - what it compares with (`diff`, `cmp`) or is steered by (`-f X` of grep, awk, sed and make, `--config X`);
       - a new test file, or a directory of tests that the base lacks: a check may be red for want of it alone;
       - what its programs read by themselves: `Makefile` for make, `package.json` for npm.
    4. Where a test runner found no test on the base: every new test file.

Other files that a command names are what it looks at: `grep -q 'a + b' ops.py`, `ruff check src/app.py`. And a file of
rule 3 that is the one and only file allowed is the work itself (`python calc.py`, with `allow = ["calc.py"]`), but for
tests. A line that cannot be split names, in all its words, what it executes. What a script calls is not followed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from benchdog.checks.command import SHELLS, Argv, commands
from benchdog.contract import PathClass
from benchdog.contract.classes import classes_of
from benchdog.contract.globs import exact_path
from benchdog.gates.case import Case, CheckPair

_SET_UP = """
    conftest.py sitecustomize.py usercustomize.py *.pth pytest.ini .pytest.ini tox.ini setup.cfg
    jest.config.* jest.setup.* jest-setup.* jest.preset.* vitest.config.* vitest.setup.* vitest.workspace.*
    setuptests.* .mocharc.* karma.conf.* playwright.config.* cypress.config.* babel.config.* .babelrc .rspec
    spec_helper.rb rails_helper.rb test_helper.* phpunit.xml phpunit.xml.dist nextest.toml
"""
_CODE = (".py", ".js", ".cjs", ".mjs", ".ts", ".jsx", ".tsx", ".rb", ".php", ".lua", ".pl", ".pm")
_INTERPRETER = re.compile(
    r"(?:python|pypy)[\d.]*(?:\.exe)?|node|nodejs|deno|bun|tsx|ts-node|ruby|perl|php|lua|Rscript|julia"
)
_READS = """
    make gmake: makefile gnumakefile *.mk
    npm pnpm yarn bun npx jest mocha vitest ava turbo nx eslint prettier tsc: package.json .npmrc .yarnrc.yml
    eslint prettier tsc: *eslint* .prettier* tsconfig*.json
    tox nox hatch poetry pdm uv rye pixi pytest py.test poe: pyproject.toml setup.py noxfile.py pixi.toml
    mypy ruff flake8 pylint black isort pyright: pyproject.toml mypy.ini .mypy.ini *ruff.toml .flake8 *pylintrc
    pyright: pyrightconfig.json
    invoke inv: tasks.py invoke.y*ml
    just: justfile .justfile
    task: taskfile.y*ml
    rake: rakefile *.rake
    cargo: cargo.toml build.rs
    ctest cmake: cmakelists.txt *.cmake
    ninja: build.ninja
    gradle gradlew: build.gradle* settings.gradle*
    mvn mvnw: pom.xml
    composer: composer.json
"""
_FILE_OPTIONS = """
    grep egrep fgrep awk gawk mawk sed make gmake jq: -f --file
    pytest py.test jest vitest eslint tox nox: -c -f -r
"""
_CONFIG = {"--config", "--config-file", "--configfile", "--rcfile", "--settings", "--rootdir", "--require"}
_COMPARERS = {"diff", "cmp", "comm", "sdiff", "colordiff"}


def touched(case: Case, pair: CheckPair) -> tuple[str, ...]:
    """The paths that the candidate touched and by which this check measures, ordered by path."""
    found = {*_shared(case), *_named_tests(case, pair), *_first_tests(case, pair)}
    only = _only_allowed(case)
    found.update(path for path in _own(case, pair) if path != only)
    return tuple(sorted(found))


def _shared(case: Case) -> Iterator[str]:
    """Rules 1 and 2."""
    homes, names = _test_homes(case), _names_of_work(case)
    for change in case.changes:
        folder, _, name = change.path.rpartition("/")
        test, new = _is_test(case, change.path), change.before is None
        package = new and name == "__init__.py" and (test or folder in homes)
        shadow = new and test and name in names
        if (test and not new) or package or shadow or _any_of(name, _SET_UP.split()):
            yield change.path


def _test_homes(case: Case) -> frozenset[str]:
    """Directories in which tests stood on the base, and all above them; the root is empty."""
    homes = set()
    for path in case.base.entries:
        folder = path.rpartition("/")[0]
        while folder not in homes and _is_test(case, path):
            homes.add(folder)
            folder = folder.rpartition("/")[0]
    return frozenset(homes)


def _names_of_work(case: Case) -> frozenset[str]:
    """Names of code files on the base that are no tests: one of them among the tests would be found in their stead."""
    return frozenset(_name(path) for path in case.base.entries if path.endswith(_CODE) and not _is_test(case, path))


def _is_test(case: Case, path: str) -> bool:
    return PathClass.TESTS in classes_of(path, case.classes)


def _own(case: Case, pair: CheckPair) -> Iterator[str]:
    """Rule 3 but for new tests."""
    lines = commands(pair.check.run)
    if lines is None:
        lines = tuple(("sh", word) for word in re.split(r"[^\w./+@-]+", pair.check.run) if word)
        lines += tuple((word,) for _, word in lines)
    words = tuple(_steering(lines))
    patterns = [pattern for argv in lines for pattern in _row(_READS, _name(argv[0]))]
    for change in case.changes:
        if _any_of(_name(change.path), patterns) or _is_named(change.path, words, case, pair):
            yield change.path


def _steering(lines: tuple[Argv, ...]) -> Iterator[str]:
    """The words of these commands that name what is executed, compared with or steered by."""
    for argv in lines:
        program = _name(argv[0])
        options = _CONFIG.union(_row(_FILE_OPTIONS, program))
        yield from _modules(argv[0])
        if program in (".", "source", *_COMPARERS):
            yield from (word for word in argv[1:] if not word.startswith("-"))
        for index, word in enumerate(argv):
            if _name(word) in SHELLS or _INTERPRETER.fullmatch(_name(word)):
                yield from _script(argv[index + 1 :])
            if word in options:
                yield from argv[index + 1 : index + 2]
            elif word.partition("=")[0] in options:
                yield word.partition("=")[2]


def _script(words: Argv) -> Iterator[str]:
    """What an interpreter is given to run: the module after `-m`, else each word up to the first that is a file's."""
    for index, word in enumerate(words):
        if word == "-m":
            yield from _modules(*words[index + 1 : index + 2])
            return
        yield word
        if not word.startswith("-") and ("/" in word or "." in word):
            return


def _modules(*names: str) -> Iterator[str]:
    """A program's word as a path, and as the files of a module of that name."""
    for name in names:
        yield name
        if re.fullmatch(r"\w+(?:\.\w+)*", name):
            stem = name.replace(".", "/")
            yield from (f"{stem}.py", f"{stem}/__main__.py", f"{stem}/__init__.py")


def _named_tests(case: Case, pair: CheckPair) -> Iterator[str]:
    """New tests that the command names, themselves or by a directory that the base lacks."""
    new = [change.path for change in case.changes if change.before is None and _is_test(case, change.path)]
    lines = (commands(pair.check.run) if new else None) or ()
    words = tuple(_test_words(word for argv in lines for word in argv))
    for path in new:
        folders = [path[: at.start()] for at in re.finditer("/", path)]
        lacking = [folder for folder in folders if not any(each.startswith(f"{folder}/") for each in case.base.entries)]
        if any(_is_named(each, words, case, pair) for each in (path, *lacking)):
            yield path


def _test_words(words: Iterable[str]) -> Iterator[str]:
    """Words as runners take them: `tests/test_a.py::test_one`, `tests.test_a.ATest.test_one`."""
    for word in words:
        plain = word.partition("::")[0]
        parts = plain.split(".")
        yield from _modules(*(".".join(parts[:end]) for end in range(1, min(len(parts), 20) + 1)))


def _first_tests(case: Case, pair: CheckPair) -> Iterator[str]:
    """Rule 4."""
    report = pair.base_tests
    if report is not None and not report.passed and not report.failed:
        yield from (change.path for change in case.changes if _is_test(case, change.path))


def _is_named(path: str, words: Iterable[str], case: Case, pair: CheckPair) -> bool:
    """Whether a word means `path`: from the check's directory or, where nothing lies there, from any other."""
    moves = re.search(r"\b(?:cd|pushd)\s|\s(?:-C|--directory|--prefix|--cwd)\b", pair.check.run)
    for word in words:
        plain = posixpath.normpath(word)
        if plain in (".", "/"):
            continue
        here = posixpath.normpath(posixpath.join(pair.check.cwd, plain))
        if path == here or plain.endswith(f"/{path}"):
            return True
        if path.endswith(f"/{plain}") and (moves or here not in case.base.entries):
            return True
    return False


def _only_allowed(case: Case) -> str | None:
    """The path that alone may change, where the contract names one so and nothing else; no test."""
    allow = case.contract.scope.allow
    only = exact_path(allow[0]) if len(allow) == 1 else None
    return only if only and not _is_test(case, only) else None


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _any_of(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)


def _row(table: str, program: str) -> list[str]:
    """What a table of `program program: value value` says of a program."""
    rows = (line.partition(": ") for line in table.strip().splitlines())
    return [value for programs, _, values in rows if program in programs.split() for value in values.split()]
