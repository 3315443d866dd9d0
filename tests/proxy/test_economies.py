"""What stands in for a piece of mitmproxy gives the same, and the piece is still the one we know."""

import gc
import hashlib
import inspect
import os
import platform
import ssl
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.urls import parse_url
from tests.origin import issue

with warnings.catch_warnings():
    # Those of mitmproxy's own dependencies.
    warnings.simplefilter("ignore")
    from mitmproxy import addonmanager, certs, connection, http, options
    from mitmproxy import tls as tls_module
    from mitmproxy.addons import tlsconfig
    from mitmproxy.net import tls as net_tls
    from mitmproxy.net.http import http1, validate
    from mitmproxy.proxy import commands, context, events, layer, mode_servers, server
    from mitmproxy.proxy.layers import http as http_layer
    from mitmproxy.proxy.layers import modes, tls
    from mitmproxy.proxy.layers.http import _http1
    from OpenSSL import SSL

    from schoolgate.proxy import economies, messages, translate
    from schoolgate.proxy.client_hello import PlainHello

# Of the text that our code stands in for. Another one is not wrong, but must be read: what changed
# in mitmproxy may have to change in `economies` or `handler` too.
KNOWN = {
    "AddonManager._iter_hooks": "350b419ab7284091",
    "AddonManager.handle_lifecycle": "38c97e792d1db5b7",
    "ClientHello": "46ba2420b3f5380d",
    "Connection.__eq__": "04776846f3cf761c",
    "Connection.__hash__": "034412630892678e",
    "ConnectionHandler": "f7209a1273f3da94",
    "Context": "dd52bbec90eacace",
    "Http1Connection._handle_event": "2ac8db3e43ae743f",
    "HttpLayer.event_to_child": "1095f6e1581d1780",
    "Layer.handle_event": "fd88b0fb09ceddbb",
    "LiveConnectionHandler": "7e512dd40fb290b9",
    "MultiDict.__getitem__": "482e7414c932e3e8",
    "MultiDict.get_all": "5bff03c1afa25bb7",
    "Headers.__init__": "4d53696a5f9f6670",
    "Headers.get_all": "367b3317bc2ba45c",
    "MessageData.__post_init__": "f65088e210cd9cc1",
    "ProxyConnectionHandler": "10e340d70b3f23d9",
    "TLSLayer.receive_data": "85c0e6b656c324e5",
    "TLSLayer.send_data": "35a29a1b0b0cb184",
    "TLSLayer.tls_interact": "62d6d57d43dd1a2e",
    "_create_ssl_context": "d322b556bd36254f",
    "TlsConfig.crl_path": "a9041d305fde07b5",
    "TransparentProxy": "1b890cf2eafb5fd8",
    "TunnelLayer._handle_event": "00676a887c456cec",
    "expected_http_body_size": "bf258f07286cf770",
    "validate_headers": "e7647a94704363e7",
}
PIECES: list[Any] = [
    addonmanager.AddonManager._iter_hooks,
    addonmanager.AddonManager.handle_lifecycle,
    tls_module.ClientHello,
    connection.Connection.__eq__,
    connection.Connection.__hash__,
    server.ConnectionHandler,
    context.Context,
    _http1.Http1Connection._handle_event,
    http_layer.HttpLayer.event_to_child,
    layer.Layer.handle_event,
    server.LiveConnectionHandler,
    http.Headers.__getitem__,
    http.Headers.__mro__[1].get_all,  # type: ignore[attr-defined]
    http.Headers.__init__,
    http.Headers.get_all,
    http.MessageData.__post_init__,
    mode_servers.ProxyConnectionHandler,
    tls.TLSLayer.receive_data,
    tls.TLSLayer.send_data,
    tls.TLSLayer.tls_interact,
    net_tls._create_ssl_context,
    tlsconfig.TlsConfig.crl_path,
    modes.TransparentProxy,
    tls.TLSLayer._handle_event,
    http1.expected_http_body_size,
    validate.validate_headers,
]


@pytest.mark.parametrize(("name", "piece"), [*zip(KNOWN, PIECES, strict=True)])
def test_mitmproxy_is_the_one_we_know(name: str, piece: Any) -> None:
    text = inspect.getsource(piece)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == KNOWN[name]


