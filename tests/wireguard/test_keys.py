"""Keys in WireGuard's form, and the gateway's own on the disk."""

from pathlib import Path

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.wireguard import ensure_key, is_public_key, new_key, public_key

# RFC 7748, 6.1: Alice's.
PRIVATE = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
PUBLIC = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="


def test_the_public_key_follows_from_the_private_one() -> None:
    assert public_key(PRIVATE) == PUBLIC
    assert is_public_key(public_key(new_key()))
    assert new_key() != new_key()


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (PUBLIC, True),
        ("", False),
        ("x", False),
        (PUBLIC[:-1], False),
        (PUBLIC + "\n", False),
        # Bits that belong to no byte.
        (PUBLIC[:-2] + "p=", False),
        # No secret can be shared with it.
        ("A" * 43 + "=", False),
    ],
)
def test_what_is_a_public_key(text: str, want: bool) -> None:
    assert is_public_key(text) is want


def test_the_gateways_key_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    directory = tmp_path / "wireguard"
    key = ensure_key(directory)
    assert ensure_key(directory) == key
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "private.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    ensure_key(tmp_path)
    file = tmp_path / "private.key"
    file.chmod(0o640)
    with pytest.raises(UnavailableError, match="chmod 600"):
        ensure_key(tmp_path)
    file.chmod(0o600)
    file.write_text("cut")
    with pytest.raises(UnavailableError, match="damaged"):
        ensure_key(tmp_path)
