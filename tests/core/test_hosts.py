"""A host has one form, whatever spelling it came in; what is no host is refused."""

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import (
    IpAddress,
    _normalised,
    as_ip,
    embedded_ipv4,
    is_private,
    normalise_host,
    without_root_dot,
)
from tests.data import json_vectors

REFUSED = None


def normalised(raw: str) -> str | None:
    try:
        return normalise_host(raw)
    except BadAddressError:
        return REFUSED


def address(text: str) -> IpAddress:
    return ipaddress.ip_address(text)


def wide(text: str) -> str:
    """Spell ASCII in the full-width letters of East Asian keyboards, which the standard folds."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


# -- names ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com", "example.com"),
        ("example.com.", "example.com"),
        ("ex%61mple.com", "example.com"),
        ("%65xample%2Ecom", "example.com"),
        ("example.com%2e", "example.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("BÜCHER.de", "xn--bcher-kva.de"),
        ("bu\u0308cher.de", "xn--bcher-kva.de"),  # u and a combining diaeresis
        ("XN--BCHER-KVA.de", "xn--bcher-kva.de"),
        ("faß.de", "xn--fa-hia.de"),  # non-transitional: not fass.de
        ("☕.example", "xn--53h.example"),
        (wide("EXAMPLE.com"), "example.com"),
        ("example。com", "example.com"),  # ideographic full stop
        ("exa\u00admple.com", "example.com"),  # soft hyphen
        ("exam\u200bple.com", "example.com"),  # zero-width space
        ("xn--a", "xn--a"),  # no valid punycode, yet a name that DNS can hold
        ("a_b.example", "a_b.example"),
        ("-a.example", "-a.example"),
        ("localhost", "localhost"),
    ],
)
def test_every_spelling_of_a_name_becomes_lower_case_punycode_without_root_dot(
    raw: str, want: str
) -> None:
    assert normalised(raw) == want


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="nothing"),
        pytest.param("user@example.com", id="userinfo"),
        pytest.param("user:password@example.com", id="userinfo with password"),
        pytest.param("user%40example.com", id="userinfo percent-encoded"),
        pytest.param(f"user{wide('@')}example.com", id="userinfo with full-width at sign"),
        pytest.param("example.com:443", id="port"),
        pytest.param("example.com:", id="empty port"),
        pytest.param("10.0.0.1:80", id="port after IPv4"),
        pytest.param("example.com/path", id="path"),
        pytest.param("example.com%2Fpath", id="path percent-encoded"),
        pytest.param(f"example.com{wide('/')}path", id="path with full-width slash"),
        pytest.param("example.com\\@evil.example", id="backslash"),
        pytest.param("example.com%5Cevil.example", id="backslash percent-encoded"),
        pytest.param("example.com?query", id="query"),
        pytest.param("example.com#fragment", id="fragment"),
        pytest.param("https://example.com", id="scheme"),
        pytest.param("example .com", id="space"),
        pytest.param("example%20.com", id="space percent-encoded"),
        pytest.param("example.com\n", id="line feed"),
        pytest.param("example.com\r\nX: y", id="header injection"),
        pytest.param("exam\tple.com", id="tab"),
        pytest.param("example.com\0.evil.example", id="NUL"),
        pytest.param("example%00.com", id="NUL percent-encoded"),
        pytest.param("example\x7f.com", id="DEL"),
        pytest.param("example\x1b.com", id="escape"),
        pytest.param("example%.com", id="percent sign alone"),
        pytest.param("exa%25mple.com", id="percent sign percent-encoded"),
        pytest.param("exa|mple.com", id="forbidden code point"),
        pytest.param("a<b", id="angle bracket"),
        pytest.param("\u200b", id="nothing but a zero-width space"),
        pytest.param("exam\ud800ple.com", id="lone surrogate"),
        pytest.param("\ufffd.com", id="replacement character"),
    ],
)
def test_what_is_no_bare_host_is_refused(raw: str) -> None:
    assert normalised(raw) is REFUSED


@pytest.mark.parametrize("code", [*range(0x21), 0x7F])
def test_no_control_character_stands_anywhere_in_a_host(code: int) -> None:
    for raw in (f"{chr(code)}example.com", f"exam{chr(code)}ple.com", f"example.com{chr(code)}"):
        assert normalised(raw) is REFUSED, repr(raw)


def test_a_refusal_quotes_what_was_given() -> None:
    with pytest.raises(BadAddressError, match="'a b' is not a host name"):
        normalise_host("a b")


# -- addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0X7F.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f.0.0x0.01", "127.0.0.1"),
        ("%31%32%37.0.0.1", "127.0.0.1"),
        (wide("127.0.0.1"), "127.0.0.1"),
        ("①②⑦.0.0.1", "127.0.0.1"),  # circled digits
        ("127。0。0。1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("4294967295", "255.255.255.255"),
        ("4294967296", REFUSED),
        ("256.0.0.1", REFUSED),
        ("1.2.3.256", REFUSED),
        ("1.2.3.4.5", REFUSED),
        ("1.2.3.08", REFUSED),  # 8 is no octal digit
        ("1..2.3", REFUSED),
        ("example.1", REFUSED),  # ends in a number, so it would have to be an address
        ("example.0x4", REFUSED),
        ("1.2.3.4a", "1.2.3.4a"),
        ("1.example", "1.example"),
    ],
)
def test_ipv4_in_any_spelling_becomes_dotted_decimal(raw: str, want: str | None) -> None:
    assert normalised(raw) == want


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("[::1]", "[::1]"),
        ("::1", "[::1]"),
        ("::", "[::]"),
        ("0:0:0:0:0:0:0:1", "[::1]"),
        ("2001:DB8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]"),
        ("[2001:0db8::0001]", "[2001:db8::1]"),
        ("::ffff:127.0.0.1", "[::ffff:7f00:1]"),
        ("[::ffff:7f00:1]", "[::ffff:7f00:1]"),
        ("64:ff9b::10.0.0.1", "[64:ff9b::a00:1]"),
        ("[::1", REFUSED),
        ("::1]", REFUSED),
        ("[]", REFUSED),
        ("[1.2.3.4]", REFUSED),
        ("[example.com]", REFUSED),
        ("[v1.a]", REFUSED),
        (":::", REFUSED),
        ("1:2:3", REFUSED),
        ("1:2:3:4:5:6:7:8:9", REFUSED),
        ("fe80::1%eth0", REFUSED),  # a zone means something on one machine only
        ("[fe80::1%25eth0]", REFUSED),
        ("[::1].", REFUSED),
    ],
)
def test_ipv6_becomes_its_shortest_form_in_brackets(raw: str, want: str | None) -> None:
    assert normalised(raw) == want


def test_a_name_of_any_length_is_refused_before_it_is_kept() -> None:
    _normalised.cache_clear()
    for length, kept in [(1_024, 1), (1_025, 0), (16_000, 0)]:
        raw = "a" * length
        with suppress(BadAddressError):
            normalise_host(raw)
        assert _normalised.cache_info().misses == kept
        _normalised.cache_clear()


def test_a_port_after_a_bracketed_address_is_refused_as_after_a_name() -> None:
    assert normalised("[::1]:80") is REFUSED


def _spell(part: int, base: str) -> str:
    return {"decimal": f"{part}", "octal": f"0{part:o}", "hex": f"0x{part:X}"}[base]


@given(
    st.ip_addresses(v=4),
    st.integers(1, 4),
    st.lists(st.sampled_from(["decimal", "octal", "hex"]), min_size=4, max_size=4),
)
def test_short_octal_hex_and_decimal_spellings_are_all_one_address(
    ip: ipaddress.IPv4Address, parts: int, bases: list[str]
) -> None:
    octets = list(ip.packed)
    numbers = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :])]
    raw = ".".join(_spell(number, base) for number, base in zip(numbers, bases, strict=False))
    assert normalise_host(raw) == str(ip)


@given(st.ip_addresses(v=6))
def test_long_short_and_bracketed_ipv6_are_all_one_address(ip: ipaddress.IPv6Address) -> None:
    forms = {normalise_host(raw) for raw in (ip.exploded, ip.compressed, f"[{ip.compressed}]")}
    assert len(forms) == 1
    assert as_ip(forms.pop()) == ip


@given(st.ip_addresses())
def test_a_normalised_address_is_recognised_as_that_address(ip: IpAddress) -> None:
    assert as_ip(normalise_host(str(ip))) == ip


@pytest.mark.parametrize("host", ["example.com", "1.example", "1.2.3", "", "a.1.2.3.4", "::g"])
def test_a_name_is_no_address(host: str) -> None:
    assert as_ip(host) is None


_DOTS = ".\u3002\uff0e\uff61"  # all that the standard takes for a dot


# -- one form --------------------------------------------------------------------------------


@given(
    st.text(
        st.characters(codec="utf-8", exclude_characters=_DOTS, exclude_categories=["Cs"]),
        min_size=1,
        max_size=12,
    )
)
def test_normalising_a_label_again_changes_nothing(raw: str) -> None:
    first = normalised(f"{raw}.example")
    assert first is REFUSED or normalise_host(first) == first


@pytest.mark.parametrize("raw", ["example.com", "example.com.", "10.1.", "[::1]", "example.com.."])
def test_normalising_a_host_again_changes_nothing(raw: str) -> None:
    first = normalised(raw)
    assert first is REFUSED or normalise_host(first) == first


@pytest.mark.parametrize(
    ("host", "want"),
    [("example.com.", "example.com"), ("example.com", "example.com"), (".", "."), ("", "")],
)
def test_one_root_dot_is_dropped_and_the_root_itself_kept(host: str, want: str) -> None:
    assert without_root_dot(host) == want


# -- private or public -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("10.0.0.1", True),
        ("172.15.255.255", False),
        ("172.16.0.0", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.168.255.255", True),
        ("192.169.0.0", False),
        ("127.0.0.1", True),  # loopback
        ("127.255.255.254", True),
        ("169.254.169.254", True),  # link-local: where clouds keep their metadata
        ("100.63.255.255", False),
        ("100.64.0.0", True),  # carrier-grade NAT, RFC 6598
        ("100.127.255.255", True),
        ("100.128.0.0", False),
        ("0.0.0.0", True),  # "this host"
        ("0.1.2.3", True),  # "this network"
        ("255.255.255.255", True),  # broadcast
        ("240.0.0.1", True),  # reserved
        ("224.0.0.1", True),  # multicast
        ("239.255.255.255", True),
        ("192.0.2.1", True),  # documentation, RFC 5737
        ("198.51.100.1", True),
        ("203.0.113.1", True),
        ("198.18.0.1", True),  # benchmarks, RFC 2544
        ("192.0.0.1", True),  # IETF protocol assignments
        ("1.1.1.1", False),
        ("8.8.8.8", False),
        ("223.255.255.255", False),
    ],
)
def test_ipv4_that_is_not_on_the_public_internet_is_private(text: str, want: bool) -> None:
    assert is_private(address(text)) is want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("::", True),
        ("::1", True),
        ("fe80::1", True),  # link-local
        ("fc00::1", True),  # unique local
        ("fdff::1", True),
        ("ff02::1", True),  # multicast
        ("ff0e::1", True),  # multicast of global scope
        ("2001:db8::1", True),  # documentation, RFC 3849
        ("100::1", True),  # discard only, RFC 6666
        ("2001::1", True),  # Teredo
        ("64:ff9b:1::a00:1", True),  # local-use NAT64, RFC 8215
        ("2001:4860:4860::8888", False),
        ("2606:4700::1111", False),
        ("2a00:1450::1", False),
        ("::ffff:10.0.0.1", True),  # mapped
        ("::ffff:127.0.0.1", True),
        ("::ffff:100.64.0.1", True),
        ("::ffff:224.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::10.0.0.1", True),  # NAT64, RFC 6052
        ("64:ff9b::127.0.0.1", True),
        ("64:ff9b::169.254.169.254", True),
        ("64:ff9b::8.8.8.8", False),
        ("2002:a00:1::", True),  # 6to4 of 10.0.0.1
        ("2002:7f00:1::1", True),
        ("2002:808:808::1", False),
    ],
)
def test_ipv6_is_as_private_as_the_address_that_it_carries(text: str, want: bool) -> None:
    assert is_private(address(text)) is want


@pytest.mark.parametrize(
    ("text", "what"),
    [("3fff::1", "documentation, RFC 9637"), ("5f00::1", "segment routing, RFC 9602")],
)
def test_the_newer_rows_of_the_special_purpose_registry_are_private_too(
    text: str, what: str
) -> None:
    assert is_private(address(text)), what


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("64:ff9b::10.0.0.1", "10.0.0.1"),
        ("2002:a00:1::5", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "10.0.0.1"),
    ],
)
def test_the_carried_ipv4_address_is_found(text: str, want: str) -> None:
    assert embedded_ipv4(address(text)) == address(want)


@pytest.mark.parametrize(
    ("text", "allowed", "want"),
    [
        ("10.1.2.3", ["10.1.0.0/16"], False),
        ("10.2.2.3", ["10.1.0.0/16"], True),
        ("10.1.2.3", ["192.168.0.0/16", "10.1.0.0/16"], False),
        ("fd00:1::5", ["fd00:1::/32"], False),
        ("fd00:2::5", ["fd00:1::/32"], True),
        ("10.1.2.3", ["fd00:1::/32"], True),  # of the other version: no error, no match
        ("::ffff:10.1.2.3", ["10.1.0.0/16"], False),  # opened in whatever form it comes
        ("::ffff:10.2.2.3", ["10.1.0.0/16"], True),
        ("64:ff9b::10.1.2.3", ["10.1.0.0/16"], False),
        ("8.8.8.8", ["10.1.0.0/16"], False),
    ],
)
def test_an_allowed_network_is_open_and_its_neighbours_stay_shut(
    text: str, allowed: list[str], want: bool
) -> None:
    networks = [ipaddress.ip_network(network) for network in allowed]
    assert is_private(address(text), networks) is want


@given(st.ip_addresses(v=4))
def test_carrying_an_ipv4_address_in_ipv6_hides_nothing(ip: ipaddress.IPv4Address) -> None:
    carriers = [
        ipaddress.IPv6Address((0xFFFF << 32) | int(ip)),
        ipaddress.IPv6Address((0x0064_FF9B << 96) | int(ip)),
        ipaddress.IPv6Address((0x2002 << 112) | (int(ip) << 80)),
    ]
    assert [is_private(carrier) for carrier in carriers] == [is_private(ip)] * 3


# -- vectors by others -----------------------------------------------------------------------

# A bare host is refused when it holds one of these, where the same text within a URL would be
# composed with the stroke that follows (U+0338) into one letter: '<' and '>' end a host in a
# Host header and in mail, and a browser never sends one. One dot at the end is the root and is
# dropped; a host that still ends in an empty label (the root alone, ``a..``) is no host at all.
_REFUSED_IN_A_BARE_HOST = frozenset("<>")


def _check_to_ascii(vectors: list[dict[str, str | None]]) -> tuple[int, int]:
    """Give how many vectors agree and how many we refuse although the standard would not."""
    agreed = refused = 0
    for vector in vectors:
        raw, output = vector["input"], vector["output"]
        assert raw is not None
        want = output if output is None else without_root_dot(output)
        got = normalised(raw)
        if got == want:
            agreed += 1
            continue
        assert got is REFUSED, vector
        ends_empty = want is not None and want.endswith(".")
        assert ends_empty or raw == "" or _REFUSED_IN_A_BARE_HOST & set(raw), vector
        refused += 1
    return agreed, refused


def test_our_own_to_ascii_vectors_agree() -> None:
    vectors: list[dict[str, str | None]] = [
        {"input": "x..xn--zca", "output": "x..xn--zca"},
        {"input": "ab--c", "output": "ab--c"},
        {"input": "☃", "output": "xn--n3h"},
        {"input": "a\u200dz", "output": None},  # a joiner where none may stand
        {"input": "=\u0338", "output": "xn--1ch"},
        {"input": "<\u0338", "output": "xn--gdh"},
    ]
    assert _check_to_ascii(vectors) == (5, 1)


@pytest.mark.parametrize(
    ("name", "count", "refused"),
    [
        ("toascii.json", 87, 4),
        ("IdnaTestV2.json", 2671, 51),  # 42 with < or >, the empty host, 8 with an empty label last
        ("IdnaTestV2-removed.json", 20, 0),
    ],
)
def test_to_ascii_vectors_of_wpt_agree_or_are_refused(name: str, count: int, refused: int) -> None:
    vectors = json_vectors(f"cases/02-url/wpt-via-ada/{name}")
    assert _check_to_ascii(vectors) == (len(vectors) - refused, refused)
    assert len(vectors) == count
