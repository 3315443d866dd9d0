"""What is carried unread, refused by name or left to be read, through the real command."""

import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests import gateway
from tests.gateway import PATIENCE_SECONDS, Gateway, eventually
from tests.origin import Origin

# Of a trusted category, so that its name is all that must be known.
TRUSTED = "www.khanacademy.org"
BLOCKED = "www.bet365.com"
READ = "origin.test"


def dial(gate: Gateway, address: str = "127.0.0.1") -> socket.socket:
    """Connect to the proxy from an address."""
    host, _, port = gate.proxy.removeprefix("http://").partition(":")
    return socket.create_connection(
        (host, int(port)), timeout=PATIENCE_SECONDS, source_address=(address, 0)
    )


def read_head(connection: socket.socket) -> bytes:
    """Read up to the empty line, and no byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, f"ended after {head!r}"
        head += byte
    return head


def ask_for_tunnel(connection: socket.socket, host: str, port: int) -> int:
    """Send a CONNECT; give the status."""
    connection.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    return int(read_head(connection).split()[1])


@contextmanager
def tls(connection: socket.socket, name: str | None, *authorities: Path) -> Iterator[ssl.SSLSocket]:
    """Speak TLS over a connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = name is not None
    for authority in authorities:
        context.load_verify_locations(str(authority))
    with context.wrap_socket(connection, server_hostname=name) as wrapped:
        yield wrapped


def issuer(connection: ssl.SSLSocket) -> str:
    """Give the common name of who signed the certificate that was shown."""
    certificate: Any = connection.getpeercert()
    return str(dict(field for (field,) in certificate["issuer"])["commonName"])


def get(connection: socket.socket, host: str, path: str = "/", *fields: str) -> tuple[int, bytes]:
    """Ask for a page on an open connection; give status and body."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return read_answer(connection)


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Read an answer of announced length."""
    head = read_head(connection)
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    body = b""
    while len(body) < length:
        piece = connection.recv(length - len(body))
        assert piece
        body += piece
    return int(head.split()[1]), body


def said_of(gate: Gateway, event: str, host: str) -> list[dict[str, Any]]:
    """Give the journal's lines of one kind about a host."""
    return [line for line in gate.journal() if line["event"] == event and line["host"] == host]


def test_a_trusted_site_is_carried_unread(gate: Gateway, site: Origin) -> None:
    """The client sees the site's own certificate, and the journal only name and bytes."""
    before = gate.metric(r'schoolgate_connections_total\{tls="pass"\}')
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, TRUSTED, site.https_port) == 200
        with tls(connection, TRUSTED, site.ca_file) as encrypted:
            assert issuer(encrypted) == "schoolgate test origin CA"
            encrypted.sendall(f"GET /secret HTTP/1.1\r\nHost: {TRUSTED}\r\n\r\n".encode())
            assert encrypted.recv(65536).startswith(b"HTTP/1.1 200")

    def passed() -> list[dict[str, Any]]:
        return [x for x in said_of(gate, "tls.decided", TRUSTED) if x["tls"] == "pass"]

    assert eventually(lambda: bool(passed()))
    line = passed()[-1]
    assert (line["verdict"], line["method"]) == ("allow", "CONNECT")
    assert line["bytes_up"] > 300
    assert line["bytes_down"] > 500
    assert "secret" not in str(line)
    assert gate.metric(r'schoolgate_connections_total\{tls="pass"\}') == before + 1


def test_a_site_in_no_category_is_read(gate: Gateway, site: Origin) -> None:
    """Nothing is known of it by name."""
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, READ, site.https_port) == 200
        with tls(connection, READ, gate.ca_file) as encrypted:
            assert issuer(encrypted) != "schoolgate test origin CA"
            assert get(encrypted, READ, "/bytes/5") == (200, b"xxxxx")


