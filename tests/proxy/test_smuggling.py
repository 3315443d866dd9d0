"""No spelling of a tunnel, no second request and no doubtful framing brings a blocked site through."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from tests.gateway import Gateway, eventually
from tests.origin import Origin
from tests.proxy.test_gate import BLOCKED, READ, dial, get, tls
from tests.wire import read_head, serving

# Long enough for an answer on a slow machine, not for a peer that waits for more to give up.
SECONDS = 10.0


def heard(line: socket.socket) -> bytes:
    """Give all that comes until the end, or until nothing more does."""
    line.settimeout(SECONDS)
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
        while piece := line.recv(65_536):
            received += piece
    return received


@pytest.mark.parametrize(
    "target",
    [
        "www.bet365.com:{port}",
        "WWW.BET365.COM:{port}",
        "www.bet365.com.:{port}",
        "www.bet365.com..:{port}",
        "www%2Ebet365.com:{port}",
        "www%2ebet365%2ecom:{port}",
        "www。bet365。com:{port}",
        "ｗｗｗ.bet365.com:{port}",  # noqa: RUF001
        "a@www.bet365.com:{port}",
        "origin.test@www.bet365.com:{port}",
        "[www.bet365.com]:{port}",
        "www.bet365.com:0{port}",
        "www.bet365.com:+{port}",
        "www.bet365.com:{port}/",
        "www.bet365.com:{port}#origin.test:{port}",
        "www.bet365.com\\@origin.test:{port}",
        "http://www.bet365.com:{port}",
        "https://www.bet365.com:{port}/",
        "//www.bet365.com:{port}",
        "www.bet365.com\t:{port}",
        "www.bet365.com\x00.origin.test:{port}",
        "www.bet365.com\xad:{port}",
    ],
)
def test_a_tunnel_to_a_blocked_site_is_refused_however_it_is_spelt(
    gate: Gateway, site: Origin, target: str
) -> None:
    heads = len(site.heads)
    with dial(gate) as line:
        line.settimeout(SECONDS)
        asked = f"CONNECT {target.format(port=site.https_port)} HTTP/1.1\r\nHost: {READ}\r\n\r\n"
        line.sendall(asked.encode())
        head = b""
        with contextlib.suppress(TimeoutError, ConnectionError, AssertionError):
            head = read_head(line)
        if b" 200 " in head:
            with contextlib.suppress(OSError), tls(line, BLOCKED, gate.ca_file) as inner:
                assert get(inner, BLOCKED)[0] == 403
    assert len(site.heads) == heads
    assert gate.metric(r"schoolgate_filter_errors_total") == 0


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://www.bet365.com:{port}/", "origin.test:{port}"),
        ("http://origin.test:{port}/", "www.bet365.com:{port}"),
        ("http://origin.test:{port}/", "www.bet365.com"),
        ("HTTP://WWW.BET365.COM:{port}/", "www.bet365.com"),
        ("http://www.bet365.com.:{port}/", "www.bet365.com.:{port}"),
        ("http://www.bet365.com..:{port}/", "origin.test"),
        ("http://www%2Ebet365.com:{port}/", "origin.test"),
        ("http://origin.test:{port}@www.bet365.com:{port}/", "origin.test:{port}"),
        ("http://www.bet365.com:{port}\\@origin.test:{port}/", "origin.test:{port}"),
        ("http://www.bet365.com:{port}#@origin.test:{port}/", "origin.test:{port}"),
        ("http://www.bet365.com:{port}?@origin.test:{port}/", "origin.test:{port}"),
        ("http:///www.bet365.com:{port}/", "origin.test:{port}"),
        ("http:www.bet365.com:{port}/", "origin.test:{port}"),
        ("/", "www.bet365.com:{port}"),
        ("http://ｗｗｗ.bet365.com:{port}/", "origin.test"),  # noqa: RUF001
        ("http://www。bet365。com:{port}/", "origin.test"),
        ("ws://www.bet365.com:{port}/", "origin.test:{port}"),
        ("ftp://www.bet365.com:{port}/", "origin.test:{port}"),
        ("https://www.bet365.com:{port}/", "origin.test:{port}"),
        # The origin's own address, in spellings that parsers take for different things.
        ("http://2130706433:{port}/", "origin.test:{port}"),
        ("http://0x7f.1:{port}/", "origin.test:{port}"),
    ],
)
def test_a_request_is_judged_by_all_that_it_may_name(
    gate: Gateway, site: Origin, target: str, host: str
) -> None:
    heads = len(site.heads)
    with dial(gate) as line:
        said = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        line.sendall(said.format(port=site.http_port).encode())
        answer = heard(line)
    assert b"origin says" not in answer
    assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert len(site.heads) == heads
    assert gate.metric(r"schoolgate_filter_errors_total") == 0


def asked(host: str, port: int, *, is_last: bool = False, absolute: bool = True) -> bytes:
    target = f"http://{host}:{port}/" if absolute else "/"
    last = "Connection: close\r\n" if is_last else ""
    return f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n{last}\r\n".encode()


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
@pytest.mark.parametrize(
    ("hosts", "want"),
    [
        ((READ, BLOCKED, READ), [200, 403, 200]),
        ((BLOCKED, READ), [403, 200]),
        ((BLOCKED, BLOCKED, READ), [403, 403, 200]),
    ],
)
def test_each_request_on_a_kept_connection_is_judged(
    gate: Gateway, site: Origin, hosts: tuple[str, ...], want: list[int], at_once: bool
) -> None:
    """Behind the proxy's own door a connection may ask for one site after the other."""
    last = len(hosts) - 1
    heads = [asked(h, site.http_port, is_last=n == last) for n, h in enumerate(hosts)]
    with dial(gate) as line:
        line.settimeout(SECONDS)
        if at_once:
            line.sendall(b"".join(heads))
            found = heard(line)
        else:
            found = b""
            for head in heads:
                line.sendall(head)
                found += _answer(line)
    statuses = [int(part[:3]) for part in found.split(b"HTTP/1.1 ")[1:]]
    assert statuses == want
    assert BLOCKED not in site.hosts


