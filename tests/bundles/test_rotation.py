"""Gateways follow to new keys by themselves, and believe the old ones no more."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from schoolgate.bundles import keys, repository, rotation
from schoolgate.bundles.keys import ONLINE, ROLES, ROOT, TARGETS, signer_of
from schoolgate.bundles.repository import ALL, ROOT_DAYS, newest_root
from schoolgate.bundles.rotation import renew, rotate
from schoolgate.core.errors import RefusedError, UnavailableError
from tests.bundles.centres import FILES, NOW, Fetching, Trust, later, trusted

pytestmark = pytest.mark.long
NEWER = {**FILES, "policies/trust.yaml": b"id: trust # newer\n"}


@pytest.fixture
def trust(tmp_path: Path) -> Iterator[Trust]:
    with trusted(tmp_path / "trust") as found:
        yield found


@pytest.fixture
def gateway(trust: Trust, tmp_path: Path) -> Fetching:
    """A gateway that has a bundle, and knows the first root alone."""
    trust.let_out(FILES)
    found = Fetching(trust, tmp_path / "gateway")
    assert found.fetch()
    return found


def turn(trust: Trust, *roles: str) -> None:
    for role in roles:
        rotate(trust.repository, role, trust.keys, NOW)
    trust.serve()


def key_of(trust: Trust, role: str) -> str:
    return signer_of(trust.keys, role).public_key.keyid


@pytest.mark.parametrize("role", ROLES)
def test_a_gateway_follows_to_the_new_key_of_each_role(
    trust: Trust, gateway: Fetching, role: str
) -> None:
    before = {each: key_of(trust, each) for each in ROLES}
    turn(trust, role)
    # Nothing new was let out.
    assert gateway.fetch() is None
    trust.let_out(NEWER)
    assert gateway.fetch()
    assert gateway.in_force() == NEWER
    assert {each for each in ROLES if key_of(trust, each) != before[each]} == {role}
    assert sorted(each.name for each in trust.keys.iterdir()) == [f"{r}.key" for r in sorted(ROLES)]


def test_a_gateway_several_roots_behind_follows_and_so_does_one_that_has_only_the_newest(
    trust: Trust, gateway: Fetching, tmp_path: Path
) -> None:
    turn(trust, ROOT, TARGETS, ROOT, ONLINE, ROOT)
    renew(trust.repository, trust.keys, NOW)
    trust.let_out(NEWER)
    assert trust.repository.root().version == 7
    assert gateway.fetch()
    assert gateway.in_force() == NEWER
    newest = newest_root(trust.repository.directory)
    assert newest is not None
    enrolled_late = Fetching(trust, tmp_path / "late", root_file=newest)
    assert enrolled_late.fetch()
    assert enrolled_late.in_force() == NEWER


def forge(trust: Trust, name: str, signer: CryptoSigner, version: int) -> None:
    """Serve the newest of some metadata in a later version, signed by a key."""
    file = trust.repository.directory / "metadata" / name
    metadata: Metadata[Any] = Metadata.from_bytes(file.read_bytes())
    metadata.signed.version = version
    metadata.sign(signer)
    kind = metadata.signed.type
    said = f"{kind}.json" if kind == "timestamp" else f"{version}.{kind}.json"
    trust.publisher.lists[f"metadata/{said}"] = metadata.to_bytes()


def test_what_a_stolen_targets_key_signs_after_the_rotation_is_refused(
    trust: Trust, gateway: Fetching
) -> None:
    stolen = trust.root / "stolen"
    shutil.copytree(trust.keys, stolen)
    turn(trust, TARGETS)
    assert gateway.fetch() is None
    # Whoever has it has the online key as well, and the web server.
    shutil.copy(stolen / "targets.key", trust.keys / "targets.key")
    with pytest.raises(UnavailableError, match="not the one that root 2 names"):
        trust.let_out(NEWER)
    targets = signer_of(stolen, TARGETS)
    trust.serve()
    forge(trust, f"{_targets_version(trust)}.targets.json", targets, _targets_version(trust) + 1)
    metadata = trust.repository.directory / "metadata"
    newest = max(metadata.glob("*.snapshot.json"), key=_number)
    snapshot: Metadata[Any] = Metadata.from_bytes(newest.read_bytes())
    snapshot.signed.version += 1
    snapshot.signed.meta["targets.json"].version += 1
    timestamp: Metadata[Any] = Metadata.from_bytes((metadata / "timestamp.json").read_bytes())
    timestamp.signed.version += 1
    timestamp.signed.snapshot_meta.version += 1
    for each, name in (
        (snapshot, f"{snapshot.signed.version}.snapshot.json"), (timestamp, "timestamp.json"),
    ):  # fmt: skip
        each.sign(signer_of(trust.keys, ONLINE))
        trust.publisher.lists[f"metadata/{name}"] = each.to_bytes()
    with pytest.raises(RefusedError, match="targets was signed by 0/1 keys"):
        gateway.fetch()
    assert gateway.in_force() == FILES


def _targets_version(trust: Trust) -> int:
    found = (trust.repository.directory / "metadata").glob("*.targets.json")
    return max(map(_number, found))


def _number(path: Path) -> int:
    return int(path.name.partition(".")[0])


def test_what_a_stolen_online_key_signs_is_refused_and_what_it_signed_before_is_got_over(
    trust: Trust, gateway: Fetching
) -> None:
    stolen = signer_of(trust.keys, ONLINE)
    # A thief who says that this is the newest for ever: later ones count less than it.
    forge(trust, "timestamp.json", stolen, 1_000_000)
    assert gateway.fetch() is None
    trust.serve()
    trust.let_out(NEWER)
    with pytest.raises(RefusedError, match="version"):
        gateway.fetch()
    turn(trust, ONLINE)
    assert gateway.fetch()
    assert gateway.in_force() == NEWER
    forge(trust, "timestamp.json", stolen, 2_000_000)
    with pytest.raises(RefusedError, match="timestamp was signed by 0/1 keys"):
        gateway.fetch()


def test_a_version_that_a_thief_let_out_is_forgotten_with_the_status(
    trust: Trust, gateway: Fetching
) -> None:
    gateway.store.put_status(replace(gateway.store.status(), highest=1_000_000))
    turn(trust, TARGETS, ONLINE)
    trust.let_out(NEWER)
    with pytest.raises(RefusedError, match="older than 1000000"):
        gateway.fetch()
    (gateway.store.directory / "status.json").unlink()
    assert gateway.fetch()
    assert gateway.in_force() == NEWER


def test_a_root_by_the_old_key_alone_is_refused_by_who_has_followed(
    trust: Trust, gateway: Fetching
) -> None:
    stolen = signer_of(trust.keys, ROOT)
    turn(trust, ROOT)
    assert gateway.fetch() is None
    forge(trust, "2.root.json", stolen, 3)
    with pytest.raises(RefusedError, match="root was signed by 0/1 keys"):
        gateway.fetch()
    assert gateway.in_force() == FILES


@pytest.mark.parametrize("role", [TARGETS, ONLINE])
def test_a_lost_key_is_replaced_and_that_of_the_root_cannot_be(
    trust: Trust, gateway: Fetching, role: str
) -> None:
    (trust.keys / f"{role}.key").unlink()
    turn(trust, role)
    assert gateway.fetch() is None
    trust.let_out(NEWER)
    assert gateway.fetch()
    (trust.keys / "root.key").unlink()
    for each in ROLES:
        with pytest.raises(UnavailableError, match=r"root\.key"):
            rotate(trust.repository, each, trust.keys, NOW)
    with pytest.raises(UnavailableError, match=r"root\.key"):
        renew(trust.repository, trust.keys, NOW)
    assert trust.repository.root().version == 2


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("role", ROLES)
def test_killed_at_any_write_a_gateway_goes_on_and_the_same_call_ends_it(
    trust: Trust, gateway: Fetching, monkeypatch: pytest.MonkeyPatch, role: str, *, lost: bool
) -> None:
    if lost and role == ROOT:
        return
    for most in range(20):
        if lost:
            (trust.keys / f"{role}.key").unlink()
        done = _killed_after(most, trust, role, monkeypatch)
        trust.serve()
        if not lost:
            # At each step there is something that a gateway can read.
            assert gateway.fetch() is None
        turn(trust, role)
        assert gateway.fetch() is None
        assert not list(trust.keys.glob("*.next"))
        if done:
            return
    pytest.fail("it never ended")


class KilledError(Exception):
    """The process ended."""


def _killed_after(most: int, trust: Trust, role: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Rotate, and end after so many writes; tell whether it was done before."""
    left = [most]

    def counted(real: Any) -> Any:
        def write(*given: Any, **named: Any) -> Any:
            if not left[0]:
                raise KilledError
            left[0] -= 1
            return real(*given, **named)

        return write

    with monkeypatch.context() as patched:
        for module, name in (
            (keys, "write_whole"), (repository, "write_whole"), (rotation, "take_next"),
        ):  # fmt: skip
            patched.setattr(module, name, counted(getattr(module, name)))
        try:
            rotate(trust.repository, role, trust.keys, NOW)
        except KilledError:
            return False
    return True


