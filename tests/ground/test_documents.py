"""The documents name files that exist, and every package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "benchdog"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_architecture_names_only_files_that_exist() -> None:
    named = set(re.findall(r"`([a-z_/]+/(?:[a-z_]+\.py)?)`", _text(ROOT / "docs" / "architecture.md")))
    assert len(named) > 30
    assert sorted(path for path in named if not (SOURCE / path).exists() and not (ROOT / path).exists()) == []


def test_architecture_names_every_package_on_its_floor() -> None:
    layers = tomllib.loads(_text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"][0]["layers"]
    table = re.findall(r"^\| [a-z -]*\| (`[^|]+`) \|", _text(ROOT / "docs" / "architecture.md"), re.MULTILINE)
    floors = [sorted(re.findall(r"`([a-z]+)`", row)) for row in table]
    wanted = [sorted(re.findall("[a-z]+", layer)) for layer in layers]
    assert [floor for floor in floors if floor in wanted] == wanted


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", _text(document))
    assert [link for link in links if not (document.parent / link).exists()] == []
