"""What a check measures with: who touches it has no witness."""

from __future__ import annotations

import pytest
from cases import Content, case, contract, pair, report, result
from hypothesis import given
from hypothesis import strategies as st

from benchdog.checks import CheckStatus
from benchdog.contract import Check, Scope
from benchdog.gates.instruments import touched
from benchdog.gates.proof import prove
from benchdog.verdict import Proof

RED, GREEN = result(CheckStatus.RED), result()
BASE: dict[str, Content] = {
    "calc/ops.py": "a - b",
    "check.sh": "grep",
    "tools/check.sh": "other",
    "tests/test_ops.py": "t",
    "expected.txt": "5",
    "Makefile": "test:",
    "package.json": "{}",
    "pyproject.toml": "[project]",
    "calc/__main__.py": "main",
    "words.txt": "a",
}


def found(run: str, *changed: str, allow: tuple[str, ...] = ("**",), cwd: str = ".") -> tuple[str, ...]:
    """What a candidate that changed (or made) these paths touched, for a check that runs `run`."""
    check = Check(name="c", run=run, cwd=cwd)
    judged = case(
        BASE,
        BASE | dict.fromkeys(changed, "new"),
        checks=(pair(RED, GREEN, check=check, witness=True),),
        contract=contract(scope=Scope(allow=allow)),
    )
    paths = touched(judged, judged.checks[0])
    assert prove(judged) is (Proof.NONE if paths else Proof.WITNESS)
    return paths


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_ops.py",
        "tests/conftest.py",
        "conftest.py",
        "src/conftest.py",
        "tests/__init__.py",
        "tests/new/__init__.py",
        "__init__.py",
        "tests/ops.py",
        "sitecustomize.py",
        "pytest.ini",
        "tox.ini",
        "setup.cfg",
        "jest.setup.ts",
        "web/vitest.config.mts",
        "src/setupTests.js",
    ],
)
def test_tests_that_stood_and_what_sets_tests_up(path: str) -> None:
    assert found("true", "calc/ops.py", path) == (path,)


@pytest.mark.parametrize("path", ["tests/test_new.py", "tests/data/new.json", "calc/new/__init__.py", "calc/setup.py"])
def test_a_new_test_and_a_new_package_are_work(path: str) -> None:
    assert found("python -m pytest -q", "calc/ops.py", path) == (("calc/setup.py",) if "setup" in path else ())
    assert found("python -m unittest", "calc/ops.py", path) == ()


@pytest.mark.parametrize(
    ("run", "path"),
    [
        ("sh check.sh", "check.sh"),
        ("./check.sh --fast", "check.sh"),
        ("bash -eu ./check.sh", "check.sh"),
        ("sh < check.sh > out.txt 2>&1", "check.sh"),
        (". ./check.sh", "check.sh"),
        ("if ! sh check.sh; then exit 1; fi", "check.sh"),
        ("timeout 5 env A=1 sh check.sh", "check.sh"),
        ("find . -exec sh check.sh {} +", "check.sh"),
        ("bash -o pipefail -c 'true && sh check.sh'", "check.sh"),
        ('test "$(sh check.sh)" = 5', "check.sh"),
        ("test `sh check.sh` = 5", "check.sh"),
        ("# that's it\nsh check.sh", "check.sh"),
        ('sh "$PWD/check.sh"', "check.sh"),
        ("cd tools && sh check.sh", "tools/check.sh"),
        ("cd tools && sh ../check.sh", "check.sh"),
        ("python calc/ops.py", "calc/ops.py"),
        ("python3 -X dev -u calc/ops.py 2 3 | grep 5", "calc/ops.py"),
        ("python -m calc 2 3 | grep 5", "calc/__main__.py"),
        ("python -m unittest", "unittest.py"),
        ("node web/run.js", "web/run.js"),
        ("make -s test", "Makefile"),
        ("npm test", "package.json"),
        ("npx jest", "package.json"),
        ("python -m pytest -q", "pyproject.toml"),
        ("grep -q -f words.txt calc/ops.py", "words.txt"),
        ("eslint --config=words.txt calc", "words.txt"),
        ("diff <(python calc/ops.py) expected.txt", "expected.txt"),
        ("cmp out.txt expected.txt", "expected.txt"),
        ("pytest tests/test_new.py", "tests/test_new.py"),
        ("pytest tests/test_new.py::test_it", "tests/test_new.py"),
        ("pytest tests/new", "tests/new/test_a.py"),
        ("python -m unittest tests.test_new.ATest.test_it", "tests/test_new.py"),
    ],
)
def test_what_a_command_executes_compares_with_and_is_steered_by(run: str, path: str) -> None:
    assert found(run, path, "README.md") == (path,)


@pytest.mark.parametrize(
    ("run", "path"),
    [
        ("grep -q 'a + b' calc/ops.py", "calc/ops.py"),
        ("wc -l < calc/ops.py", "calc/ops.py"),
        ("ruff check calc/ops.py", "calc/ops.py"),
        ("test -f words.txt", "words.txt"),
        ("python -m unittest -v", "package.json"),
        ("sh check.sh", "calc/ops.py"),
        ("sh check.sh", "tools/check.sh"),
        ("pytest tests/", "tests/test_new.py"),
        ("python -c 'import calc.ops; assert calc.ops.add(1, 2) == 3'", "calc/ops.py"),
        ("cat calc/ops.py > check.sh", "check.sh"),
    ],
)
def test_what_a_check_looks_at_is_the_work(run: str, path: str) -> None:
    assert found(run, path) == ()


def test_the_only_file_allowed_is_the_work_but_for_tests() -> None:
    assert found("python calc/ops.py", "calc/ops.py", allow=("calc/ops.py",)) == ()
    assert found("make", "Makefile", allow=("/Makefile",)) == ()
    assert found("make", "Makefile", allow=("Makefile", "calc/ops.py")) == ("Makefile",)
    assert found("pytest tests/test_new.py", "tests/test_new.py", allow=("tests/test_new.py",)) == (
        "tests/test_new.py",
    )


def test_a_check_runs_where_its_contract_says() -> None:
    assert found("sh check.sh", "tools/check.sh", cwd="tools") == ("tools/check.sh",)
    assert found("sh check.sh", "check.sh", cwd="tools") == ()


def test_a_line_that_cannot_be_split_names_all_its_words() -> None:
    assert found("sh check.sh 'open", "check.sh") == ("check.sh",)
    assert found("grep 'open calc/ops.py", "calc/ops.py") == ("calc/ops.py",)
    assert found("make 'open", "Makefile") == ("Makefile",)


def test_the_first_tests_of_all_are_no_witness() -> None:
    check = Check(name="c", run="pytest")
    for before, proof in ((report(), Proof.NONE), (report("", "a"), Proof.WITNESS), (None, Proof.WITNESS)):
        told = pair(RED, GREEN, check=check, witness=True, base_tests=before, candidate_tests=report("a b"))
        assert prove(case({"a.py": "1"}, {"a.py": "2", "tests/test_a.py": "t"}, checks=(told,))) is proof


LINES = st.text(alphabet="sh check.\n\"'`$()<>|&;#-m \\\0", max_size=60)


@given(LINES, st.sampled_from(["check.sh", "calc/ops.py", "tests/test_new.py"]))
def test_any_line_is_read(run: str, path: str) -> None:
    assert set(found(run, path)) <= {path}
    assert found(f"{run}\n", "tests/test_ops.py") == ("tests/test_ops.py",)
