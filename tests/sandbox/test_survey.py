from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchdog.sandbox.policy import Lending, Lent
from benchdog.sandbox.survey import Survey, follow, is_below, survey_host
from benchdog.system.environment import read_environment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path.resolve() / "home"
    home.mkdir()
    return home


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def look(home: Path, *path: Path | str, lent: tuple[Lent, ...] = (), **variables: str) -> Survey:
    """A survey for a repository `project` in the home; PATH is the given directories."""
    found = {"HOME": str(home), "PATH": ":".join(map(str, path)), **variables}
    return survey_host(read_environment(found, home), home / "project", lent)


def shown(survey: Survey, home: Path) -> tuple[list[str], dict[str, str]]:
    """What of the home is visible: binds and links, relative to it."""
    binds = [str(bind.relative_to(home)) for bind in survey.binds if bind.is_relative_to(home)]
    return binds, {str(at.relative_to(home)): text for text, at in survey.links if at.is_relative_to(home)}


def test_the_home_itself_is_never_shown(home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / "bin").mkdir()
    survey = look(home, home, home.parent, "/", "", "relative/bin", ".", home / "missing", home / "bin")
    assert shown(survey, home) == (["bin"], {})
    assert survey.path == (home / "bin",)


@pytest.mark.parametrize("name", [".pyenv", ".rbenv", ".asdf", ".volta"])
def test_a_version_manager_is_shown_whole(name: str, home: Path) -> None:
    program(home / name / "shims" / "python")
    program(home / name / "versions" / "1" / "bin" / "python")
    assert shown(look(home, home / name / "shims"), home) == ([name], {})


def test_an_installation_is_shown_whole_but_not_what_lies_beside(home: Path) -> None:
    program(home / "tools" / "node" / "bin" / "node")
    (home / "tools" / "node" / "lib").mkdir()
    (home / "tools" / "secret").mkdir()
    assert shown(look(home, home / "tools" / "node" / "bin"), home) == (["tools/node"], {})


def test_of_cargo_no_configuration_is_shown(home: Path) -> None:
    program(home / ".cargo" / "bin" / "cargo")
    for name in ("registry", "git", "lib"):
        (home / ".cargo" / name).mkdir()
    (home / ".cargo" / "credentials.toml").write_text("SECRET")
    binds, _ = shown(look(home, home / ".cargo" / "bin"), home)
    assert binds == [".cargo/bin", ".cargo/git", ".cargo/registry"]


def test_links_in_a_directory_of_programs_are_followed(home: Path) -> None:
    """A tool in an environment of its own, whose Python lies elsewhere again: each is found, nothing beside them."""
    python = program(home / "pythons" / "3.12" / "bin" / "python3")
    (home / "pythons" / "3.12" / "lib").mkdir()
    tool = home / ".local" / "share" / "uv" / "tools" / "ruff"
    program(tool / "bin" / "ruff")
    (tool / "bin" / "python").symlink_to(python)
    (tool / "pyvenv.cfg").write_text(f"home = {python.parent}\nversion = 3.12\n")
    program(home / "projects" / "mine" / "script.sh")
    (home / "projects" / "mine" / "secret").write_text("SECRET")
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "ruff").symlink_to(tool / "bin" / "ruff")
    (home / ".local" / "bin" / "mine").symlink_to("../../projects/mine/script.sh")
    (home / ".local" / "bin" / "gone").symlink_to("/no/such/place")
    binds, links = shown(look(home, home / ".local" / "bin"), home)
    assert binds == [".local/bin", ".local/share/uv/tools/ruff", "projects/mine/script.sh"]
    assert links == {}