def _answer(line: socket.socket) -> bytes:
    head = read_head(line)
    head, _, body = head.partition(b"\r\n\r\n")
    lengths = [x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")]
    while not lengths and not body.endswith(b"0\r\n\r\n"):
        body += line.recv(65_536)
    while lengths and len(body) < int(lengths[0].partition(b":")[2]):
        body += line.recv(65_536)
    return head + b"\r\n\r\n" + body


@pytest.mark.parametrize("is_tls", [True, False], ids=["TLS", "plain"])
def test_each_request_in_a_tunnel_is_judged(gate: Gateway, site: Origin, is_tls: bool) -> None:
    port = site.https_port if is_tls else site.http_port
    with dial(gate) as line:
        line.sendall(f"CONNECT {READ}:{port} HTTP/1.1\r\nHost: {READ}:{port}\r\n\r\n".encode())
        assert b" 200 " in read_head(line)
        inner = (
            contextlib.closing(_encrypted(gate, line)) if is_tls else contextlib.nullcontext(line)
        )
        with inner as stream:
            stream.sendall(
                asked(READ, port, absolute=False)
                + asked(BLOCKED, port, absolute=False)
                + asked(READ, port, is_last=True, absolute=False)
            )
            found = heard(stream)
    assert found.count(b"origin says") <= 2
    assert b"W-6.3.1-gambling" in found
    assert BLOCKED not in site.hosts


def _encrypted(gate: Gateway, line: socket.socket) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(gate.ca_file))
    return context.wrap_socket(line, server_hostname=READ)