NAMES = st.sampled_from([b"Host", b"host", b"Cookie", b"X-\xff", b"Content-Length"])
FIELDS = st.lists(st.tuples(NAMES, st.binary(max_size=5)), max_size=6)
ASKED = st.one_of(NAMES, st.sampled_from(["HOST", "cookie", "x-\udcff", "absent"]))


@given(FIELDS, ASKED)
def test_headers_are_found_alike(fields: list[tuple[bytes, bytes]], name: str | bytes) -> None:
    headers = http.Headers(fields)
    assert messages.get_all(headers, name) == headers.get_all(name)
    assert messages.get(headers, name) == headers.get(name)
    assert messages.get(headers, name, "other") == headers.get(name, "other")
    assert messages.contains(headers, name) == (name in headers)
    if name in headers:
        assert messages.get_item(headers, name) == headers[name]
    else:
        with pytest.raises(KeyError):
            messages.get_item(headers, name)


def test_headers_are_found_anew_after_each_change() -> None:
    headers = http.Headers([(b"A", b"1"), (b"a", b"2"), (b"B", b"3")])
    assert messages.get(headers, "a") == "1, 2"
    headers["a"] = "4"
    assert messages.get_all(headers, "A") == ["4"]
    del headers["B"]
    assert not messages.contains(headers, "b")
    headers.fields = ((b"c", b"5"),)
    assert messages.get_item(headers, "C") == "5"


@given(FIELDS)
def test_headers_are_made_alike(fields: list[tuple[bytes, bytes]]) -> None:
    ours = object.__new__(http.Headers)
    messages.make_headers(ours, iter(fields), X_More="1")
    theirs = http.Headers(iter(fields), X_More="1")
    assert ours.fields == theirs.fields
    messages.make_headers(ours, map(list, fields))
    assert ours == http.Headers(map(list, fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [messages.make_headers, http.Headers.__init__])
def test_headers_that_are_no_bytes_are_refused_alike(make: Callable[..., None]) -> None:
    with pytest.raises(TypeError):
        make(object.__new__(http.Headers), [("a", b"b")])
    with pytest.raises(ValueError, match="unpack"):
        make(object.__new__(http.Headers), [(b"a", b"b", b"c")])


LENGTHS = st.sampled_from([b"0", b"5", b"", b"05", b"-1", b"x"])
CODINGS = st.sampled_from([b"chunked", b"gzip", b"identity", b"other"])
FRAMING = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([b"Content-Length", b"content-length"]), LENGTHS),
        st.tuples(st.just(b"Transfer-Encoding"), CODINGS),
        st.tuples(st.sampled_from([b"Host", b"", b"a b", b"N" * 5000]), st.just(b"x")),
    ),
    max_size=3,
)
METHODS = st.sampled_from([b"GET", b"HEAD", b"CONNECT", b"get", b"head", b"POST", b"ODD"])


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except ValueError as error:
        return str(error)


@given(METHODS, FRAMING, st.sampled_from([100, 200, 204, 206, 304, 404]), FRAMING)
def test_bodies_are_measured_and_headers_checked_alike(
    method: bytes,
    asked: list[tuple[bytes, bytes]],
    status: int,
    answered: list[tuple[bytes, bytes]],
) -> None:
    request = http.Request.make("GET", "http://host/", headers=http.Headers(asked))
    request.data.headers = http.Headers(asked)
    request.data.method = method
    response = http.Response.make(status)
    response.data.headers = http.Headers(answered)
    sizes = http1.expected_http_body_size
    for exchange in ((request,), (request, response)):
        ours = outcome(messages.expected_http_body_size, *exchange)
        assert ours == outcome(sizes, *exchange)
    for message in (request, response):
        ours = outcome(messages.validate_headers, message)
        assert ours == outcome(validate.validate_headers, message)


def test_a_copied_connection_or_flow_is_another_one() -> None:
    client = connection.Client(peername=("10.0.0.1", 1), sockname=("10.0.0.2", 2))
    flow = http.HTTPFlow(client, connection.Server(address=None))
    flow.request = http.Request.make("GET", "http://host/")
    assert client.copy() != client
    assert client.copy().id != client.id
    assert flow.copy().id != flow.id
    numbers = economies.Numbers()
    assert len({str(numbers.uuid4()) for _ in range(100)}) == 100


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_memory_between_what_is_kept_is_given_back() -> None:
    pieces = [bytes(20_000) for _ in range(8_000)]
    kept = pieces[::16]
    pieces.clear()
    before = resident_bytes()
    economies.give_back_memory()
    assert resident_bytes() < before - 60_000_000
    assert len(kept) == 500


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def client_hello(server_name: str | None, protocols: list[str]) -> bytes:
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False
    if protocols:
        settings.set_alpn_protocols(protocols)
    out = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        settings.wrap_bio(ssl.MemoryBIO(), out, server_hostname=server_name).do_handshake()
    return out.read()[9:]


