"""Accounting on the wire: what a genuine request says, and that nothing else is taken for one."""

import hashlib
import hmac
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.identity.accounting import BadDatagramError, Event, Status, read_request

SECRET = b"secret"
MAC = "00:1b:44:11:3a:b7"


def attribute(kind: int, value: bytes) -> bytes:
    return bytes([kind, len(value) + 2]) + value


def number(kind: int, value: int) -> bytes:
    return attribute(kind, value.to_bytes(4))


def datagram(
    attributes: bytes, *, secret: bytes = SECRET, code: int = 4, strong: bool = False
) -> bytes:
    """Make a request as RFC 2866 (section 3) and RFC 2869 (5.14) say."""
    if strong:
        attributes += attribute(80, bytes(16))
    head = bytes([code, 7]) + (20 + len(attributes)).to_bytes(2)
    if strong:
        proof = hmac.digest(secret, head + bytes(16) + attributes, "md5")
        attributes = attributes[:-16] + proof
    signed = hashlib.md5(head + bytes(16) + attributes + secret).digest()
    return head + signed + attributes


START = (
    number(40, 1)
    + attribute(44, b"5F3A")
    + attribute(1, "Änn".encode())
    + attribute(32, b"controller")
    + attribute(4, bytes([10, 0, 0, 2]))
    + attribute(31, b"00-1B-44-11-3A-B7")
    + attribute(8, bytes([10, 9, 0, 8]))
    + attribute(168, ipaddress.ip_address("2001:db8::8").packed)
    + attribute(97, bytes([0, 64]) + ipaddress.ip_address("2001:db8:a::").packed[:8])
    + attribute(25, b"pupil")
    + attribute(25, b"\xff\xfe")
    + number(41, 3)
)


def event(attributes: bytes) -> Event:
    return read_request(datagram(attributes), SECRET).event


@pytest.mark.parametrize("strong", [False, True])
def test_a_request_says_who_is_where(strong: bool) -> None:
    assert read_request(datagram(START, strong=strong), SECRET).event == Event(
        status=Status.START,
        nas="controller 10.0.0.2",
        session="5F3A",
        user="Änn",
        classes=("pupil",),
        mac=MAC,
        addresses=("10.9.0.8", "2001:db8::8"),
        prefixes=(ipaddress.ip_network("2001:db8:a::/64"),),
        delay_seconds=3,
    )


NOTHING = Event(None, "", "", "", (), "", (), (), 0)


@pytest.mark.parametrize(
    "attributes",
    [
        b"",
        number(40, 9),  # Tunnel-Start
        number(40, 1) + number(40, 2),  # both begun and ended
        attribute(40, b"\1"),
        attribute(8, bytes([255, 255, 255, 254])),  # the NAS chooses
        attribute(8, bytes([255, 255, 255, 255])),  # the user chooses
        attribute(8, bytes(4)),
        attribute(8, b"\1\2\3"),
        attribute(168, bytes(16)),
        attribute(168, b"\1\2"),
        attribute(97, bytes([0, 0])),  # everybody
        attribute(97, bytes([0, 47]) + bytes(6)),
        attribute(97, bytes([0, 200]) + bytes(16)),
        attribute(97, b"\0"),
        attribute(1, b"\xff"),
        attribute(1, b"a\nb"),
        attribute(1, b"ann") + attribute(1, b"bob"),  # two people
        attribute(31, b"AA-BB"),
        attribute(31, b"FF-FF-FF-FF-FF-FF"),
        attribute(26, b"vendor"),
    ],
)
def test_what_does_not_say_a_thing_in_one_way_says_nothing(attributes: bytes) -> None:
    assert event(attributes) == NOTHING


@pytest.mark.parametrize(
    ("length", "size", "want"),
    [
        (64, 16, "2001:db8:a:b::/64"),
        (64, 8, "2001:db8:a:b::/64"),
        (48, 6, "2001:db8:a::/48"),
        (128, 16, "2001:db8:a:b:ffff::1/128"),
        (64, 0, "::/64"),
    ],
)
def test_a_prefix_has_only_the_bits_of_its_length(length: int, size: int, want: str) -> None:
    raw = ipaddress.ip_address("2001:db8:a:b:ffff::1").packed[:size]
    found = event(attribute(97, bytes([0, length]) + raw)).prefixes
    assert found == (ipaddress.ip_network(want),)


def test_the_answer_is_signed_and_carries_the_state_of_proxies() -> None:
    states = attribute(33, b"one") + attribute(33, b"two")
    request = read_request(datagram(START + states), SECRET)
    head = request.answer[:4]
    assert head == bytes([5, 7]) + (20 + len(states)).to_bytes(2)
    assert request.answer[20:] == states
    want = hashlib.md5(head + request.authenticator + states + SECRET).digest()
    assert request.answer[4:20] == want


def test_what_stands_behind_the_packet_is_padding() -> None:
    assert read_request(datagram(START) + b"padding", SECRET).event.session == "5F3A"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "too short"),
        (datagram(START)[:19], "too short"),
        (datagram(START, code=1), "no accounting request"),
        (datagram(START)[:-1], "wrong length"),
        (b"\4\7\0\x13" + bytes(16), "wrong length"),
        (b"\4\7\xff\xff" + bytes(65_600), "wrong length"),
        (datagram(START, secret=b"other"), "does not know the secret"),
        (datagram(b"\1"), "ends within an attribute"),
        (datagram(b"\1\1"), "attribute of a wrong length"),
        (datagram(b"\1\0"), "attribute of a wrong length"),
        (datagram(b"\1\xff"), "attribute of a wrong length"),
        (datagram(attribute(80, bytes(16))), "wrong Message-Authenticator"),
        (datagram(attribute(80, b"x")), "wrong Message-Authenticator"),
        (datagram(attribute(80, bytes(16)), strong=True), "wrong Message-Authenticator"),
    ],
)
def test_whatever_else_it_is_it_is_not_answered(raw: bytes, why: str) -> None:
    with pytest.raises(BadDatagramError, match=why):
        read_request(raw, SECRET)


@given(st.integers(0, 8 * len(datagram(START)) - 1))
def test_one_bit_changed_anywhere_is_noticed(bit: int) -> None:
    raw = bytearray(datagram(START))
    raw[bit // 8] ^= 1 << bit % 8
    if bit // 8 != 1:  # the identifier is under the signature as well
        with pytest.raises(BadDatagramError):
            read_request(bytes(raw), SECRET)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_fail(raw: bytes) -> None:
    with pytest.raises(BadDatagramError):
        read_request(raw, SECRET)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 4, 8, 25, 31, 32, 33, 40, 41, 44, 95, 97, 168, 200]),
            st.binary(max_size=30),
        ),
        max_size=12,
    )
)
def test_any_attributes_of_one_who_knows_the_secret_are_read(
    parts: list[tuple[int, bytes]],
) -> None:
    found = event(b"".join(attribute(kind, value) for kind, value in parts))
    assert all(ipaddress.ip_address(address) for address in found.addresses)
    assert all(prefix.prefixlen >= 48 for prefix in found.prefixes)
    assert found.user.isprintable()
