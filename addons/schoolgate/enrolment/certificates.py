"""The certificates of a trust: its authority, its server, and gateways, which name their school."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from schoolgate.authority.pairs import PRIVATE, Pair, read_pair, write_whole
from schoolgate.core.errors import RefusedError, UnavailableError

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=365)
# A gateway that was off over the summer still comes back by itself; who is revoked is out at once.
GATEWAY_LIFE = timedelta(days=60)
# Clocks differ.
_BEFORE = timedelta(hours=1)
SLUG = re.compile(r"[a-z0-9-]{1,40}")
_MOST_REQUEST = 8192


@dataclass(frozen=True, slots=True)
class Named:
    """A gateway of a school."""

    school: str
    gateway: str

    def __post_init__(self) -> None:
        for name in (self.school, self.gateway):
            if not SLUG.fullmatch(name):
                raise RefusedError(f"{name[:60]!r} is no name: a-z, 0-9 and hyphens, at most 40.")


def make_authority(file: Path, now: datetime) -> Pair:
    """Give the authority of a trust, which is made the first time.

    Raises:
        UnavailableError: when it cannot be read or written.
    """
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("schoolgate trust")
        certificate = (
            _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(file, pem_of(key) + _pem(certificate), PRIVATE)
        except OSError as error:
            raise UnavailableError(f"{file} cannot be written: {error.strerror}.") from error
    return read_pair(file, f"There is no authority in {file}.")


def server_pem(authority: Pair, name: str, now: datetime) -> bytes:
    """Make key and certificate of the server; ``name`` is a host or an IP address."""
    key = ec.generate_private_key(ec.SECP256R1())
    try:
        other: x509.GeneralName = x509.IPAddress(ip_address(name))
    except ValueError:
        other = x509.DNSName(name)
    certificate = _issue(
        authority, _name(name[:64]), key.public_key(), now, SERVER_LIFE,
        ExtendedKeyUsageOID.SERVER_AUTH, other,
    )  # fmt: skip
    return pem_of(key) + _pem(certificate)


def request_of(key: ec.EllipticCurvePrivateKey, named: Named) -> bytes:
    """Make a request for a certificate (RFC 2986)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        _name(named.gateway, named.school)
    )
    request = builder.sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def certify(authority: Pair, named: Named, request: bytes, now: datetime) -> x509.Certificate:
    """Make the certificate of a gateway; of its request only the key counts.

    Raises:
        RefusedError: when it is no request for a key on P-256 by who has the key.
    """
    try:
        asked = x509.load_pem_x509_csr(request[:_MOST_REQUEST])
        if not asked.is_signature_valid:
            raise RefusedError("The request is not signed by its own key.")
        key = asked.public_key()
    except (ValueError, TypeError, InvalidSignature) as error:
        raise RefusedError("That is no request for a certificate.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise RefusedError("The key of a gateway is one on the curve P-256.")
    name = x509.UniformResourceIdentifier(f"schoolgate://{named.school}/{named.gateway}")
    return _issue(
        authority, _name(named.gateway, named.school), key, now, GATEWAY_LIFE,
        ExtendedKeyUsageOID.CLIENT_AUTH, name,
    )  # fmt: skip


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Give the SHA-256 of a certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Give a key as text."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _issue(
    authority: Pair,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
    use: ObjectIdentifier,
    other: x509.GeneralName,
) -> x509.Certificate:
    signer = authority.key
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise UnavailableError("The authority's key is none on an elliptic curve.")
    until = min(now + life, authority.certificate.not_valid_after_utc)
    return (
        _builder(authority.certificate.subject, subject, key, now, until - now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=True)
        .add_extension(x509.SubjectAlternativeName([other]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )


def _builder(
    issuer: x509.Name,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer, subject, key, x509.random_serial_number(), now - _BEFORE, now + life
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str, organisation: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
