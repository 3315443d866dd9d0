"""The file of the devices at home."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.wireguard import (
    PEERS,
    NamedTwiceError,
    Peer,
    change_peers,
    new_key,
    public_key,
    read_peers,
)


def peer(name: str, number: int = 2) -> Peer:
    addresses = (f"10.99.0.{number}", f"fd00:99::{number:x}")
    return Peer(name, public_key(new_key()), addresses, "pupils", "ann", "tablet", "2026-11-22")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    one, other = peer("one"), peer("other", 3)
    assert read_peers(tmp_path) == ()
    change_peers(tmp_path / "wireguard", lambda peers: (*peers, one))
    change_peers(tmp_path / "wireguard", lambda peers: (*peers, other))
    assert read_peers(tmp_path / "wireguard") == (one, other)
    assert (tmp_path / "wireguard" / PEERS).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("same", ["name", "public_key", "addresses"])
def test_nothing_is_twos(tmp_path: Path, same: str) -> None:
    one = peer("one")
    change_peers(tmp_path, lambda _: (one,))
    other = replace(peer("other", 3), **{same: getattr(one, same)})
    with pytest.raises(NamedTwiceError, match="another device's"):
        change_peers(tmp_path, lambda peers: (*peers, other))
    assert read_peers(tmp_path) == (one,)


def test_of_changes_at_once_none_is_lost(tmp_path: Path) -> None:
    def add(number: int) -> None:
        change_peers(tmp_path, lambda peers: (*peers, peer(f"device-{number}", number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(2, 22)))
    assert len(read_peers(tmp_path)) == 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}x",
        "[1]",
        '[{"name": "a"}]',
        '[{"name": "a", "public_key": "x", "addresses": []}]',
        (
            '[{"name": "a", "public_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",'
            ' "addresses": ["here"]}]'
        ),
    ],
)
def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    (tmp_path / PEERS).write_text(text)
    with pytest.raises(UnavailableError, match="damaged"):
        read_peers(tmp_path)
