"""A device's side of the first message of a handshake, written down from the protocol's own words."""

import hashlib
import os

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def _hash(*parts: bytes) -> bytes:
    return hashlib.blake2s(b"".join(parts)).digest()


def _hmac(key: bytes, data: bytes) -> bytes:
    made = hmac.HMAC(key, hashes.BLAKE2s(32))
    made.update(data)
    return made.finalize()


def _kdf2(key: bytes, data: bytes) -> tuple[bytes, bytes]:
    first = _hmac(key, data)
    one = _hmac(first, b"\x01")
    return one, _hmac(first, one + b"\x02")


def initiation(
    device: X25519PrivateKey, gateway: X25519PublicKey, moment: bytes, sender: bytes = b"\7\0\0\0"
) -> bytes:
    """Give the message of 148 bytes."""
    theirs = gateway.public_bytes_raw()
    chain = _hash(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
    transcript = _hash(_hash(chain, b"WireGuard v1 zx2c4 Jason@zx2c4.com"), theirs)
    own = X25519PrivateKey.from_private_bytes(os.urandom(32))
    ephemeral = own.public_key().public_bytes_raw()
    chain = _hmac(_hmac(chain, ephemeral), b"\x01")
    transcript = _hash(transcript, ephemeral)
    chain, key = _kdf2(chain, own.exchange(gateway))
    static = ChaCha20Poly1305(key).encrypt(
        bytes(12), device.public_key().public_bytes_raw(), transcript
    )
    transcript = _hash(transcript, static)
    chain, key = _kdf2(chain, device.exchange(gateway))
    sealed = ChaCha20Poly1305(key).encrypt(bytes(12), moment, transcript)
    body = b"\x01\0\0\0" + sender + ephemeral + static + sealed
    mac = hashlib.blake2s(body, digest_size=16, key=_hash(b"mac1----", theirs)).digest()
    return body + mac + bytes(16)
