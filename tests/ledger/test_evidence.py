"""The evidence store: bytes under their own hash, and nothing else under it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchdog.errors import StoreError, UserError
from benchdog.ledger.evidence import Evidence


@given(data=st.binary(max_size=200))
def test_what_was_put_is_there_under_its_hash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    evidence = Evidence(tmp_path_factory.mktemp("run"))
    digest = evidence.put(data)
    assert digest == hashlib.sha256(data).hexdigest() == evidence.put(data)
    assert evidence.get(digest) == data
    assert evidence.path(digest).read_bytes() == data


def test_a_changed_artefact_is_named_and_put_again(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path)
    digest = evidence.put(b"what was seen")
    evidence.path(digest).write_bytes(b"what somebody would like")
    with pytest.raises(StoreError, match=f"evidence {digest} was changed"):
        evidence.get(digest)
    assert evidence.put(b"what was seen") == digest
    assert evidence.get(digest) == b"what was seen"


def test_a_missing_artefact_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is missing"):
        Evidence(tmp_path).get("0" * 64)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "0" * 63, "A" * 64, "0" * 64 + "\n", "\0" * 64])
def test_only_a_digest_names_an_artefact(tmp_path: Path, digest: str) -> None:
    with pytest.raises(StoreError, match="is not the digest"):
        Evidence(tmp_path).get(digest)


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("in the way")
    with pytest.raises(StoreError, match="evidence"):
        Evidence(tmp_path).put(b"x")


def test_nothing_but_artefacts_is_left(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path)
    digests = {evidence.put(bytes([number])) for number in range(20)}
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == digests


def test_an_artefact_is_found_by_any_unique_beginning(tmp_path: Path) -> None:
    store = Evidence(tmp_path)
    digests = sorted(store.put(str(number).encode()) for number in range(300))
    by_two: dict[str, list[str]] = {}
    for digest in digests:
        by_two.setdefault(digest[:2], []).append(digest)
    many = next(group for group in by_two.values() if len(group) > 1)
    assert store.find(many[0]) == store.find(f"{many[0][:2]}/{many[0][:20]}") == store.find(many[0][:20].upper())
    with pytest.raises(UserError, match=f"could be {len(many)} artefacts"):
        store.find(many[0][:2])
    for wrong in ("", "a", "..", "../..", "g" * 64, "a" * 65, "\n"):
        with pytest.raises(UserError, match="is no digest"):
            store.find(wrong)
