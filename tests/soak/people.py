"""What the clients of a soak do: whole visits of every kind, and connections broken off at every step."""

import random
import socket
import ssl
from collections.abc import Callable
from contextlib import closing, suppress

import wsproto
from wsproto.events import AcceptConnection, Request, TextMessage

from tests import gateway
from tests.soak import http1
from tests.soak.stage import LARGE, SMALL, TALKS, Site, Stage, end_at_once
from tests.wire import Http2Client

_UPLOAD = b"u" * 1_000_000
_MANY = 10

# Gives how many requests it made.
type Visit = Callable[[Stage], int]


def _path() -> str:
    return LARGE if random.random() < 0.1 else SMALL


# -- visits -----------------------------------------------------------------------------------------


def plain_pages(stage: Stage) -> int:
    """Pages over HTTP on one connection."""
    site = stage.plain(stage.read())
    with closing(stage.dial()) as connection:
        for _ in range(_MANY):
            http1.ask(connection, http1.head("GET", http1.url(site, _path()), site), 200)
    return _MANY


def plain_blocks(stage: Stage) -> int:
    """Block pages and one page on one connection."""
    site, allowed = stage.plain(stage.blocked()), stage.plain(stage.read())
    with closing(stage.dial()) as connection:
        for _ in range(_MANY - 1):
            http1.ask(connection, http1.head("GET", http1.url(site, SMALL), site), 403)
        http1.ask(connection, http1.head("GET", http1.url(allowed, SMALL), allowed), 200)
    return _MANY


def _inside(stage: Stage, site: Site, times: int, want: int) -> int:
    with closing(stage.dial()) as connection:
        http1.open_tunnel(connection, site)
        with http1.encrypt(connection, site, stage.trusting) as inner:
            for _ in range(times):
                http1.ask(inner, http1.head("GET", _path(), site), want)
    return times


def read_page(stage: Stage) -> int:
    """One page of a decrypted site."""
    return _inside(stage, stage.read(), 1, 200)


def read_pages(stage: Stage) -> int:
    """Pages of a decrypted site on one connection."""
    return _inside(stage, stage.read(), _MANY, 200)


def blocked_page(stage: Stage) -> int:
    """Block pages over HTTPS."""
    return _inside(stage, stage.blocked(), 2, 403)


def passed_pages(stage: Stage) -> int:
    """Pages that the gateway does not read."""
    return _inside(stage, stage.passed(), 3, 200)


def http2_pages(stage: Stage) -> int:
    """Streams of HTTP/2 side by side, to an origin that speaks it and to one that does not."""
    talks = Site(TALKS, stage.talks.https_port)
    site, path = random.choice([(talks, "/bytes/20000"), (stage.read(), SMALL)])
    with closing(stage.dial()) as connection:
        http1.open_tunnel(connection, site)
        with http1.encrypt(connection, site, stage.only_http2) as inner:
            client = Http2Client(inner, site.authority)
            streams = frozenset(client.ask(path) for _ in range(_MANY))
            while not streams <= client.ended:
                if not client.receive(acknowledge=streams):
                    raise http1.UnexpectedError("streams did not end")
    return _MANY


def upload(stage: Stage) -> int:
    """A megabyte to a decrypted site."""
    site = Site(TALKS, stage.talks.https_port)
    with closing(stage.dial()) as connection:
        http1.open_tunnel(connection, site)
        with http1.encrypt(connection, site, stage.trusting) as inner:
            inner.sendall(http1.head("POST", "/", site, f"Content-Length: {len(_UPLOAD)}"))
            inner.sendall(_UPLOAD)
            status, _, _ = http1.read_head(inner)
            if status != 200:
                raise http1.UnexpectedError(f"{status} for an upload")
    return 1


def websocket(stage: Stage) -> int:
    """Messages of a WebSocket there and back."""
    _talk(stage, 20)
    return 1


def _talk(stage: Stage, messages: int) -> None:
    site = Site(TALKS, stage.talks.https_port)
    with closing(stage.dial()) as connection:
        http1.open_tunnel(connection, site)
        with http1.encrypt(connection, site, stage.trusting) as inner:
            client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
            inner.sendall(client.send(Request(site.authority, "/")))
            _await(inner, client, AcceptConnection)
            for number in range(messages):
                inner.sendall(client.send(TextMessage(f"{number} " + "w" * 2_000)))
                _await(inner, client, TextMessage)


def _await(inner: socket.socket, client: wsproto.WSConnection, kind: type) -> None:
    while True:
        for event in client.events():
            if isinstance(event, kind) and getattr(event, "message_finished", True):
                return
        data = inner.recv(65_536)
        if not data:
            raise http1.UnexpectedError("a WebSocket ended")
        client.receive_data(data)


