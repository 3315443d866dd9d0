"""A node's state follows from its name alone, and names that differ have states that differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.hosts import as_ip
from schoolgate.core.index.hashing import (
    HOST_FACTOR,
    MASK,
    PATH_FACTOR,
    host_labels,
    is_address,
    place_of,
    step,
)

SEED = 0x0123456789ABCDEF


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("www.example.com", ["com", "example", "www"]),
        ("www.example.com.", ["com", "example", "www"]),
        ("localhost", ["localhost"]),
        ("10.0.0.1", ["10.0.0.1"]),
        ("10.0.0.1.", ["10.0.0.1"]),
        ("[2001:db8::1]", ["[2001:db8::1]"]),
        ("a.b2", ["b2", "a"]),  # ends in a digit, yet is a name
        ("1.2.3", ["3", "2", "1"]),
        ("10.0.0.256", ["256", "0", "0", "10"]),
        ("10.0.0.01", ["01", "0", "0", "10"]),
        (".", ["", ""]),
        ("", [""]),
    ],
)
def test_names_are_walked_label_by_label_and_addresses_in_one_step(
    host: str, want: list[str]
) -> None:
    assert host_labels(host.encode()) == [label.encode() for label in want]


@given(st.one_of(st.ip_addresses(v=4).map(str), st.from_regex(r"[0-9.]{1,17}", fullmatch=True)))
def test_an_address_is_what_the_standard_library_takes_for_one(host: str) -> None:
    assert is_address(host.encode()) is (as_ip(host) is not None)


_PARTS = st.one_of(st.binary(max_size=30), st.sampled_from([b"", b"\0", b"a", b"a\0", b"\0a"]))


@given(_PARTS, _PARTS)
def test_parts_that_differ_have_states_that_differ(one: bytes, other: bytes) -> None:
    assert (step(SEED, one, HOST_FACTOR) == step(SEED, other, HOST_FACTOR)) is (one == other)


@given(_PARTS)
def test_a_label_and_a_path_segment_are_never_the_same_node(part: bytes) -> None:
    assert step(SEED, part, HOST_FACTOR) != step(SEED, part, PATH_FACTOR)


@given(st.integers(0, MASK), st.integers(1, 1 << 28), st.integers(1, 39))
def test_a_place_lies_within_the_table(state: int, buckets: int, tag_bits: int) -> None:
    bucket, low, high, kind = place_of(state, buckets, tag_bits)
    assert 0 <= bucket < buckets
    assert 0 < low < 1 << 32
    assert 0 <= high < 1 << 7
    assert kind in {1 << bit for bit in range(8)}


def test_names_spread_evenly_over_the_buckets() -> None:
    """Of 64,000 names over 1,000 buckets no bucket is more than 7 standard deviations off its 64."""
    counts = [0] * 1000
    above = step(SEED, b"example", HOST_FACTOR)
    for number in range(64_000):
        state = step(above, b"site%d" % number, HOST_FACTOR)
        counts[place_of(state, len(counts), 39)[0]] += 1
    assert max(abs(count - 64) for count in counts) < 7 * 64**0.5
