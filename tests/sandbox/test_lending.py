from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.contract import SandboxSettings
from benchdog.sandbox.lending import decide_lending
from benchdog.sandbox.policy import Lending, Lent

ROOT = Path("/home/person/project")
READ_ONLY, PRIVATE, COPY = Lending.READ_ONLY, Lending.PRIVATE, Lending.COPY


def no_secret(path: str) -> bool:
    return False


def lent(ignored: list[tuple[str, bool]], settings: SandboxSettings | None = None) -> dict[str, Lending]:
    decided = decide_lending(ignored, settings or SandboxSettings(), ROOT, no_secret)
    assert all(each.source == ROOT / each.path for each in decided)
    return {each.path: each.how for each in decided}


@pytest.mark.parametrize(
    ("path", "is_directory", "how"),
    [
        (".venv/", True, READ_ONLY),
        (".venv-3.12/", True, READ_ONLY),
        ("venv", True, READ_ONLY),
        ("packages/web/node_modules/", True, PRIVATE),
        ("node_modules", False, READ_ONLY),  # a symbolic link
        ("vendor/", True, READ_ONLY),
        (".tox/", True, READ_ONLY),
        ("build/", True, PRIVATE),
        ("target/", True, PRIVATE),
        ("src/pkg.egg-info/", True, PRIVATE),
        ("src/_version.py", False, COPY),
        ("lib/_speedups.cpython-312-x86_64-linux-gnu.so", False, COPY),
        ("my-node_modules-notes", False, COPY),
    ],
)
def test_how_a_path_is_lent(path: str, is_directory: bool, how: Lending) -> None:
    assert lent([(path, is_directory)]) == {path.rstrip("/"): how}


@pytest.mark.parametrize(
    "path",
    [
        "__pycache__/",
        "src/deep/__pycache__/",
        ".pytest_cache/",
        ".mypy_cache/",
        ".ruff_cache/",
        ".hypothesis/",
        ".coverage",
        ".coverage.host.123",
        "htmlcov/",
        "module.pyc",
        ".DS_Store",
        "notes.swp",
        "sub/.git/",
        "/",
        "",
    ],
)
def test_caches_and_leavings_are_not_lent(path: str) -> None:
    assert lent([(path, path.endswith("/"))]) == {}


def test_secrets_are_never_lent_even_when_asked_for() -> None:
    secrets = {".env", "keys"}

    def secret(path: str) -> bool:
        return path.rstrip("/") in secrets

    ignored = [(".env", False), ("keys/", True), ("keys/one/build/", True), ("build/", True)]
    settings = SandboxSettings(lend=(".env", "keys", "build"))
    assert decide_lending(ignored, settings, ROOT, secret) == (Lent(path="build", source=ROOT / "build", how=PRIVATE),)


@pytest.mark.parametrize("fresh", ["dist", "dist/", "./web/dist", "web/*", "/web/dist", "d?st"])
def test_fresh_removes(fresh: str) -> None:
    ignored = [("web/dist/", True), ("build/", True)]
    assert lent(ignored, SandboxSettings(fresh=(fresh,))) == {"build": PRIVATE}


def test_lend_adds_what_is_a_cache() -> None:
    ignored = [(".cache/", True), (".turbo/", True)]
    assert lent(ignored, SandboxSettings(lend=(".cache",))) == {".cache": PRIVATE}


def test_fresh_wins_over_lend() -> None:
    assert lent([("dist/", True)], SandboxSettings(lend=("dist",), fresh=("dist",))) == {}


def test_what_lies_in_a_lent_directory_comes_with_it() -> None:
    ignored = [("a/b/", True), ("a/", True), ("a b/", True), ("a/b/c", False), ("a.txt", False)]
    assert lent(ignored) == {"a": PRIVATE, "a b": PRIVATE, "a.txt": COPY}


PATHS = st.lists(st.sampled_from(["a", "b", ".venv", "build", ".env", "x y", "__pycache__"]), min_size=1, max_size=3)


@given(st.lists(st.tuples(PATHS, st.booleans()), max_size=8))
def test_no_path_is_lent_twice_and_no_secret_ever(given_paths: list[tuple[list[str], bool]]) -> None:
    ignored = [("/".join(parts), is_directory) for parts, is_directory in given_paths]
    decided = decide_lending(ignored, SandboxSettings(), ROOT, lambda path: path.endswith(".env"))
    paths = [PurePosixPath(each.path) for each in decided]
    assert set(map(str, paths)) <= {path for path, _ in ignored}
    assert not any(".env" in path.parts for path in paths)
    assert not any(one != other and one.is_relative_to(other) for one in paths for other in paths)
