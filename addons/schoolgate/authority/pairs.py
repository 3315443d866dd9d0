"""A CA's key with its certificate in one file: made, written so that nobody else reads it, and read."""

import datetime as dt
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from schoolgate.core.errors import UnavailableError

LIFETIME = dt.timedelta(days=3650)
# A device whose clock is a little behind must trust it too.
_BEFORE = dt.timedelta(days=2)
PRIVATE, PUBLIC = 0o600, 0o644


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and its certificate.

    Attributes:
        raw: both, in PEM form.
    """

    key: PrivateKeyTypes
    certificate: x509.Certificate
    raw: bytes

    @property
    def certificate_pem(self) -> bytes:
        """The certificate alone, which holds no secret."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def organisation(self) -> str:
        """Whose it is; empty where it does not say so."""
        found = self.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(found[0].value) if found else ""

    @property
    def sha256(self) -> str:
        """The certificate's fingerprint, as devices show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def make_pair(name: str, organisation: str, now: dt.datetime) -> Pair:
    """Make a CA; the key is EC P-256, with which a leaf is made much faster than with RSA.

    Args:
        name: by which people tell it from others on a device.
        organisation: whose it is.
        now: aware; it is good from two days before.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, name, organisation, now)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Pair(key, certificate, key_pem + certificate.public_bytes(serialization.Encoding.PEM))


def read_pair(file: Path, missing: str) -> Pair:
    """Read a key and its certificate.

    Args:
        file: holds both.
        missing: what is said where it is not there.

    Raises:
        UnavailableError: when it is not there, it is damaged, or others can read it.
    """
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        raw = file.read_bytes()
    except FileNotFoundError as error:
        raise UnavailableError(missing) from error
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
    return Pair(key, certificate, raw)


def write_whole(file: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, never readable by others in between.

    It is the directory's owner's: whoever is root here is not who runs the gateway.

    Raises:
        OSError: when it cannot be written.
    """
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        if os.geteuid() == 0:
            owner = file.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    temporary.replace(file)


def _self_signed(
    key: ec.EllipticCurvePrivateKey, name: str, organisation: str, now: dt.datetime
) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
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
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
