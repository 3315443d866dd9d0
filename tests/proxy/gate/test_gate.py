"""What becomes of what the gate does not carry, and of faults: values in, sockets out."""

import logging
import socket
import ssl
from dataclasses import replace

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.policy import WebRequest
from schoolgate.core.urls import parse_url
from schoolgate.proxy.gate.leaves import Leaves
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.transactions import Transaction
from tests.core.policy.example import NOON, engine
from tests.proxy.gate.stage import BLOCKED, CONNECT, NOTHING, Stage, closed, no_leaf, own_leaf, run


@pytest.mark.parametrize(
    "said",
    [
        b"POST http://games.example/ HTTP/1.1\r\nHost: games.example\r\nContent-Length: 1\r\n\r\nx",
        b"GET http://games.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
        b"GET http://user@games.example/ HTTP/1.1\r\nHost: user@games.example\r\n\r\n",
        b"GET http://games.example/#x HTTP/1.1\r\nHost: games.example\r\n\r\n",
        b"GET /path HTTP/1.1\r\nHost: games.example\r\n\r\n",
        b"GET ftp://games.example/ HTTP/1.1\r\nHost: games.example\r\n\r\n",
        b"CONNECT games.example HTTP/1.1\r\n\r\n",
        b"CONNECT games.example:0 HTTP/1.1\r\n\r\n",
        b"CONNECT games.example:99999 HTTP/1.1\r\n\r\n",
        b"CONNECT games.example:+443 HTTP/1.1\r\n\r\n",
        b"CONNECT bad host:443 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
    ],
)
def test_what_is_unusual_is_left_with_every_byte(said: bytes) -> None:
    """The full parser and the filter judge it; the gate has taken nothing."""

    async def story(stage: Stage) -> None:
        _, writer = await stage.dial()
        writer.write(said)
        await stage.until(lambda: len(stage.behind.connections) == 1)
        connection, destination = stage.behind.connections[0]
        assert destination is None
        assert connection.recv(65536) == said
        writer.close()

    run(story)


def test_a_tunnel_that_must_be_read_is_left_with_the_bytes_inside() -> None:
    """The CONNECT is answered by the gate; what follows is whole and unread."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()

    async def story(stage: Stage) -> None:
        reader, writer = await stage.dial()
        writer.write(CONNECT % b"A.Example." + hello[:100])
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
        assert stage.behind.connections == []
        writer.write(hello[100:])
        await stage.until(lambda: len(stage.behind.connections) == 1)
        connection, destination = stage.behind.connections[0]
        assert destination == ("a.example", 443)
        assert connection.recv(65536) == hello
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 1
        writer.close()

    run(story)


def test_a_client_that_resets_after_its_hello_leaves_nothing_behind() -> None:
    """The standard library closes such a socket by itself when it is wrapped."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="games.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    clients: list[socket.socket] = []

    def reset_meanwhile(name: str) -> bytes:
        one = clients.pop()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        one.close()
        return own_leaf(name)

    async def story(stage: Stage) -> None:
        for _ in range(3):
            clients.append(socket.create_connection(("127.0.0.1", stage.port)))
            clients[0].sendall(CONNECT % b"games.example" + hello)
            await stage.until(lambda: not clients)
            await stage.until(lambda: stage.gate.connections == 0)
            assert stage.gate.arrivals == {}
            # Only the listening socket.
            assert len(stage.gate.poller) == 1
            stage.gate.leaves = Leaves(reset_meanwhile)

    run(story, leaf=reset_meanwhile)


def test_a_fault_closes_the_connection_is_counted_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing passes by a fault: here no certificate can be made for the page."""
    context = ssl.create_default_context()

    async def story(stage: Stage) -> None:
        for _ in range(2):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = context.wrap_bio(incoming, outgoing, server_hostname="games.example")
            with pytest.raises(ssl.SSLWantReadError):
                client.do_handshake()
            reader, writer = await stage.dial()
            writer.write(CONNECT % b"games.example")
            await reader.readuntil(b"\r\n\r\n")
            writer.write(outgoing.read())
            await closed(reader)
            writer.close()
        assert stage.faults() == 2
        assert stage.gate.connections == 0

    with caplog.at_level(logging.ERROR):
        run(story, leaf=no_leaf)
    assert [record.getMessage() for record in caplog.records] == [
        "Fault at the gate: the connection is closed."
    ]


def test_a_site_that_cannot_be_reached_is_in_the_journal() -> None:
    """What was asked for is known, though nothing was carried."""

    async def story(stage: Stage) -> None:
        stage.gate.engines.current = engine(inspection=NOTHING)
        reader, writer = await stage.dial()
        writer.write(CONNECT % b"nowhere.example")
        assert (await reader.read(65536)).startswith(b"HTTP/1.1 502")
        [record] = [line() if callable(line) else line for line in stage.journal.lines]
        said = [record[name] for name in ("event", "host", "tls", "verdict", "bytes_down")]
        assert said == ["tls.decided", "nowhere.example", "pass", "allow", 0]
        writer.close()

    run(story)


def test_a_tunnel_that_cannot_be_recorded_is_closed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is carried that nobody knows of, and no socket is left to be watched."""

    async def story(stage: Stage) -> None:
        ours, client = socket.socketpair()
        upstream, site = socket.socketpair()
        for one in (client, upstream):
            one.setblocking(False)
        url, who = parse_url("https://a.example/"), Client("10.0.0.1", "pupils")
        decision = stage.gate.engines.current.decide(WebRequest(url, who), NOON)
        transaction = Transaction(
            WebRequest(url, who), decision, stage.gate.engines.current, NOON, 0, 0.0, 0.0
        )
        monkeypatch.setattr(Recorder, "decided", raising)
        stage.gate._of_client[who.address] = 1
        with pytest.raises(LookupError):
            stage.gate.carry(client, upstream, transaction)
        assert (ours.recv(1), site.recv(1)) == (b"", b"")
        assert (stage.gate.connections, len(stage.gate.tunnels), len(stage.gate.poller)) == (
            0,
            0,
            1,
        )
        ours.close()
        site.close()

    def raising(*_: object) -> None:
        raise LookupError("cannot be recorded")

    run(story)


def test_an_open_tunnel_is_decided_for_the_group_that_the_new_rules_give() -> None:
    """With the rules somebody's group may change, and so what may stay open."""
    for_pupils = replace(BLOCKED, groups=frozenset({"pupils"}))

    async def story(stage: Stage) -> None:
        before = engine(rules=(for_pupils,), default_group="staff", inspection=NOTHING)
        after = engine(rules=(for_pupils,), default_group="pupils", inspection=NOTHING)
        stage.gate.engines.current = before
        request = WebRequest(parse_url("https://games.example/"), Client("10.0.0.1", "staff"))
        transaction = Transaction(request, before.decide(request, NOON), before, NOON, 0, 0.0, 0.0)
        assert stage.gate._still_passes(transaction)
        stage.gate.engines.current = after
        assert not stage.gate._still_passes(transaction)

    run(story)
