"""The CA that signs, on disk, in the files that mitmproxy reads."""

import datetime as dt
import hmac
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from schoolgate.authority.pairs import PRIVATE, PUBLIC, Pair, make_pair, read_pair, write_whole
from schoolgate.core.errors import UnavailableError

# mitmproxy looks for this name; it holds the key and the certificate.
KEY_AND_CERTIFICATE = "mitmproxy-ca.pem"
CERTIFICATE = "schoolgate-ca.crt"
# What secrets are derived from once the first CA signs no more.
SECRETS = "secrets.key"
NAME = "schoolgate web filter"
_HASH = hashes.SHA256
_HASH_BYTES = 32


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

    The directory is 0700, the key 0600.

    Raises:
        UnavailableError: when it cannot be written or read, or others can read the key.
    """
    file = directory / KEY_AND_CERTIFICATE
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            put_signing(directory, make_pair(NAME, organisation, now))
    except OSError as error:
        raise UnavailableError(
            f"The CA cannot be made in {directory}: {error.strerror or error}. "
            "Give schoolgate's user write access to its state directory."
        ) from error
    pair = signing(directory)
    shown = directory / CERTIFICATE
    try:
        # Whoever was killed while the CA changed left that of the one before.
        if not shown.exists() or shown.read_bytes() != pair.certificate_pem:
            write_whole(shown, pair.certificate_pem, PUBLIC)
    except OSError as error:
        raise UnavailableError(f"{shown} cannot be written: {error.strerror}.") from error
    return info_of(pair, shown)


def describe(directory: Path) -> CaInfo:
    """Give what the CA that signs is.

    Raises:
        UnavailableError: when there is none, it is damaged, or others can read the key.
    """
    return info_of(signing(directory), directory / CERTIFICATE)


def export_pem(directory: Path) -> bytes:
    """Give the certificate of the CA that signs, without the key.

    Raises:
        UnavailableError: as `describe`.
    """
    return signing(directory).certificate_pem


def secret_for(directory: Path, purpose: str) -> bytes:
    """Give 32 secret bytes for one purpose, the same in every process and after every restart.

    They are derived from the first CA's key (RFC 5869), of which they say nothing, and stay as they
    are when another CA signs.

    Raises:
        UnavailableError: as `describe`.
    """
    derivation = HKDFExpand(_HASH(), length=32, info=purpose.encode())
    return derivation.derive(_root_of_secrets(directory))


def keep_secrets(directory: Path) -> None:
    """Keep what secrets are derived from, before another CA signs.

    Raises:
        UnavailableError: as `describe`.
        OSError: when it cannot be written.
    """
    file = directory / SECRETS
    if not file.exists():
        write_whole(file, _root_of_secrets(directory), PRIVATE)


def signing(directory: Path) -> Pair:
    """Read the CA that signs.

    Raises:
        UnavailableError: as `describe`.
    """
    return read_pair(
        directory / KEY_AND_CERTIFICATE,
        f"There is no CA in {directory} yet; it is made when schoolgate first runs.",
    )


def put_signing(directory: Path, pair: Pair) -> None:
    """Have a CA sign from now on; another one is replaced at once, or not at all.

    Raises:
        OSError: when it cannot be written.
    """
    write_whole(directory / KEY_AND_CERTIFICATE, pair.raw, PRIVATE)
    write_whole(directory / CERTIFICATE, pair.certificate_pem, PUBLIC)


def info_of(pair: Pair, file: Path) -> CaInfo:
    """Say what a CA is.

    Args:
        pair: the CA.
        file: what is named as its file.
    """
    certificate = pair.certificate
    return CaInfo(
        subject=certificate.subject.rfc4514_string(),
        sha256=pair.sha256,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        file=file,
    )


def _root_of_secrets(directory: Path) -> bytes:
    file = directory / SECRETS
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        key = signing(directory).key
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}.") from error
    else:
        if len(kept) != _HASH_BYTES:
            raise UnavailableError(f"{file} is damaged. Restore it from a backup.")
        return kept
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # RFC 5869, 2.2, without a salt.
    return hmac.digest(bytes(_HASH_BYTES), der, _HASH.name)