def test_the_interpreter_of_a_lent_environment_is_found(home: Path) -> None:
    """uv links a directory of a minor version to one of a patch version, and the environment to the former."""
    real = program(home / "uv" / "cpython-3.12.1" / "bin" / "python3.12")
    (real.parent / "python3").symlink_to("python3.12")
    (home / "uv" / "cpython-3.12.1" / "lib").mkdir()
    (home / "uv" / "cpython-3.12").symlink_to("cpython-3.12.1")
    environment = home / "project" / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text(f"home = {home}/uv/cpython-3.12/bin\n")
    (environment / "bin" / "python").symlink_to(home / "uv" / "cpython-3.12" / "bin" / "python3.12")
    (environment / "bin" / "python3").symlink_to("python")
    survey = look(home, lent=(Lent(path=".venv", source=environment, how=Lending.READ_ONLY),))
    assert shown(survey, home) == (["uv/cpython-3.12.1"], {"uv/cpython-3.12": "cpython-3.12.1"})


@pytest.mark.parametrize(
    "line", ["home = relative/bin", "home =", "home", "\0", "home = /no/such/place", "x" * 100_000]
)
def test_a_hostile_pyvenv_shows_nothing(line: str, home: Path) -> None:
    environment = home / "project" / ".venv"
    environment.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text(line)
    survey = look(home, lent=(Lent(path=".venv", source=environment, how=Lending.READ_ONLY),))
    assert shown(survey, home) == ([], {})


def test_a_pyvenv_that_names_a_directory_without_python_shows_nothing(home: Path) -> None:
    (home / ".ssh").mkdir()
    environment = home / "project" / ".venv"
    environment.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text(f"home = {home}/.ssh\n")
    survey = look(home, lent=(Lent(path=".venv", source=environment, how=Lending.READ_ONLY),))
    assert shown(survey, home) == ([], {})


def test_what_lies_in_the_repository_comes_from_the_tree(home: Path) -> None:
    program(home / "project" / "bin" / "tool")
    survey = look(home, home / "project" / "bin")
    assert shown(survey, home) == ([], {})
    assert survey.path == (home / "project" / "bin",)


def test_the_system_is_there_without_its_secrets(home: Path) -> None:
    survey = look(home, "/usr/bin")
    seen = {str(bind) for bind in survey.binds} | {str(place) for _, place in survey.links}
    assert {"/usr", "/etc/passwd"} <= seen
    assert not seen & {"/", "/etc", "/etc/shadow", "/etc/ssh", "/etc/ssl", "/etc/ssl/private", "/root", "/home", "/var"}
    assert survey.path == (Path("/usr/bin"),)


@pytest.mark.parametrize("place", ["/", "/usr/local/home", "/etc/home", "relative", "project", "project/inner"])
def test_a_home_in_the_way_is_elsewhere(place: str, home: Path) -> None:
    given = home / place if place.startswith("project") else place
    environment = read_environment({"HOME": str(given), "PATH": "/usr/bin"}, home)
    assert survey_host(environment, home / "project").home == Path("/tmp/home")


def test_links_are_followed_step_by_step(tmp_path: Path) -> None:
    place = tmp_path.resolve()
    (place / "real" / "deep").mkdir(parents=True)
    (place / "one").symlink_to("two/deep")
    (place / "two").symlink_to(place / "real")
    (place / "loop").symlink_to("loop")
    links = {f"{place}/one": "two/deep", f"{place}/two": f"{place}/real"}
    assert follow(f"{place}/one/../deep/./x") == (links, f"{place}/real/deep/x")
    assert follow(f"{place}/loop/x")[1] == f"{place}/loop/x"
    assert follow("/")[1] == "/"


def test_following_agrees_with_the_system() -> None:
    for path in (sys.executable, "/bin/sh", "/etc/localtime", "/proc/self/cwd", "/dev/stdin"):
        assert follow(path)[1] == os.path.realpath(path)


@pytest.mark.parametrize(
    ("path", "root", "below"),
    [("/a/b", "/a", True), ("/a", "/a", True), ("/ab", "/a", False), ("/a", "/", True), ("/", "/a", False)],
)
def test_what_is_below(path: str, root: str, below: bool) -> None:
    assert is_below(path, root) is below
