"""A gateway's certificate names school and gateway as the centre knows them, and is good for nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from schoolgate.core.errors import RefusedError
from schoolgate.enrolment.certificates import (
    Named,
    certify,
    make_authority,
    request_of,
    server_pem,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HILL = Named("hill", "gw1")
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("name", ["", "Hill", "a/b", "..", "a" * 41, "é", "a b", "a.b", "*"])
def test_names_are_plain(name: str) -> None:
    for pair in ((name, "gw1"), ("hill", name)):
        with pytest.raises(RefusedError, match="is no name"):
            Named(*pair)


def test_the_authority_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "trust/authority.pem"
    first = make_authority(file, NOW)
    assert make_authority(file, NOW).raw == first.raw
    assert file.stat().st_mode & 0o777 == 0o600


def test_of_a_request_only_the_key_counts(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "a.pem", NOW)
    made = certify(authority, HILL, request_of(KEY, Named("other", "gw9")), NOW)
    assert made.subject.rfc4514_string() == "O=hill,CN=gw1"
    assert made.public_key() == KEY.public_key()
    assert made.not_valid_after_utc == NOW + timedelta(days=60)
    use = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(use) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    made.verify_directly_issued_by(authority.certificate)


@pytest.mark.parametrize("name", ["127.0.0.1", "centre.example"])
def test_the_server_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    authority = make_authority(tmp_path / "a.pem", NOW)
    leaf = x509.load_pem_x509_certificate(server_pem(authority, name, NOW))
    named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in named] == [name]
    leaf.verify_directly_issued_by(authority.certificate)


def _requested(key: "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey") -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    "request_",
    [
        b"", b"x", b"-----BEGIN CERTIFICATE REQUEST-----\n!!\n-----END CERTIFICATE REQUEST-----",
        _requested(rsa.generate_private_key(65537, 2048)),
        _requested(ec.generate_private_key(ec.SECP384R1())),
        request_of(KEY, HILL).replace(b"A", b"B", 20),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(tmp_path: Path, request_: bytes) -> None:
    authority = make_authority(tmp_path / "a.pem", NOW)
    with pytest.raises(RefusedError):
        certify(authority, HILL, request_, NOW)