# A request that one reader takes for a body, and another for the next request.
HIDDEN = f"GET /hidden HTTP/1.1\r\nHost: {BLOCKED}\r\n\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param("Content-Length: 0\r\nTransfer-Encoding: chunked", id="both"),
        pytest.param("Transfer-Encoding: chunked\r\nContent-Length: 0", id="both, turned"),
        pytest.param("Content-Length: 0\r\nContent-Length: {size}", id="two lengths"),
        pytest.param("Content-Length: 0, {size}", id="two lengths in one"),
        pytest.param("Content-Length: +{size}", id="a sign"),
        pytest.param("Content-Length: 0x{size}", id="hex"),
        pytest.param("Content-Length : {size}", id="a space before the colon"),
        pytest.param("Content-Length\t: {size}", id="a tab before the colon"),
        pytest.param("X: y\nContent-Length: {size}", id="a line that ends otherwise"),
        pytest.param("X: y\r\n Content-Length: {size}", id="a folded line"),
        pytest.param("Transfer-Encoding: xchunked", id="another coding"),
        pytest.param("Transfer-Encoding: chunked, identity", id="a coding after it"),
        pytest.param("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", id="two codings"),
        pytest.param("Transfer-Encoding:\x0bchunked", id="another space"),
        pytest.param("Transfer-Encoding: \x00chunked", id="a zero"),
    ],
)
def test_a_body_of_doubtful_length_hides_no_request(
    gate: Gateway, site: Origin, fields: str
) -> None:
    """What goes on to an origin can be read in one way, and the other request is judged as one."""
    arrived: list[bytes] = []
    done = threading.Event()

    def origin(peer: socket.socket) -> None:
        peer.settimeout(SECONDS)
        head = read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(OSError):
            while piece := peer.recv(65_536):
                head += piece
        arrived.append(head)
        done.set()

    with serving(origin) as port, dial(gate) as line:
        head = f"POST http://{READ}:{port}/ HTTP/1.1\r\nHost: {READ}:{port}\r\n"
        line.sendall(f"{head}{fields.format(size=len(HIDDEN))}\r\n\r\n{HIDDEN}".encode())
        line.settimeout(2.0)
        answer = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            while piece := line.recv(65_536):
                answer += piece
        line.close()
        if answer.startswith(b"HTTP/1.1 200"):
            assert eventually(done.is_set)
    for whole in arrived:
        before, _, body = whole.partition(b"\r\n\r\n")
        lengths = [
            line
            for line in before.lower().split(b"\r\n")[1:]
            if line.startswith((b"content-length", b"transfer-encoding"))
        ]
        assert len(lengths) <= 1, whole
        if b"/hidden" in body:
            # As a body of so many bytes, which every reader takes for one.
            assert lengths == [b"content-length: %d" % len(HIDDEN)], whole
    assert gate.metric(r"schoolgate_filter_errors_total") == 0


@pytest.mark.parametrize("host", [READ, BLOCKED])
def test_a_field_that_comes_twice_changes_nothing_for_the_host(
    gate: Gateway, site: Origin, host: str
) -> None:
    with dial(gate) as line:
        where = f"{host}:{site.http_port}"
        line.sendall(
            f"GET http://{where}/headers HTTP/1.1\r\nHost: {where}\r\nX-A: 1\r\nX-A: 2\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        answer = heard(line)
    if host == READ:
        assert b"x-a: 1\nx-a: 2" in answer
    else:
        assert b"W-6.3.1-gambling" in answer


@pytest.mark.parametrize(
    "first",
    [
        b"PROXY TCP4 127.0.3.9 127.0.0.1 1 2\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x7f\x00\x03\x09\x7f\x00\x00\x01\x00\x01\x00\x02",
    ],
    ids=["version 1", "version 2"],
)
def test_nobody_but_a_listed_load_balancer_says_who_comes(
    gate: Gateway, site: Origin, first: bytes
) -> None:
    heads = len(site.heads)
    with dial(gate) as line:
        line.sendall(first + asked(READ, site.http_port, is_last=True))
        assert b"origin says" not in heard(line)
    assert len(site.heads) == heads
    assert all(line["client"] != "127.0.3.9" for line in gate.journal())


@contextlib.contextmanager
def in_the_clear(gate: Gateway, site: Origin) -> Iterator[socket.socket]:
    """Open a tunnel to the origin's port without TLS."""
    with dial(gate) as line:
        where = f"{READ}:{site.http_port}"
        line.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
        assert b" 200 " in read_head(line)
        yield line


def test_nobody_is_talked_into_http2_without_tls(gate: Gateway, site: Origin) -> None:
    with in_the_clear(gate, site) as line:
        line.sendall(
            f"GET / HTTP/1.1\r\nHost: {READ}\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n".encode()
        )
        answer = heard(line)
    assert b" 101 " not in answer.partition(b"\r\n")[0]
    assert all(b"upgrade" not in fields for _, _, fields in site.heads[-1:])
    heads = len(site.heads)
    with in_the_clear(gate, site) as line:
        # A client that knows beforehand: preface, settings, and a request for a blocked site.
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
        name = BLOCKED.encode()
        block = b"\x82\x86\x84\x41" + bytes((len(name),)) + name
        line.sendall(len(block).to_bytes(3) + b"\x01\x05\x00\x00\x00\x01" + block)
        assert b"origin says" not in heard(line)
    assert len(site.heads) == heads
    assert BLOCKED not in site.hosts
