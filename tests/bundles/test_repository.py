"""The centre lets out what it has made, takes it back, and keeps what is in a ring."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolgate.bundles.repository import ALL, CANARY, Repository
from schoolgate.core.errors import RefusedError, UnavailableError
from tests.bundles.centres import FILES, NOW, Trust, trusted


@pytest.fixture
def trust(tmp_path: Path) -> Iterator[Trust]:
    with trusted(tmp_path) as found:
        yield found


def test_every_letting_out_has_a_later_version(trust: Trust) -> None:
    versions = [trust.let_out(FILES, ring).version for ring in (CANARY, ALL, CANARY)]
    assert versions == [1, 2, 3]
    assert trust.repository.in_force() == {CANARY: (3, 3), ALL: (2, 2)}


def test_what_was_withdrawn_is_not_gone_back_to(trust: Trust) -> None:
    for content in (b"1", b"2", b"3"):
        trust.let_out({"policies/a.yaml": content})
    for gone in (3, 2):
        trust.repository.withdraw(gone, trust.keys, NOW)
    assert trust.repository.in_force() == {ALL: (5, 1)}
    with pytest.raises(RefusedError, match="no bundle before 1"):
        trust.repository.withdraw(1, trust.keys, NOW)
    with pytest.raises(RefusedError, match="in no ring"):
        trust.repository.withdraw(3, trust.keys, NOW)


def test_without_the_key_of_targets_nothing_is_let_out_and_the_newest_can_still_be_said(
    trust: Trust,
) -> None:
    trust.let_out(FILES)
    for role in ("root", "targets"):
        (trust.keys / f"{role}.key").unlink()
    with pytest.raises(UnavailableError, match=r"targets\.key"):
        trust.repository.let_out(ALL, 1, trust.keys, NOW)
    trust.repository.refresh(trust.keys, NOW)
    assert trust.repository.in_force() == {ALL: (1, 1)}


@pytest.mark.parametrize("path", ["../x", "policies/../x", "bundle.json"])
def test_no_bundle_is_made_with_a_path_that_leads_elsewhere(trust: Trust, path: str) -> None:
    file = trust.root / "file"
    file.write_text("x")
    with pytest.raises(RefusedError, match="No bundle was made"):
        trust.repository.make({path: file})
    assert trust.repository.made() == []


def test_bundles_in_no_ring_are_forgotten_with_what_only_they_have(trust: Trust) -> None:
    for content in (b"1", b"2", b"3"):
        trust.let_out({"policies/a.yaml": content, "policies/b.yaml": b"same"})
    assert trust.repository.forget(kept=1) == 2
    assert trust.repository.made() == [3]
    assert len(list((trust.repository.directory / "blobs").iterdir())) == 2


def test_what_was_forgotten_is_not_gone_back_to(trust: Trust) -> None:
    for content in (b"1", b"2"):
        trust.let_out({"policies/a.yaml": content})
    trust.repository.forget(kept=1)
    with pytest.raises(RefusedError, match="no bundle before 2"):
        trust.repository.withdraw(2, trust.keys, NOW)
    assert trust.repository.in_force() == {ALL: (2, 2)}


def test_one_command_at_a_time_changes_it(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with trust.repository.changing():
        with pytest.raises(UnavailableError, match="Another command"), trust.repository.changing():
            pytest.fail("two at once")
        assert sum(waited) == 120
    with trust.repository.changing():
        trust.repository.refresh(trust.keys, NOW)
    # Made by root, it must not keep out who refreshes daily.
    assert (trust.repository.directory / ".changing").stat().st_mode & 0o777 == 0o644


def test_a_repository_is_begun_once_and_missed_where_it_is_not(trust: Trust) -> None:
    with pytest.raises(RefusedError, match="already"):
        trust.repository.found(trust.keys, NOW)
    with pytest.raises(UnavailableError, match="no repository"):
        Repository(trust.root / "nowhere").in_force()
