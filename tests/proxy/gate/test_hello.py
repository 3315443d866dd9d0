"""The server name of a ClientHello: as TLS libraries write it, and never another than mitmproxy reads."""

import base64
import json
import ssl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mitmproxy.net.check import is_valid_host
from mitmproxy.proxy.layers.tls import parse_client_hello

from schoolgate.proxy.gate.hello import MAX_HELLO_BYTES, NoHelloError, read_hello
from tests.data import shared


def hello_for(name: str | None, *, alpn: tuple[str, ...] = ()) -> bytes:
    """Give the first bytes of a real TLS client."""
    context = ssl.create_default_context()
    context.check_hostname = False
    if alpn:
        context.set_alpn_protocols(list(alpn))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def in_records(hello: bytes, size: int) -> bytes:
    """Give the same message in records of another size."""
    message = hello[5:]
    pieces = [message[i : i + size] for i in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)


HELLO = hello_for("www.school.example", alpn=("h2", "http/1.1"))


@pytest.mark.parametrize(
    "name", ["school.example", "a.b.c.school.example", "xn--bcher-kva.example", None]
)
def test_the_name_is_the_one_that_the_client_says(name: str | None) -> None:
    """As Python's own TLS client writes it."""
    hello = read_hello(hello_for(name))
    assert hello is not None
    assert hello.server_name == name


@pytest.mark.parametrize("size", [40, 100, 400, 16_000])
def test_a_hello_in_several_records_is_put_together(size: int) -> None:
    """RFC 8446, 5.1 lets a client cut it anywhere."""
    hello = read_hello(in_records(HELLO, size))
    assert hello is not None
    assert hello.server_name == "www.school.example"


def test_every_beginning_of_a_hello_is_waited_for() -> None:
    """TCP cuts it anywhere."""
    assert {read_hello(HELLO[:size]) for size in range(len(HELLO))} == {None}


def test_every_beginning_of_a_browsers_hello_is_waited_for() -> None:
    """Those with a post-quantum key share take two segments and more."""
    lines = shared("cases/04-tls/clienthellos-curl_cffi.jsonl").read_text().splitlines()
    for said in map(json.loads, lines):
        data = base64.b64decode(said["raw"])
        whole = read_hello(data)
        assert whole is not None
        assert whole.server_name == said["sni"]
        assert {read_hello(data[:size]) for size in range(len(data))} == {None}, said["client"]


def test_what_follows_the_hello_is_not_looked_at() -> None:
    """Early data comes right behind it."""
    hello = read_hello(HELLO + b"\x17\x03\x03\x00\x01x")
    assert hello is not None
    assert hello.server_name == "www.school.example"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH",
        b"\x17\x03\x03\x00\x05hello",
        b"\x16\x02\x00\x00\x05hello",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01" + MAX_HELLO_BYTES.to_bytes(3),
        in_records(HELLO, 10),
        b"\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x00\x00",
        HELLO[:3] + (len(HELLO) - 4).to_bytes(2) + HELLO[5:] + b"\x00",
    ],
    # What follows is chance, and a name must be the same each time.
    ids=lambda data: data[:11].hex(),
)
def test_what_is_no_hello_is_said_to_be_none(data: bytes) -> None:
    """Other protocols, empty or too many records, wrong lengths, a second message."""
    with pytest.raises(NoHelloError):
        read_hello(data)


def mitmproxy_may_read(data: bytes, name: str) -> bool:
    """Ask mitmproxy's parser, which looks into extensions that do not matter here."""
    try:
        hello = parse_client_hello(data)
    except ValueError:
        return True
    assert hello is not None
    return hello.sni == name or not is_valid_host(name.encode())


@given(st.integers(0, len(HELLO) - 1), st.binary(min_size=1, max_size=3))
@example(5, b"\x01")
def test_a_changed_hello_never_gives_another_name_than_mitmproxy_reads(at: int, new: bytes) -> None:
    """Where ours gives a name, the full parser gives the same; else ours leaves it to that one."""
    data = HELLO[:at] + new + HELLO[at + len(new) :]
    try:
        hello = read_hello(data)
    except NoHelloError:
        return
    if hello is not None and hello.server_name:
        assert mitmproxy_may_read(data, hello.server_name)