@pytest.mark.parametrize("name", [BLOCKED, READ, None])
def test_a_tunnel_whose_tls_names_another_site_or_none_is_judged(
    gate: Gateway, site: Origin, name: str | None
) -> None:
    """The name in a CONNECT is no mask: both are judged, as is what is asked inside."""
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, TRUSTED, site.https_port) == 200
        with tls(connection, name, gate.ca_file) as encrypted:
            assert get(encrypted, TRUSTED if name is None else BLOCKED, "/bytes/5")[0] == 403
    assert BLOCKED not in site.hosts


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: www.bet365.com\r\n\r\n"])
def test_what_is_no_tls_is_read(gate: Gateway, site: Origin, first: bytes) -> None:
    """A tunnel to a trusted site carries TLS, or is filtered as HTTP."""
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, TRUSTED, site.http_port) == 200
        connection.sendall(first)
        assert read_answer(connection)[0] == 403


@pytest.mark.parametrize("host", [TRUSTED, READ, BLOCKED])
@pytest.mark.parametrize(
    "first", [b"SSH-2.0-OpenSSH_9\r\n", b"\x00\x01\x02", b"\x17\x03\x03\x00\x01x"]
)
def test_what_is_neither_tls_nor_http_ends(
    gate: Gateway, site: Origin, host: str, first: bytes
) -> None:
    """Nothing reaches the site, and it is counted as a way round the filter."""
    before = gate.metric(r'schoolgate_circumvention_total\{kind="tunnel"\}')
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, host, site.https_port) == 200
        connection.sendall(first)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert gate.metric(r'schoolgate_circumvention_total\{kind="tunnel"\}') == before + 1


def test_a_refused_site_answers_on_a_kept_connection(gate: Gateway, site: Origin) -> None:
    """Every request inside gets its page and its line; the site is never contacted."""
    before = len(said_of(gate, "request.decided", BLOCKED))
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, BLOCKED, site.https_port) == 200
        with tls(connection, BLOCKED, gate.ca_file) as encrypted:
            for path in ("/one", "/two?q=1"):
                status, body = get(encrypted, BLOCKED, path)
                assert status == 403
                assert b"W-6.3.1-gambling" in body
    assert eventually(lambda: len(said_of(gate, "request.decided", BLOCKED)) == before + 2)
    lines = said_of(gate, "request.decided", BLOCKED)[-2:]
    assert [line["url"].partition(str(site.https_port))[2] for line in lines] == ["/one", "/two"]
    assert {line["tls"] for line in lines} == {"refuse"}
    assert BLOCKED not in site.hosts


def test_an_upload_to_a_refused_site_gets_the_page(gate: Gateway, site: Origin) -> None:
    """It is thrown away, and the page arrives all the same."""
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, BLOCKED, site.https_port) == 200
        with tls(connection, BLOCKED, gate.ca_file) as encrypted:
            body = b"x" * 30_000
            encrypted.sendall(
                b"POST /upload HTTP/1.1\r\nHost: www.bet365.com\r\nContent-Length: 30000\r\n\r\n"
                + body
            )
            assert read_answer(encrypted)[0] == 403
            assert encrypted.recv(1) == b""


def test_a_client_that_does_not_trust_the_gateway_is_refused_and_recorded(
    gate: Gateway, site: Origin
) -> None:
    """It sees a certificate error instead of the page; the journal has its line."""
    before = len(said_of(gate, "tls.decided", BLOCKED))
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, BLOCKED, site.https_port) == 200
        with pytest.raises(ssl.SSLCertVerificationError), tls(connection, BLOCKED, site.ca_file):
            pass
    assert eventually(lambda: len(said_of(gate, "tls.decided", BLOCKED)) == before + 1)
    line = said_of(gate, "tls.decided", BLOCKED)[-1]
    assert (line["tls"], line["verdict"], line["clause"]) == ("refuse", "block", "W-6.3.1-gambling")


def test_a_block_page_and_an_allowed_page_share_a_connection(gate: Gateway, site: Origin) -> None:
    """What the gate answers and what is left to be read follow each other."""
    with dial(gate) as connection:
        for host, want in ((BLOCKED, 403), (BLOCKED, 403), (READ, 200)):
            url = f"http://{host}:{site.http_port}/bytes/5"
            assert get(connection, f"{host}:{site.http_port}", url)[0] == want


