"""First messages of handshakes: read as they were written, and nothing read of any other."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from schoolgate.wireguard import messages
from schoolgate.wireguard.messages import Reader
from tests.wireguard.initiating import initiation

GATEWAY, DEVICE = X25519PrivateKey.generate(), X25519PrivateKey.generate()
MOMENT = bytes.fromhex("400000006a1b2c3d01020304")
READER = Reader(GATEWAY.private_bytes_raw())


def test_the_key_and_the_moment_are_the_devices() -> None:
    message = initiation(DEVICE, GATEWAY.public_key(), MOMENT)
    assert READER.is_meant(message)
    found = READER.initiation(message)
    assert found is not None
    assert found.public_key == DEVICE.public_key().public_bytes_raw()
    assert found.moment == MOMENT


@pytest.mark.parametrize("place", [0, 5, 8, 39, 40, 87, 88, 115, 116, 131])
def test_a_changed_message_is_not_meant(place: int) -> None:
    message = bytearray(initiation(DEVICE, GATEWAY.public_key(), MOMENT))
    message[place] ^= 1
    assert not READER.is_meant(bytes(message))


@pytest.mark.parametrize("place", [8, 40, 87, 88, 115])
def test_a_changed_message_proves_nothing_even_under_its_mark(place: int) -> None:
    message = bytearray(initiation(DEVICE, GATEWAY.public_key(), MOMENT))
    message[place] ^= 1
    assert READER.initiation(bytes(message)) is None


def test_a_key_with_which_no_secret_can_be_shared_proves_nothing() -> None:
    message = initiation(DEVICE, GATEWAY.public_key(), MOMENT)
    assert READER.initiation(message[:8] + bytes(32) + message[40:]) is None


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x01\0\0\0" + bytes(143), id="too short"),
        pytest.param(b"\x01\0\0\0" + bytes(145), id="too long"),
        pytest.param(b"\x04\0\0\0" + bytes(144), id="of another kind"),
        pytest.param(
            initiation(DEVICE, X25519PrivateKey.generate().public_key(), MOMENT),
            id="for another gateway",
        ),
    ],
)
def test_what_is_no_first_message_is_not_meant(message: bytes) -> None:
    assert not READER.is_meant(message)


def test_a_session_has_another_number_and_nothing_else_changes() -> None:
    data = b"\x04\0\0\0" + b"\1\2\3\4" + bytes(range(32))
    assert messages.index_of(data) == b"\1\2\3\4"
    assert messages.with_index(data, b"abcd") == b"\x04\0\0\0abcd" + bytes(range(32))


def test_an_answer_under_another_number_is_marked_anew() -> None:
    key = messages.mac_key(DEVICE.public_key().public_bytes_raw())
    answer = b"\x02\0\0\0" + bytes(range(88))
    found = messages.response_with_index(answer, b"abcd", key)
    assert len(found) == 92
    assert found[:8] == b"\x02\0\0\0abcd"
    assert found[8:60] == answer[8:60]
    assert found[60:76] == hashlib.blake2s(found[:60], digest_size=16, key=key).digest()
    with pytest.raises(ValueError, match="not the second"):
        messages.response_with_index(answer[:-1], b"abcd", key)