def test_an_expired_root_stops_all_news_until_it_is_renewed_or_rotated(
    trust: Trust, gateway: Fetching
) -> None:
    root = trust.repository.root()
    assert root.expires == later(ROOT_DAYS)
    long_ago = NOW - timedelta(days=ROOT_DAYS + 1)
    renew(trust.repository, trust.keys, long_ago)
    trust.let_out(NEWER)
    with pytest.raises(RefusedError, match=r"root\.json is expired"):
        gateway.fetch()
    assert renew(trust.repository, trust.keys, NOW).version == 3
    trust.serve()
    assert gateway.fetch()
    assert gateway.in_force() == NEWER


def test_an_old_copy_of_a_key_signs_nothing_that_gateways_would_refuse(
    trust: Trust, gateway: Fetching
) -> None:
    old = trust.root / "old"
    shutil.copytree(trust.keys, old)
    turn(trust, ONLINE, ROOT)
    with pytest.raises(UnavailableError, match="snapshot is not the one that root 3 names"):
        trust.repository.refresh(old, NOW)
    with pytest.raises(UnavailableError, match="not the key that root 3 names"):
        renew(trust.repository, old, NOW)
    with pytest.raises(UnavailableError, match="not the key that root 3 names"):
        rotate(trust.repository, TARGETS, old, NOW)
    trust.serve()
    assert gateway.fetch() is None
    assert trust.repository.in_force() == {ALL: (1, 1)}