@pytest.mark.parametrize("size", [1, 7, 100])
def test_everything_may_come_in_pieces(gate: Gateway, site: Origin, size: int) -> None:
    """TCP keeps no boundaries: heads and ClientHellos are waited for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(site.ca_file))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=TRUSTED)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with dial(gate) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"CONNECT {TRUSTED}:{site.https_port} HTTP/1.1\r\n\r\n".encode()
        for text in (head, outgoing.read()):
            for at in range(0, len(text), size):
                connection.sendall(text[at : at + size])
            if text is head:
                assert b" 200 " in read_head(connection)
        assert connection.recv(1) == b"\x16"


def test_a_port_for_names_is_refused(gate: Gateway) -> None:
    """DNS goes to the school's resolver, never through a tunnel."""
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, TRUSTED, 853) == 403


def test_a_site_that_cannot_be_reached_is_told_at_once(gate: Gateway) -> None:
    """Before the client believes that its tunnel stands."""
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, TRUSTED, gateway.free_port()) == 502


def test_a_trusted_name_leads_into_no_private_network(site: Origin, tmp_path: Path) -> None:
    """Whatever the resolver says; the page says so."""
    proxy = gateway.to_origin(site) | {"hosts": {TRUSTED: "10.1.2.3"}}
    with (
        gateway.running(gateway.write_config(tmp_path, proxy=proxy)) as own,
        dial(own) as connection,
    ):
        assert ask_for_tunnel(connection, TRUSTED, 443) == 200
        with tls(connection, TRUSTED, own.ca_file) as encrypted:
            status, body = get(encrypted, TRUSTED)
            assert status == 403
            assert b"not a page on the internet" in body


def is_open(connection: ssl.SSLSocket) -> bool:
    """Ask whether a tunnel still carries."""
    try:
        connection.sendall(f"HEAD / HTTP/1.1\r\nHost: {TRUSTED}\r\n\r\n".encode())
        return connection.recv(65536) != b""
    except OSError:
        return False


def test_a_new_block_cuts_open_tunnels(own_config: Path, site: Origin) -> None:
    """What was let through by name is decided again while it lasts."""
    with gateway.running(own_config) as own, dial(own) as connection:
        assert ask_for_tunnel(connection, TRUSTED, site.https_port) == 200
        with tls(connection, TRUSTED, site.ca_file) as encrypted:
            assert is_open(encrypted)
            (own_config.parent / "local" / "block.txt").write_text("khanacademy.org\n")
            assert eventually(lambda: not is_open(encrypted))
        assert eventually(lambda: bool(said_of(own, "tls.decided", TRUSTED)))
        line = said_of(own, "tls.decided", TRUSTED)[-1]
        assert (line["verdict"], line["reason"]) == ("block", "local_block")


def test_a_suspension_cuts_the_tunnels_of_that_client_only(own_config: Path, site: Origin) -> None:
    """Access withdrawn ends what is open, not only what is asked next."""
    with (
        gateway.running(own_config) as own,
        dial(own, "127.0.0.1") as one,
        dial(own, "127.0.0.2") as other,
    ):
        for connection in (one, other):
            assert ask_for_tunnel(connection, TRUSTED, site.https_port) == 200
        with tls(one, TRUSTED, site.ca_file) as kept, tls(other, TRUSTED, site.ca_file) as cut:
            assert is_open(cut)
            done = own.run("suspend", "127.0.0.2", "--until", "2099-01-01", "--reason", "a test")
            assert done.returncode == 0, done.stderr
            assert eventually(lambda: not is_open(cut))
            assert is_open(kept)


def test_tunnels_that_are_open_at_the_end_are_recorded(own_config: Path, site: Origin) -> None:
    """Nothing that was carried is missing from the journal."""
    with gateway.running(own_config) as own:
        with dial(own) as connection:
            assert ask_for_tunnel(connection, TRUSTED, site.https_port) == 200
            with tls(connection, TRUSTED, site.ca_file) as encrypted:
                assert is_open(encrypted)
                own.process.send_signal(signal.SIGINT)
                own.process.wait(PATIENCE_SECONDS)
        line = said_of(own, "tls.decided", TRUSTED)[-1]
        assert line["bytes_up"] > 300
