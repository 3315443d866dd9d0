"""The keys that sign bundles: ed25519, one file each, readable by nobody else."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from schoolgate.authority.pairs import PRIVATE, write_whole
from schoolgate.core.errors import RefusedError, UnavailableError

# Root and targets are kept away from the network; "online" stays where bundles are served, as its
# signatures, which say "this is still the newest", run out within days.
ROOT, TARGETS, ONLINE = "root", "targets", "online"
ROLES = (ROOT, TARGETS, ONLINE)


def make_keys(directory: Path) -> None:
    """Make the keys; none is ever written over.

    Raises:
        RefusedError: when there are some.
        UnavailableError: when they cannot be written.
    """
    files = [directory / f"{role}.key" for role in ROLES]
    if any(file.exists() for file in files):
        raise RefusedError(f"There are keys in {directory} already; they stay as they are.")
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in files:
            write_whole(file, _pem(Ed25519PrivateKey.generate()), PRIVATE)
    except OSError as error:
        raise UnavailableError(
            f"Keys cannot be written to {directory}: {error.strerror}."
        ) from error


def signer_of(directory: Path, role: str) -> CryptoSigner:
    """Give what signs for a role.

    Raises:
        UnavailableError: when the key is not there, damaged, or readable by others.
    """
    file = directory / f"{role}.key"
    try:
        if file.stat().st_mode & 0o077:
            raise UnavailableError(f"{file} can be read by others. Run 'chmod 600' on it.")
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        raise UnavailableError(
            f"The key {file} cannot be read: {error.strerror}. It is where "
            "'schoolgate trust bundle keys' has put it, or where you keep it offline."
        ) from error
    except (ValueError, TypeError) as error:
        raise UnavailableError(f"{file} is no key.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnavailableError(f"{file} is no ed25519 key.")
    return CryptoSigner(key)


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
