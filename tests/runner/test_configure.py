"""Which files count, what is trusted, and how the person's own file is written: on a real disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchdog.contract import Check, EndpointSettings, Limits, SandboxSettings, Settings
from benchdog.contract.layers import Widening
from benchdog.contract.read import read_settings
from benchdog.errors import ContractError, StoreError, UserError
from benchdog.runner.configure import (
    Configuration,
    distrust,
    find_settings,
    load,
    trust,
    trust_question,
    write_person_endpoint,
)
from benchdog.system.environment import Environment, read_environment

WIDE = '[sandbox]\nexpose = ["/data"]\nfresh = ["dist"]\n[limits]\nrounds = 2\n'
NARROW = Settings(sandbox=SandboxSettings(fresh=("dist",)), limits=Limits(rounds=2))
OPENED = Settings(sandbox=SandboxSettings(fresh=("dist",), expose=("/data",)), limits=Limits(rounds=2))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "repository"
    (root / "a" / "b").mkdir(parents=True)
    return root


def environment(cwd: Path) -> Environment:
    return read_environment(cwd=cwd)


def test_nothing_there(root: Path) -> None:
    found = load(environment(root), root)
    assert found == Configuration(settings=Settings(), rows=found.rows)
    assert {row.source for row in found.rows} == {"default"}
    assert trust_question(environment(root), root) is None


def test_the_nearest_file_counts_and_its_paths_are_from_there(root: Path) -> None:
    (root / "benchdog.toml").write_text("[limits]\nrounds = 5\n")
    (root / "a" / "benchdog.toml").write_text('[[check]]\nname = "t"\nrun = "x"\n[sandbox]\nfresh = ["dist"]\n')
    (root.parent / "benchdog.toml").write_text("never = 'read'")
    found = load(environment(root / "a" / "b"), root)
    assert found.settings == Settings(
        checks=(Check(name="t", run="x", cwd="a"),), sandbox=SandboxSettings(fresh=("a/dist",))
    )
    assert (found.base, found.repository_file) == ("a", root / "a" / "benchdog.toml")
    assert load(environment(root), root).settings == Settings(limits=Limits(rounds=5))
    assert find_settings(root.parent, root) == root / "benchdog.toml"


def test_trust_is_for_exactly_what_was_shown(root: Path) -> None:
    here, file = environment(root), root / "benchdog.toml"
    file.write_text(WIDE)
    found = load(here, root)
    assert (found.settings, found.inert) == (NARROW, (Widening(key="sandbox.expose", value='"/data"', line=2),))
    question = trust_question(here, root)
    assert question is not None
    assert (question.before, question.after, question.settled) == ((), ('sandbox.expose = "/data"',), False)
    file.write_text(WIDE.replace("/data", "/home"))  # changed while the person reads
    trust(here, question)
    assert load(here, root).settings == NARROW
    file.write_text("# a comment\n" + WIDE)
    assert load(here, root).settings == OPENED
    again = trust_question(here, root)
    assert again is not None
    assert again.settled


def test_a_change_is_shown_against_what_was_trusted(root: Path) -> None:
    here, file = environment(root), root / "benchdog.toml"
    file.write_text(WIDE)
    first = trust_question(here, root)
    assert first is not None
    trust(here, first)
    file.write_text(WIDE.replace('"/data"', '"/data", "/etc"'))
    assert load(here, root).settings == NARROW
    second = trust_question(here, root)
    assert second is not None
    assert second.diff == (
        "--- accepted",
        "+++ now",
        "@@ -1 +1,2 @@",
        ' sandbox.expose = "/data"',
        '+sandbox.expose = "/etc"',
    )
    assert distrust(here, file)
    assert not distrust(here, file)
    file.write_text(WIDE)
    assert load(here, root).settings == NARROW


def test_trust_belongs_to_a_real_path(root: Path, tmp_path: Path) -> None:
    (root / "benchdog.toml").write_text(WIDE)
    question = trust_question(environment(root), root)
    assert question is not None
    trust(environment(root), question)
    link = tmp_path / "link"
    link.symlink_to(root)
    assert load(environment(link), root).settings == OPENED
    other = tmp_path.resolve() / "other"
    other.mkdir()
    (other / "benchdog.toml").write_text(WIDE)
    assert load(environment(other), other).settings == NARROW


def test_a_repository_cannot_name_keys_and_the_person_can(root: Path) -> None:
    here = environment(root)
    text = '[[endpoint]]\nname = "r"\nurl = "http://x/v1"\nkey_env = "KEY"\n'
    (root / "benchdog.toml").write_text(text)
    question = trust_question(here, root)
    assert question is not None
    trust(here, question)
    write_person_endpoint(here, EndpointSettings(name="p", url="http://y/v1", key_env="KEY"))
    assert load(here, root).settings.endpoints == (
        EndpointSettings(name="r", url="http://x/v1"),
        EndpointSettings(name="p", url="http://y/v1", key_env="KEY"),
    )


def test_trust_records_that_do_not_read_stop_with_the_way_out(root: Path) -> None:
    here = environment(root)
    (root / "benchdog.toml").write_text(WIDE)
    place = here.state / "trust.json"
    place.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"repositories": []}', '{"repositories": {"x": 1}}', "[" * 100_000):
        place.write_text(text)
        with pytest.raises(StoreError, match=r"trust\.json does not read"):
            load(here, root)
    (root / "benchdog.toml").write_text("")
    assert load(here, root).settings == Settings()  # nothing widens: the records are not needed


def test_problems_name_the_file(root: Path) -> None:
    here = environment(root / "a")
    (root / "a" / "benchdog.toml").write_text("[limit]\n")
    with pytest.raises(ContractError, match=r"^a/benchdog\.toml:1: limit: is not known: did you mean `limits`\?$"):
        load(here, root)
    here.config.parent.mkdir(parents=True)
    here.config.write_bytes(b"\xff")
    with pytest.raises(ContractError, match=r"config\.toml:1: is no TOML"):
        load(here, root)


def test_what_is_no_file_is_not_waited_for(root: Path) -> None:
    here = environment(root)
    here.config.parent.mkdir(parents=True)
    os.mkfifo(here.config)
    with pytest.raises(UserError, match=r"config\.toml is no regular file"):
        load(here, root)
    (root / "benchdog.toml").mkdir()
    assert find_settings(root, root) is None


def test_the_person_s_file_keeps_what_is_there(root: Path) -> None:
    here = environment(root)
    here.config.parent.mkdir(parents=True)
    real = root.parent / "dotfiles.toml"
    real.write_text("# mine\n[limits]\nrounds = 4\n")
    here.config.symlink_to(real)
    endpoint = EndpointSettings(url="http://127.0.0.1:11434/v1", model="m")
    assert write_person_endpoint(here, endpoint) == here.config
    assert here.config.is_symlink()
    assert real.read_text().startswith("# mine\n[limits]\nrounds = 4\n")
    assert read_settings(real.read_bytes(), "f").settings == Settings(endpoints=(endpoint,), limits=Limits(rounds=4))
    found = load(here, root)
    assert (found.settings.endpoints, found.person_file) == ((endpoint,), here.config)
