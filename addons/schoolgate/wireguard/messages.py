"""WireGuard's messages from outside, as far as they say whose they are (WireGuard, 5.4, by J. A. Donenfeld).

What is read here only finds the way to a device's own tunnel, whose end knows no other key: a mistake
could lead a message to an end that drops it, and never open one.
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

INITIATION, RESPONSE, COOKIE, DATA = (bytes([kind, 0, 0, 0]) for kind in (1, 2, 3, 4))
# Head, counter and tag around nothing.
SHORTEST_DATA = 32
_INITIATION_BYTES, _RESPONSE_BYTES = 148, 92
_MAC_BYTES = 16
_CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
_IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
_NONCE = bytes(12)


@dataclass(frozen=True, slots=True)
class Initiation:
    """What a device proved with the first message of a handshake.

    Attributes:
        public_key: whose private key it has; raw.
        moment: its own time (TAI64N), which only ever grows: an old message is somebody else's copy.
    """

    public_key: bytes
    moment: bytes


class Reader:
    """Reads what devices say to the holder of a key.

    Args:
        private_key: the gateway's; raw.
    """

    def __init__(self, private_key: bytes) -> None:
        self._key = X25519PrivateKey.from_private_bytes(private_key)
        public = self._key.public_key().public_bytes_raw()
        self._mac_key = mac_key(public)
        self._chain = _hash(_CONSTRUCTION)
        self._transcript = _hash(_hash(self._chain + _IDENTIFIER) + public)

    def is_meant(self, message: bytes) -> bool:
        """Ask whether a first message is from somebody who knows the gateway's public key; this is cheap."""
        if len(message) != _INITIATION_BYTES or message[:4] != INITIATION:
            return False
        mac = _mac(self._mac_key, message[:116])
        return hmac.compare_digest(mac, message[116:132])

    def initiation(self, message: bytes) -> Initiation | None:
        """Give what such a message proves; None where that is nothing."""
        ephemeral, sealed_key, sealed_moment = message[8:40], message[40:88], message[88:116]
        chain = _derived(self._chain, ephemeral, 1)[0]
        transcript = _hash(self._transcript + ephemeral)
        try:
            chain, key = _derived(chain, self._shared(ephemeral), 2)
            public = ChaCha20Poly1305(key).decrypt(_NONCE, sealed_key, transcript)
            transcript = _hash(transcript + sealed_key)
            _, key = _derived(chain, self._shared(public), 2)
            moment = ChaCha20Poly1305(key).decrypt(_NONCE, sealed_moment, transcript)
        except (InvalidTag, ValueError):
            return None
        return Initiation(public, moment)

    def _shared(self, public: bytes) -> bytes:
        return self._key.exchange(X25519PublicKey.from_public_bytes(public))


def index_of(message: bytes) -> bytes:
    """Give the number of the session that a message is sent in, or that its sender has chosen for one."""
    return message[4:8]


def with_index(message: bytes, index: bytes) -> bytes:
    """Give a message of a session under another number; nothing seals that."""
    return message[:4] + index + message[8:]


def response_with_index(message: bytes, index: bytes, device_mac_key: bytes) -> bytes:
    """Give the second message of a handshake under another number of its sender.

    Raises:
        ValueError: when it is none.
    """
    if len(message) != _RESPONSE_BYTES:
        raise ValueError("not the second message of a handshake")
    changed = with_index(message, index)
    body = changed[:60]
    return body + _mac(device_mac_key, body) + changed[76:]


def mac_key(public_key: bytes) -> bytes:
    """Give the key under which first messages to the holder of a key are marked."""
    return _hash(b"mac1----" + public_key)


def _hash(data: bytes) -> bytes:
    return hashlib.blake2s(data).digest()


def _mac(key: bytes, data: bytes) -> bytes:
    return hashlib.blake2s(data, digest_size=_MAC_BYTES, key=key).digest()


def _derived(key: bytes, data: bytes, count: int) -> list[bytes]:
    """Derive keys (RFC 5869 without info, by BLAKE2s)."""
    secret, found = hmac.digest(key, data, hashlib.blake2s), [b""]
    for number in range(1, count + 1):
        found.append(hmac.digest(secret, found[-1] + bytes([number]), hashlib.blake2s))
    return found[1:]