VISITS: dict[Visit, int] = {
    plain_pages: 4,
    plain_blocks: 4,
    read_page: 12,
    read_pages: 6,
    blocked_page: 12,
    passed_pages: 10,
    http2_pages: 4,
    upload: 1,
    websocket: 2,
}


# -- broken off -------------------------------------------------------------------------------------


def _end(connection: socket.socket) -> None:
    """Close in one of the ways that there are."""
    way = random.randrange(3)
    with suppress(OSError):
        if way == 0:
            end_at_once(connection)
        elif way == 1:
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(0.2)
            connection.recv(65_536)
    connection.close()


def _any(stage: Stage) -> Site:
    return random.choice((stage.passed, stage.read, stage.blocked))()


def break_head(stage: Stage) -> None:
    """Within the head of a request, or before it."""
    site = _any(stage)
    text = http1.head("CONNECT", site.authority, site)
    connection = stage.dial()
    connection.sendall(text[: random.randrange(len(text))])
    _end(connection)


def break_connect(stage: Stage) -> None:
    """While the gateway connects to a site, which may not answer at all."""
    site = random.choice((_any(stage), Site(stage.passed().host, gateway.free_port())))
    connection = stage.dial()
    connection.sendall(http1.head("CONNECT", site.authority, site))
    _end(connection)


def break_hello(stage: Stage) -> None:
    """Within the ClientHello."""
    site = _any(stage)
    connection = stage.dial()
    http1.open_tunnel(connection, site)
    text = http1.client_hello(site.host)
    connection.sendall(text[: random.randrange(len(text))])
    _end(connection)


def break_handshake(stage: Stage) -> None:
    """After the ClientHello."""
    site = _any(stage)
    connection = stage.dial()
    http1.open_tunnel(connection, site)
    connection.sendall(http1.client_hello(site.host))
    if random.random() < 0.5:
        connection.recv(65_536)
    _end(connection)


def say_nonsense(stage: Stage) -> None:
    """What is no TLS, in a tunnel or without one."""
    connection = stage.dial()
    if random.random() < 0.5:
        http1.open_tunnel(connection, _any(stage))
    connection.sendall(random.choice((b"SSH-2.0-x\r\n", random.randbytes(300), b"GET / \r\n\r\n")))
    connection.settimeout(0.5)
    with suppress(OSError):
        connection.recv(65_536)
    _end(connection)


def distrust(stage: Stage) -> None:
    """Refuse the gateway's certificate."""
    site = random.choice((stage.read, stage.blocked))()
    connection = stage.dial()
    http1.open_tunnel(connection, site)
    with suppress(ssl.SSLError):
        http1.encrypt(connection, site, stage.doubting).close()
    connection.close()


def break_answer(stage: Stage) -> None:
    """Within a download of any kind."""
    path = "/" + next(p.name for p in (stage.files.folder / "www").iterdir() if p.suffix == ".bin")
    site, connection = _any(stage), stage.dial()
    if random.random() < 0.3:
        site = stage.plain(site)
        connection.sendall(http1.head("GET", http1.url(site, path), site))
    else:
        http1.open_tunnel(connection, site)
        connection = http1.encrypt(connection, site, stage.trusting)
        connection.sendall(http1.head("GET", path, site))
    # A block page is all that a blocked site sends.
    connection.settimeout(0.5)
    with suppress(OSError):
        for _ in range(random.randrange(30)):
            connection.recv(65_536)
    _end(connection)


def break_upload(stage: Stage) -> None:
    """Within a body that was announced."""
    site, connection = Site(TALKS, stage.talks.https_port), stage.dial()
    http1.open_tunnel(connection, site)
    inner = http1.encrypt(connection, site, stage.trusting)
    inner.sendall(http1.head("POST", "/", site, "Content-Length: 10000000"))
    inner.sendall(_UPLOAD[: random.randrange(len(_UPLOAD))])
    _end(inner)


def break_streams(stage: Stage) -> None:
    """Within streams of HTTP/2."""
    site, connection = Site(TALKS, stage.talks.https_port), stage.dial()
    http1.open_tunnel(connection, site)
    inner = http1.encrypt(connection, site, stage.only_http2)
    client = Http2Client(inner, site.authority)
    for _ in range(5):
        client.ask("/bytes/3000000")
    client.receive(seconds=0.5)
    _end(inner)


BREAKS = (
    break_head,
    break_connect,
    break_hello,
    break_handshake,
    say_nonsense,
    distrust,
    break_answer,
    break_upload,
    break_streams,
)
