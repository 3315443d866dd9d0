"""The gateway's CA: made once, kept private, and refused when it is not what it must be."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from schoolgate import authority
from schoolgate.authority.store import CERTIFICATE, KEY_AND_CERTIFICATE
from schoolgate.core.errors import UnavailableError

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """The directory of a CA that was just made."""
    directory = tmp_path / "state" / "ca"
    authority.ensure(directory, "Hill School", NOW)
    return directory


def key_file(directory: Path) -> Path:
    return directory / KEY_AND_CERTIFICATE


def certificate(directory: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((directory / CERTIFICATE).read_bytes())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_a_ca_named_after_the_school(tmp_path: Path) -> None:
    info = authority.ensure(tmp_path / "ca", "Hill School", NOW)
    assert "CN=schoolgate web filter" in info.subject
    assert "O=Hill School" in info.subject
    assert info.not_before == NOW - timedelta(days=2)
    assert info.not_after == NOW + timedelta(days=3650)
    assert info.file == tmp_path / "ca" / CERTIFICATE
    made = certificate(tmp_path / "ca")
    assert info.sha256 == made.fingerprint(hashes.SHA256()).hex(":").upper()


def test_nobody_else_can_read_the_key(ca: Path) -> None:
    assert mode(ca) == 0o700
    assert mode(key_file(ca)) == 0o600
    assert {path.name for path in ca.iterdir()} == {KEY_AND_CERTIFICATE, CERTIFICATE}


def test_the_certificate_is_of_a_ca_that_signs_servers_and_no_other_ca(ca: Path) -> None:
    extensions = certificate(ca).extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    key = certificate(ca).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_the_second_start_keeps_the_ca(ca: Path) -> None:
    before = authority.describe(ca)
    assert authority.ensure(ca, "Another School", NOW + timedelta(days=400)) == before


def test_two_gateways_have_two_keys(tmp_path: Path) -> None:
    made = [authority.ensure(tmp_path / name, "Hill School", NOW).sha256 for name in "ab"]
    assert made[0] != made[1]


def test_a_very_long_name_of_a_school_fits(tmp_path: Path) -> None:
    assert "O=" + "x" * 64 in authority.ensure(tmp_path / "ca", "x" * 200, NOW).subject


def test_the_certificate_is_exported_without_its_key(ca: Path) -> None:
    pem = authority.export_pem(ca)
    assert pem == (ca / CERTIFICATE).read_bytes()
    assert b"PRIVATE KEY" not in pem
    assert b"PRIVATE KEY" in key_file(ca).read_bytes()


def test_the_certificate_that_devices_are_given_is_put_back_when_it_is_gone(ca: Path) -> None:
    pem = (ca / CERTIFICATE).read_bytes()
    (ca / CERTIFICATE).unlink()
    assert authority.ensure(ca, "Hill School", NOW).file.read_bytes() == pem


@pytest.mark.parametrize("ask", [authority.describe, authority.export_pem])
def test_before_the_first_start_there_is_no_ca(
    tmp_path: Path, ask: Callable[[Path], object]
) -> None:
    with pytest.raises(UnavailableError, match=r"There is no CA in .* yet; it is made when"):
        ask(tmp_path / "ca")
    assert not (tmp_path / "ca").exists()


@pytest.mark.parametrize("open_to", [0o604, 0o640, 0o660, 0o644, 0o777])
def test_a_key_that_others_can_read_is_refused(ca: Path, open_to: int) -> None:
    key_file(ca).chmod(open_to)
    with pytest.raises(UnavailableError, match=f"can be read by others \\(mode {open_to:04o}\\)"):
        authority.ensure(ca, "Hill School", NOW)
    assert mode(key_file(ca)) == open_to


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _binary(file: Path) -> None:
    file.write_bytes(bytes(range(256)))


def _without_certificate(file: Path) -> None:
    file.write_bytes(file.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0])


def _without_key(file: Path) -> None:
    file.write_bytes(b"".join(file.read_bytes().partition(b"-----BEGIN CERTIFICATE")[1:]))


def _with_password(file: Path) -> None:
    raw = file.read_bytes()
    key = serialization.load_pem_private_key(raw, None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    file.write_bytes(encrypted + b"".join(raw.partition(b"-----BEGIN CERTIFICATE")[1:]))


@pytest.mark.parametrize(
    "damage", [_truncated, _empty, _binary, _without_certificate, _without_key, _with_password]
)
def test_a_damaged_ca_is_refused_and_left_as_it_is(
    ca: Path, damage: Callable[[Path], None]
) -> None:
    damage(key_file(ca))
    left = key_file(ca).read_bytes()
    with pytest.raises(UnavailableError, match=r"is damaged: .* Restore it from a backup"):
        authority.ensure(ca, "Hill School", NOW)
    assert key_file(ca).read_bytes() == left


def test_a_key_that_belongs_to_another_certificate_is_refused(ca: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    authority.ensure(other, "Hill School", NOW)
    key = key_file(ca).read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    key_file(ca).write_bytes(key + (other / CERTIFICATE).read_bytes())
    with pytest.raises(UnavailableError, match="do not belong together"):
        authority.describe(ca)


def test_a_directory_in_the_place_of_the_key_is_refused(tmp_path: Path) -> None:
    key_file(tmp_path).mkdir(mode=0o700)
    with pytest.raises(UnavailableError, match="cannot be read: Is a directory"):
        authority.describe(tmp_path)


@pytest.mark.parametrize("below", ["", "ca"])
def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(
        UnavailableError, match=rf"The CA cannot be made in {file / below}: "
    ) as why:
        authority.ensure(file / below, "Hill School", NOW)
    assert "write access to its state directory" in str(why.value)


def test_a_secret_is_the_same_each_time_and_another_for_another_purpose(
    ca: Path, tmp_path: Path
) -> None:
    secret = authority.secret_for(ca, "links")
    assert len(secret) == 32
    assert authority.secret_for(ca, "links") == secret
    assert authority.secret_for(ca, "tickets") != secret
    authority.ensure(tmp_path / "other", "Hill School", NOW)
    assert authority.secret_for(tmp_path / "other", "links") != secret
