"""A head is read at a glance, or left to the full parser; never guessed."""

import pytest

from schoolgate.proxy.gate.heads import MAX_HEAD_BYTES, UnusualHeadError, read_head


@pytest.mark.parametrize(
    ("data", "method", "target", "keeps"),
    [
        (b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", "CONNECT", "a.example:443", True),
        (b"CONNECT a.example:443 HTTP/1.0\r\n\r\n", "CONNECT", "a.example:443", False),
        (b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\nrest", "GET", "http://a.example/", True),
        (b"GET http://a.example/ HTTP/1.1\r\nConnection: Close\r\n\r\n", "GET", "http://a.example/", False),
        (b"GET http://a.test/ HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET", "http://a.test/", True),
        (b"HEAD / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HEAD", "/", True),
    ],
)  # fmt: skip
def test_a_plain_head_is_read(data: bytes, method: str, target: str, keeps: bool) -> None:
    """Method, target, and whether another request will follow."""
    head = read_head(data)
    assert head is not None
    assert (head.method, head.target, head.keeps_connection) == (method, target, keeps)
    assert data[: head.size].endswith(b"\r\n\r\n")


def test_names_of_fields_are_lower_case_and_values_are_trimmed() -> None:
    """Fields are looked up by one spelling."""
    head = read_head(b"GET / HTTP/1.1\r\nACCEPT:  text/html \r\n\r\n")
    assert head is not None
    assert head.headers == {"accept": "text/html"}


@pytest.mark.parametrize("size", [0, 1, 7, 30])
def test_the_beginning_of_a_head_is_waited_for(size: int) -> None:
    """One that is not whole is neither read nor given away."""
    data = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"[:size]
    if data:
        assert read_head(data) is None
    else:
        with pytest.raises(UnusualHeadError):
            read_head(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x05",
        b"\x05\x01\x00",
        b"GET  http://a.example/ HTTP/1.1\r\n\r\n",
        b"GET http://a.example/ HTTP/2.0\r\n\r\n",
        b"GET http://a.example/\r\n\r\n",
        b"GET http://a.example/\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a.example\r\nhost: b.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\n: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a.example\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
        b"CONNECT a.example:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"A" * MAX_HEAD_BYTES,
    ],
)
def test_what_could_be_read_in_two_ways_is_left_to_the_full_parser(data: bytes) -> None:
    """Other protocols, other versions, bodies, repeated or folded fields, and too much."""
    with pytest.raises(UnusualHeadError):
        read_head(data)