def read(kind: Callable[[bytes], tls_module.ClientHello], hello: bytes) -> Any:
    try:
        found = kind(hello)
    except EOFError:
        return None
    return found.sni, found.alpn_protocols, found.cipher_suites, found.extensions


HELLOS = [
    client_hello(name, protocols)
    for name in ("www.example.com", None)
    for protocols in (["h2", "http/1.1"], [])
]


@pytest.mark.parametrize("hello", HELLOS)
def test_a_client_hello_is_read_alike(hello: bytes) -> None:
    assert read(PlainHello, hello) == read(tls_module.ClientHello, hello)
    assert PlainHello(hello).raw_bytes() == tls_module.ClientHello(hello).raw_bytes()


@settings(max_examples=300)
@given(st.sampled_from(HELLOS), st.data())
def test_a_damaged_client_hello_is_read_alike(hello: bytes, data: st.DataObject) -> None:
    damaged = bytearray(hello)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(hello) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.one_of(st.none(), st.integers(0, len(hello))))]
    theirs = read(tls_module.ClientHello, bytes(damaged))
    assert read(PlainHello, bytes(damaged)) == theirs


def test_certificate_and_key_are_used_alike(tmp_path: Path) -> None:
    store = certs.CertStore.from_store(tmp_path, "mitmproxy", 2048)
    entry = store.get_cert("www.example.com", [])
    end = SSL.Connection(SSL.Context(SSL.TLS_SERVER_METHOD))
    for _ in range(2):
        economies.use_certificate(end, entry.cert.to_cryptography())
        economies.use_privatekey(end, entry.privatekey)
        used = end.get_certificate(as_cryptography=True)
        assert used == entry.cert.to_cryptography()
    other = certs.CertStore.from_store(tmp_path / "other", "mitmproxy", 2048)
    with pytest.raises(SSL.Error):
        economies.use_privatekey(end, other.default_privatekey)


def test_a_header_that_is_no_name_is_refused_alike() -> None:
    for contains in (messages.contains, http.Headers.__contains__):
        with pytest.raises(TypeError):
            contains(http.Headers(), 1)


def test_a_forked_context_is_the_same() -> None:
    client = connection.Client(peername=("10.0.0.1", 1), sockname=("10.0.0.2", 2))
    first = context.Context(client, options.Options())
    first.layers.append(object())  # type: ignore[arg-type]
    ours, theirs = economies.fork(first), first.fork()
    assert type(ours) is type(theirs)
    assert vars(ours) == vars(theirs)
    assert ours.layers is not first.layers


type Way = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]

OURS: Way = (economies.send_data, economies.receive_data, economies.tls_interact)
THEIRS: Way = (tls.TLSLayer.send_data, tls.TLSLayer.receive_data, tls.TLSLayer.tls_interact)


class End:
    """One end of a TLS connection, as far as a TLSLayer's methods look at it."""

    debug = None

    def __init__(self, ssl: SSL.Connection, way: Way) -> None:
        self.tls = ssl
        self.conn = connection.Server(address=None)
        self.conn.state = connection.ConnectionState.OPEN
        self._send, self._receive, self._interact = way
        self.read: list[events.Event] = []

    def tls_interact(self) -> Any:
        return self._interact(self)

    def event_to_child(self, event: events.Event) -> Iterator[Any]:
        self.read.append(event)
        return iter(())

    def send(self, data: bytes) -> bytes:
        return b"".join(command.data for command in self._send(self, data))

    def receive(self, data: bytes) -> list[str]:
        """Take what came, and give what was said about it."""
        said = list(self._receive(self, data))
        return [command.message for command in said if isinstance(command, commands.Log)]

    @property
    def plain(self) -> bytes:
        return b"".join(e.data for e in self.read if isinstance(e, events.DataReceived))


