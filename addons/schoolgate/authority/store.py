"""The CA's key and certificate on disk, in the files that mitmproxy reads."""

import datetime as dt
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from schoolgate.core.errors import UnavailableError

# mitmproxy looks for this name; it holds the key and the certificate.
KEY_AND_CERTIFICATE = "mitmproxy-ca.pem"
CERTIFICATE = "schoolgate-ca.crt"
LIFETIME = dt.timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class CaInfo:
    """What a technician checks on a device: name, fingerprint and dates of the certificate."""

    subject: str
    sha256: str
    not_before: dt.datetime
    not_after: dt.datetime
    file: Path


def ensure(directory: Path, organisation: str, now: dt.datetime) -> CaInfo:
    """Make the CA if there is none, and give what it is.

    The key is EC P-256, with which a leaf certificate is made much faster than with RSA. The
    directory is 0700, the key 0600.

    Raises:
        UnavailableError: when it cannot be written or read, or others can read the key.
    """
    file = directory / KEY_AND_CERTIFICATE
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            _create(directory, organisation, now)
    except OSError as error:
        raise UnavailableError(
            f"The CA cannot be made in {directory}: {error.strerror or error}. "
            "Give schoolgate's user write access to its state directory."
        ) from error
    info = describe(directory)
    if not info.file.exists():
        _write(info.file, export_pem(directory), 0o644)
    return info


def describe(directory: Path) -> CaInfo:
    """Give what the CA is.

    Raises:
        UnavailableError: when there is none, it is damaged, or others can read the key.
    """
    _, certificate = _load(directory)
    return CaInfo(
        subject=certificate.subject.rfc4514_string(),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        file=directory / CERTIFICATE,
    )


def export_pem(directory: Path) -> bytes:
    """Give the certificate, without the key, for the devices to trust.

    Raises:
        UnavailableError: as `describe`.
    """
    _, certificate = _load(directory)
    return certificate.public_bytes(serialization.Encoding.PEM)


def secret_for(directory: Path, purpose: str) -> bytes:
    """Give 32 secret bytes for one purpose, the same in every process and after every restart.

    They are derived from the CA's key (RFC 5869), of which they say nothing.

    Raises:
        UnavailableError: as `describe`.
    """
    key, _ = _load(directory)
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    derivation = HKDF(hashes.SHA256(), length=32, salt=None, info=purpose.encode())
    return derivation.derive(der)


def _load(directory: Path) -> tuple[PrivateKeyTypes, x509.Certificate]:
    file = directory / KEY_AND_CERTIFICATE
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        raw = file.read_bytes()
    except FileNotFoundError as error:
        raise UnavailableError(
            f"There is no CA in {directory} yet; it is made when schoolgate first runs."
        ) from error
    except OSError as error:
        raise UnavailableError(f"The CA key {file} cannot be read: {error.strerror}.") from error
    if mode & 0o077:
        raise UnavailableError(
            f"The CA key {file} can be read by others (mode {mode:04o}). "
            "Run 'chmod 600' on it, and think of making a new CA if it may have been copied."
        )
    try:
        key = serialization.load_pem_private_key(raw, None)
        certificate = x509.load_pem_x509_certificate(raw)
    except (ValueError, TypeError) as error:  # TypeError: the key is encrypted
        raise UnavailableError(
            f"The CA in {file} is damaged: {error}. Restore it from a backup; deleting it makes a "
            "new one, which every device must then trust anew."
        ) from error
    if key.public_key() != certificate.public_key():
        raise UnavailableError(f"The key and the certificate in {file} do not belong together.")
    return key, certificate


def _create(directory: Path, organisation: str, now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, organisation, now)
    certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(directory / KEY_AND_CERTIFICATE, key_pem + certificate_pem, 0o600)
    _write(directory / CERTIFICATE, certificate_pem, 0o644)


def _write(file: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, never readable by others in between."""
    temporary = file.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)


def _self_signed(
    key: ec.EllipticCurvePrivateKey, organisation: str, now: dt.datetime
) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "schoolgate web filter"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A device whose clock is a little behind must trust it too.
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
