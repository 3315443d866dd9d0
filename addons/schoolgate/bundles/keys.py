"""The keys that sign bundles: ed25519, one file each, readable by nobody else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from schoolgate.authority.pairs import PRIVATE, write_whole
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.lists.generations import sync_directory

# Root and targets are kept away from the network; "online" stays where bundles are served, as its
# signatures, which say "this is still the newest", run out within days.
ROOT, TARGETS, ONLINE = "root", "targets", "online"
ROLES = (ROOT, TARGETS, ONLINE)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys with which something is signed.

    Attributes:
        directory: of the keys.
        instead: what signs for a role in place of the key that is there.
    """

    directory: Path
    instead: Mapping[str, Sequence[CryptoSigner]] = field(default_factory=dict)

    def signers(self, role: str) -> Sequence[CryptoSigner]:
        """Give what signs for a role.

        Raises:
            UnavailableError: as `signer_of`.
        """
        return self.instead.get(role) or [signer_of(self.directory, role)]


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


def next_signer(directory: Path, role: str) -> CryptoSigner:
    """Give the key that is to follow that of a role: it is made, and kept beside it until `take_next`.

    Raises:
        UnavailableError: when it cannot be written or read.
    """
    file = next_file(directory, role)
    try:
        if not file.exists():
            write_whole(file, _pem(Ed25519PrivateKey.generate()), PRIVATE)
            sync_directory(directory)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror}.") from error
    return _read(file)


def next_file(directory: Path, role: str) -> Path:
    """Say where the key is that is to follow."""
    return directory / f"{role}.key.next"


def take_next(directory: Path, role: str) -> None:
    """Put the key that follows in the place of the one before, which is gone with that.

    Raises:
        UnavailableError: when it cannot be.
    """
    try:
        next_file(directory, role).replace(directory / f"{role}.key")
        sync_directory(directory)
    except OSError as error:
        raise UnavailableError(f"{directory} cannot be written: {error.strerror}.") from error


def copy_key(file: Path, target: Path) -> None:
    """Put a copy of a key in place of another.

    Raises:
        UnavailableError: when it cannot be read or written.
    """
    try:
        write_whole(target, file.read_bytes(), PRIVATE)
    except OSError as error:
        raise UnavailableError(f"{target} cannot be written: {error.strerror}.") from error


def signer_of(directory: Path, role: str) -> CryptoSigner:
    """Give what signs for a role.

    Raises:
        UnavailableError: when the key is not there, damaged, or readable by others.
    """
    return _read(directory / f"{role}.key")


def _read(file: Path) -> CryptoSigner:
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
