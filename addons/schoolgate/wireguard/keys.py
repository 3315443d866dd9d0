"""Keys of WireGuard (Curve25519, RFC 7748), in the form in which its tools write them."""

import base64
import binascii
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from schoolgate.core.errors import UnavailableError
from schoolgate.wireguard.files import make_directory, write_whole

_KEY = "private.key"
_BYTES = 32


def new_key() -> str:
    """Make a private key."""
    return base64.b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode()


def public_key(private: str) -> str:
    """Give the public key of a private one.

    Raises:
        ValueError: when it is none.
    """
    key = X25519PrivateKey.from_private_bytes(raw_key(private))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def is_public_key(text: str) -> bool:
    """Ask whether a text is a key with which a secret can be shared."""
    try:
        key = X25519PublicKey.from_public_bytes(raw_key(text))
        X25519PrivateKey.generate().exchange(key)
    except ValueError:
        return False
    return True


def raw_key(text: str) -> bytes:
    """Give the bytes of a key.

    Raises:
        ValueError: when it is not 32 bytes, written in the one way.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("is not a key of WireGuard") from error
    if len(raw) != _BYTES or base64.b64encode(raw).decode() != text:
        raise ValueError("is not a key of WireGuard")
    return raw


def ensure_key(directory: Path) -> str:
    """Give the gateway's private key, made where there is none.

    Raises:
        UnavailableError: when it cannot be read or made, is damaged, or others can read it.
    """
    file = directory / _KEY
    try:
        if not file.exists():
            make_directory(directory)
            write_whole(file, f"{new_key()}\n".encode())
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise UnavailableError(
                f"The key {file} can be read by others. Run 'chmod 600' on it; if it may have been "
                "copied, delete it, and give every device its configuration anew."
            )
        key = file.read_text().strip()
        raw_key(key)
    except OSError as error:
        raise UnavailableError(f"The key {file}: {error.strerror or error}.") from error
    except ValueError as error:
        raise UnavailableError(f"The key {file} is damaged: restore it from a back-up.") from error
    return key
