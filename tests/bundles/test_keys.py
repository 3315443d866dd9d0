"""Keys are made once, are read by nobody else, and what is none signs nothing."""

from pathlib import Path

import pytest

from schoolgate.bundles.keys import ONLINE, ROLES, make_keys, signer_of
from schoolgate.core.errors import RefusedError, UnavailableError


def test_each_role_has_a_key_of_its_own_that_nobody_else_reads(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    files = [tmp_path / "keys" / f"{role}.key" for role in ROLES]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    assert len({signer_of(tmp_path / "keys", role).public_key.keyid for role in ROLES}) == 3
    before = [file.read_bytes() for file in files]
    with pytest.raises(RefusedError, match="stay as they are"):
        make_keys(tmp_path / "keys")
    assert [file.read_bytes() for file in files] == before


def test_what_others_can_read_or_is_no_key_signs_nothing(tmp_path: Path) -> None:
    make_keys(tmp_path)
    file = tmp_path / f"{ONLINE}.key"
    file.chmod(0o640)
    with pytest.raises(UnavailableError, match="read by others"):
        signer_of(tmp_path, ONLINE)
    file.chmod(0o600)
    file.write_text("x")
    with pytest.raises(UnavailableError, match="is no key"):
        signer_of(tmp_path, ONLINE)
    file.unlink()
    with pytest.raises(UnavailableError, match="cannot be read"):
        signer_of(tmp_path, ONLINE)
