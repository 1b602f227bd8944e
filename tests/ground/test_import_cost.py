"""Start-up time is a feature: importing a package brings in nothing heavy that it may never need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "benchdog"
PACKAGES = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
HEAVY = ("asyncio", "click", "httpcore", "json_repair", "pydantic", "rich", "ssl")
MAY = {"cli": {"click"}, "testing": {"ssl"}}  # the scripted model serves with http.server, which brings ssl
_ASK = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sorted(set(sys.modules)))"


def _imported(module: str) -> set[str]:
    command = [sys.executable, "-c", _ASK, module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_nothing_heavy(package: str) -> None:
    assert _imported(f"benchdog.{package}") & set(HEAVY) == MAY.get(package, set())


def test_what_is_heavy_would_be_seen() -> None:
    assert "asyncio" in _imported("asyncio.events")
