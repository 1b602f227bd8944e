"""The sandboxes under test, in surroundings of their own."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchdog.sandbox.bubblewrap import Bubblewrap
from benchdog.sandbox.choose import choose_sandbox
from benchdog.sandbox.policy import Sandbox
from benchdog.sandbox.unsafe import Unsafe
from benchdog.system.environment import Environment, read_environment
from benchdog.testing.sandbox_attacks import SECRET
from benchdog.testing.sandbox_conformance import Yard, lay_out


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return lay_out(tmp_path)


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A person's environment with a secret in it, and the Python that runs the tests on its PATH."""
    place = tmp_path_factory.mktemp("person")
    (place / "home").mkdir()
    variables = {
        "PATH": f"{Path(sys.executable).resolve().parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place / "home"),
        SECRET: "SECRET",
    }
    return read_environment(variables, place)


@pytest.fixture(scope="session")
def bubblewrap(surroundings: Environment) -> Sandbox:
    return choose_sandbox(surroundings, unsafe=False)


@pytest.fixture(params=["bubblewrap", "bubblewrap with copies", "none"])
def sandbox(request: pytest.FixtureRequest, surroundings: Environment, bubblewrap: Sandbox) -> Sandbox:
    """Every backend, and bubblewrap as it runs where no overlay can be mounted."""
    if request.param == "none":
        return Unsafe(surroundings)
    return bubblewrap if request.param == "bubblewrap" else without_overlay(bubblewrap)


def without_overlay(sandbox: Sandbox) -> Sandbox:
    """The same backend after an overlay could not be mounted: it copies."""
    assert isinstance(sandbox, Bubblewrap)
    return Bubblewrap(sandbox.environment, sandbox.programs, replace(sandbox.features, overlay=""))