def tls_pair() -> tuple[SSL.Connection, SSL.Connection]:
    key, certificate = issue("origin.test", None, None)
    ends = []
    for method in (SSL.TLS_SERVER_METHOD, SSL.TLS_CLIENT_METHOD):
        made = SSL.Context(method)
        made.use_certificate(certificate)
        made.use_privatekey(key)
        ends.append(SSL.Connection(made))
    ends[0].set_accept_state()
    ends[1].set_connect_state()
    for _ in range(3):
        for one, other in (ends, ends[::-1]):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65_536))
    return ends[0], ends[1]


WAYS = st.sampled_from([OURS, THEIRS])
SIZES = st.sampled_from([1, 16_383, 16_384, 16_385, 262_143, 262_144, 262_145, 600_000])


@settings(deadline=None, max_examples=40)
@given(WAYS, WAYS, st.lists(SIZES, max_size=3), st.integers(1, 400_000), st.booleans())
def test_what_is_encrypted_in_pieces_is_read_whole(
    sending: Way, reading: Way, sizes: list[int], arriving: int, closes: bool
) -> None:
    one, other = (End(e, way) for e, way in zip(tls_pair(), (sending, reading), strict=True))
    texts = [bytes([number]) * size for number, size in enumerate(sizes)]
    encrypted = b"".join(map(one.send, texts))
    if closes:
        one.tls.shutdown()
        encrypted += one.send(b"")
    for at in range(0, len(encrypted), arriving):
        assert other.receive(encrypted[at : at + arriving]) == []
    assert other.plain == b"".join(texts)
    assert any(isinstance(event, events.ConnectionClosed) for event in other.read) == closes
    assert bool(other.conn.state & connection.ConnectionState.CAN_READ) != closes


@pytest.mark.parametrize("way", [OURS, THEIRS])
def test_what_was_read_before_an_error_is_handed_on_and_the_error_said(way: Way) -> None:
    one, other = (End(ssl, way) for ssl in tls_pair())
    [said] = other.receive(one.send(b"good") + b"no TLS record at all")
    assert said.startswith("TLS Error: ")
    assert other.plain == b"good"


def test_a_connection_gives_back_the_buffers_that_are_empty() -> None:
    made = economies.create_ssl_context(
        method=net_tls.Method.TLS_CLIENT_METHOD,
        min_version=net_tls.Version.TLS1_2,
        max_version=net_tls.Version.UNBOUNDED,
        cipher_list=None,
        ecdh_curve=None,
    )
    assert made.set_mode(0) & SSL.MODE_RELEASE_BUFFERS


def test_layers_that_are_let_go_free_their_tls_without_the_collector() -> None:
    told = options.Options()
    client = connection.Client(peername=("", 1), sockname=("", 2), timestamp_start=0.0)
    top = context.Context(client, told)
    root = layer.NextLayer(top)
    root.layer = http_layer.HttpLayer(top, http_layer.HTTPMode.regular)
    to_origin = tls.ServerTLSLayer(top.fork())
    root.layer.connections[to_origin.conn] = to_origin
    to_origin.tls, to_client = tls_pair()
    tls.ClientTLSLayer(top).tls = to_client
    freed = [weakref.ref(to_origin.tls), weakref.ref(to_client)]
    del to_client, to_origin, top
    gc.disable()
    try:
        assert all(one() is not None for one in freed)
        economies.let_go(root)
        assert [one() for one in freed] == [None, None]
    finally:
        gc.enable()


def test_settled_options_are_what_they_were() -> None:
    told = options.Options()
    before = {name: getattr(told, name) for name in told.keys()}  # noqa: SIM118 - no dict
    economies.settle(told)
    assert {name: getattr(told, name) for name in before} == before


HOSTS = st.sampled_from(["example.com", "10.0.0.1", "[::1]", "xn--bcher-kva.example"])
PLAIN = st.text("abcXYZ019/._~!$&()*+,;=:@-?%#'\\ \"<>[]^`{|}2eE\t\x7f", max_size=12)


@given(st.sampled_from(["http", "https"]), HOSTS, st.integers(0, 65_535), PLAIN)
def test_a_url_that_is_put_together_is_the_one_that_is_parsed(
    scheme: str, host: str, port: int, path: str
) -> None:
    want = exchangeor_refused(lambda: parse_url(f"{scheme}://{host}:{port}/{path}"))
    host = normalise_host(host)
    assert exchangeor_refused(lambda: translate._url(scheme, host, port, f"/{path}")) == want


def exchangeor_refused(parse: Any) -> Any:
    try:
        return parse()
    except BadAddressError:
        return None
