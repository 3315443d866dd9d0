"""The bounds of the gate, and what becomes of what it does not carry: values in, sockets out."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from schoolgate.core.clients import Client
from schoolgate.core.people import ForwardedHeader, LoadBalancers, People, SignInSettings
from schoolgate.core.policy import Inspection, InspectionMode, Rule, Verdict, WebRequest
from schoolgate.core.urls import parse_url
from schoolgate.identity import Announcers, ForwardedBy, ProxyAuthentication
from schoolgate.monitoring import Metrics
from schoolgate.monitoring.journal import LazyRecord, Record
from schoolgate.proxy.gate.answers import Answers
from schoolgate.proxy.gate.gate import Bounds, Gate
from schoolgate.proxy.gate.leaves import Leaf, Leaves
from schoolgate.proxy.gate.original import Place, original_destination
from schoolgate.proxy.pages import Pages
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.callers import Caller, Callers, Entry
from schoolgate.services.clients import Clients
from schoolgate.services.engines import Engines
from tests.core.policy.example import NOON, engine, hosts
from tests.gateway import PATIENCE_SECONDS
from tests.origin import issue

NOTHING = Inspection(InspectionMode.NEEDED)
BLOCKED = Rule("games", "C-8", Verdict.BLOCK, hosts=hosts("games.example"))


@dataclass
class Told:
    """A journal that remembers."""

    lines: list[Record] = field(default_factory=list)

    def tell(self, _at: datetime, record: LazyRecord) -> None:
        """Take an event."""
        self.lines.append(record())


@dataclass
class Taken:
    """What stands behind the gate: takes connections and reads nothing."""

    connections: list[tuple[socket.socket, tuple[str, int] | None]] = field(default_factory=list)
    open: list["asyncio.Future[None]"] = field(default_factory=list)

    def take(
        self,
        connection: socket.socket,
        destination: tuple[str, int] | None,
        _caller: Caller | None,
    ) -> "asyncio.Future[None]":
        """Take a connection until `end` is called."""
        self.connections.append((connection, destination))
        self.open.append(asyncio.get_running_loop().create_future())
        return self.open[-1]

    def end(self) -> None:
        """Close all."""
        for (connection, _), ended in zip(self.connections, self.open, strict=True):
            connection.close()
            ended.set_result(None)


class Nowhere:
    """Knows no name."""

    def known(self, _host: str, _port: int) -> list[Any]:
        """Have nothing at hand."""
        return []

    async def resolve(self, host: str, _port: int) -> list[Any]:
        """Find nothing."""
        raise OSError(f"{host} is unknown")


@dataclass
class Stage:
    """A gate and what is around it."""

    gate: Gate
    port: int
    journal: Told
    behind: Taken
    metrics: Metrics

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to it."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for what the gate does."""
        while not true():  # noqa: ASYNC110 - the gate tells nobody
            await asyncio.sleep(0.01)

    def faults(self) -> float:
        """Count the faults of the gate itself."""
        self.metrics.flush()
        value = self.metrics.registry.get_sample_value(
            "schoolgate_filter_errors_total", {"hook": "gate"}
        )
        return value or 0.0


async def closed(reader: asyncio.StreamReader) -> None:
    """Wait until the gate has closed a connection, whatever it left unread."""
    with suppress(ConnectionResetError):
        while await reader.read(65536):
            pass


def no_leaf(_name: str) -> bytes:
    """Make no certificate."""
    raise RuntimeError("no certificate can be made")


def own_leaf(name: str) -> bytes:
    """Make a certificate that nobody trusts."""
    key, certificate = issue(name, None, None)
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@asynccontextmanager
async def staged(
    bounds: Bounds, leaf: Leaf, original: Callable[[socket.socket], Place] | None = None
) -> AsyncIterator[Stage]:
    """Open a gate whose policy blocks one host; to one that is told where from, all is redirected."""
    engines = Engines(engine(rules=(BLOCKED,)))
    journal, behind, metrics = Told(), Taken(), Metrics()
    recorder = Recorder(journal, metrics)
    pages = Pages(lambda: engines.current, lambda: NOON)
    gate = Gate(
        engines=engines,
        clients=Clients(),
        callers=Callers(),
        clock=lambda: NOON,
        answers=Answers(pages, recorder),
        leaves=Leaves(leaf),
        resolver=Nowhere(),
        behind=behind,
        recorder=recorder,
        metrics=metrics,
        bounds=bounds,
        original=original or original_destination,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        ways: tuple[list[socket.socket], ...] = ([listener],)
        async with gate.serving(*(ways if original is None else ([], *ways))):
            yield Stage(gate, listener.getsockname()[1], journal, behind, metrics)
            behind.end()
            await asyncio.sleep(0)


async def inside_closed_site(stage: Stage) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Speak TLS with the gate in the place of the blocked host."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await stage.dial()
    writer.write(CONNECT % b"games.example")
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(context, server_hostname="games.example")
    return reader, writer


def run(
    story: Callable[[Stage], Awaitable[None]],
    bounds: Bounds = Bounds(),  # noqa: B008
    leaf: Leaf = own_leaf,
) -> None:
    """Run a story at a gate, with an end to patience."""

    async def told() -> None:
        async with staged(bounds, leaf) as stage:
            await asyncio.wait_for(story(stage), PATIENCE_SECONDS)

    asyncio.run(told())


CONNECT = b"CONNECT %s:443 HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"G", id="a letter"),
        pytest.param(b"GET http://a.example/ HTTP/1.1\r\nHost", id="half a head"),
        pytest.param(CONNECT % b"a.example", id="no hello"),
        pytest.param(CONNECT % b"a.example" + b"\x16\x03\x01", id="half a hello"),
    ],
)
def test_who_does_not_get_on_is_closed(said: bytes) -> None:
    """Each step has its time."""

    async def story(stage: Stage) -> None:
        reader, writer = await stage.dial()
        writer.write(said)
        await closed(reader)
        assert stage.gate.connections == 0
        assert stage.behind.connections == []
        writer.close()

    run(story, Bounds(step_seconds=0.3))


def test_when_too_many_are_half_open_the_one_that_waited_longest_makes_room() -> None:
    """A flood of slow clients does not keep others out."""

    async def story(stage: Stage) -> None:
        slow = [await stage.dial() for _ in range(5)]
        assert await slow[0][0].read() == b""
        assert await slow[1][0].read() == b""
        await stage.until(lambda: len(stage.gate.arrivals) == 3)
        _, writer = await stage.dial()
        writer.write(b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
        await stage.until(lambda: len(stage.behind.connections) == 1)
        for _, other in [*slow, (None, writer)]:
            other.close()

    run(story, Bounds(arrivals=3))


def test_a_client_has_a_share_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """What it closes it may open again; what it holds counts wherever it is."""

    async def story(stage: Stage) -> None:
        kept = [await stage.dial() for _ in range(2)]
        kept[0][1].write(b"POST http://a.example/ HTTP/1.1\r\n\r\n")
        await stage.until(lambda: len(stage.behind.connections) == 1)
        for _ in range(2):
            reader, writer = await stage.dial()
            await closed(reader)
            writer.close()
        kept[1][1].close()
        await stage.until(lambda: stage.gate.connections == 1)
        reader, writer = await stage.dial()
        await stage.until(lambda: stage.gate.connections == 2)
        writer.close()
        kept[0][1].close()

    with caplog.at_level(logging.WARNING):
        run(story, Bounds(of_client=2))
    assert [record.getMessage() for record in caplog.records] == [
        "127.0.0.1 has 2 connections open; it gets no more."
    ]


def test_behind_a_load_balancer_each_client_has_a_share_of_its_own() -> None:
    """The load balancer itself may hold as many as it likes."""

    async def story(stage: Stage) -> None:
        listed = LoadBalancers((ip_network("127.0.0.1/32"),))
        stage.gate.callers.put(Entry(ForwardedBy(listed)))
        kept = []
        for number in (7, 7, 8, 8, 9):
            kept.append(await stage.dial())
            kept[-1][1].write(_through(number))
            assert b" 200 " in await kept[-1][0].readuntil(b"\r\n\r\n")
        reader, writer = await stage.dial()
        writer.write(_through(7))
        await closed(reader)
        assert stage.gate.connections == 5
        for _, other in [*kept, (reader, writer)]:
            other.close()
        await stage.until(lambda: stage.gate.connections == 0)

    run(story, Bounds(of_client=2))


@pytest.mark.parametrize("said", [b"CONNECT %s:443", b"GET http://%s/"], ids=["a tunnel", "a page"])
def test_a_load_balancer_announces_who_comes(said: bytes) -> None:
    async def story(stage: Stage) -> None:
        listed = (ip_network("127.0.0.1/32"),)
        announcers = Announcers(LoadBalancers(listed, ForwardedHeader.PROXY_PROTOCOL))
        stage.gate.callers.put(Entry(announcers=announcers))
        request = said % b"games.example" + b" HTTP/1.1\r\nHost: games.example\r\n\r\n"
        reader, writer = await stage.dial()
        for part in (b"PROXY TCP4 10.9.9.9 ", b"10.0.0.1 4711 8080\r\n" + request):
            writer.write(part)
            await writer.drain()
        assert await reader.readuntil(b"\r\n\r\n")
        # No TLS: the tunnel ends, and is written down.
        writer.write(b"\0")
        await stage.until(lambda: bool(stage.journal.lines))
        writer.close()
        assert {line["client"] for line in stage.journal.lines} == {"10.9.9.9"}
        # Who is to announce and does not has no client.
        reader, writer = await stage.dial()
        writer.write(request)
        await closed(reader)
        writer.close()
        assert stage.faults() == 0

    run(story)


def test_nobody_else_announces_anybody() -> None:
    async def story(stage: Stage) -> None:
        listed = (ip_network("10.0.0.0/28"),)
        announcers = Announcers(LoadBalancers(listed, ForwardedHeader.PROXY_PROTOCOL))
        stage.gate.callers.put(Entry(announcers=announcers))
        _, writer = await stage.dial()
        said = (
            b"PROXY TCP4 10.9.9.9 10.0.0.1 4711 8080\r\nGET http://games.example/ HTTP/1.1\r\n\r\n"
        )
        writer.write(said)
        # It is no request, and whoever reads those says so.
        await stage.until(lambda: bool(stage.behind.connections))
        assert stage.behind.connections[0][0].recv(1000, socket.MSG_PEEK) == said
        writer.close()

    run(story)


def _through(number: int) -> bytes:
    said = b"X-Forwarded-For: 10.0.0.%d\r\n\r\n" % number
    return b"CONNECT games.example:443 HTTP/1.1\r\n" + said


class Silent(ProxyAuthentication):
    """Never says who anybody is."""

    async def proved(self, *_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()


@pytest.mark.parametrize("goes", [False, True])
def test_whoever_waits_for_a_directory_in_vain_is_closed(goes: bool) -> None:
    """Nothing stays behind, whoever gives up first."""

    async def story(stage: Stage) -> None:
        people = People(sign_in=SignInSettings(basic=True))
        stage.gate.callers.put(Entry(None, Silent(people, None, None, lambda: 0.0)))
        reader, writer = await stage.dial()
        writer.write(b"CONNECT a.example:443 HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\n\r\n")
        await stage.until(lambda: bool(stage.gate._tasks))
        if goes:
            writer.close()
        else:
            await closed(reader)
        await stage.until(lambda: stage.gate.connections == 0)
        assert stage.faults() == 0
        writer.close()

    run(story, Bounds(checking_seconds=0.3))


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


def test_who_asks_for_a_closed_site_without_an_end_holds_nobody_up() -> None:
    """After a few answers the others have their turn."""
    asked = 400

    async def story(stage: Stage) -> None:
        answered = [0]
        reader, writer = await inside_closed_site(stage)

        async def watch() -> None:
            while answered[-1] < asked:
                answered.append(len(stage.journal.lines))
                await asyncio.sleep(0)

        watching = asyncio.ensure_future(watch())
        writer.write(b"GET / HTTP/1.1\r\nHost: games.example\r\n\r\n" * asked)
        while answered[-1] < asked:
            assert await reader.read(65536)
        await watching
        assert max(after - before for before, after in pairwise(answered)) <= 24
        writer.close()

    run(story)


def test_a_closed_site_is_answered_as_long_as_it_is_asked() -> None:
    """The time of a connection counts from the last answer, not from its begin."""

    async def story(stage: Stage) -> None:
        reader, writer = await inside_closed_site(stage)
        [arrival] = stage.gate.arrivals
        for _ in range(2):
            before = arrival.deadline
            writer.write(b"HEAD / HTTP/1.1\r\nHost: games.example\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 403")
            assert arrival.deadline > before
        writer.close()

    run(story)


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


@pytest.mark.parametrize(
    ("descriptors", "of_client", "arrivals"),
    [(1_000_000, 2_000, 4_000), (16_384, 1_024, 4_000), (1_024, 64, 256)],
)
def test_the_bounds_are_met_before_the_descriptors_run_out(
    descriptors: int, of_client: int, arrivals: int
) -> None:
    bounds = Bounds.within(descriptors)
    assert (bounds.of_client, bounds.arrivals) == (of_client, arrivals)
    # A tunnel that is spliced has two sockets and two pipes.
    assert 6 * bounds.of_client < descriptors


def test_a_closed_site_is_answered_until_it_is_opened() -> None:
    """Then the connection ends without an answer, and a browser asks again on a new one."""
    ask = b"HEAD / HTTP/1.1\r\nHost: games.example\r\n\r\n"

    async def story(stage: Stage) -> None:
        reader, writer = await inside_closed_site(stage)
        writer.write(ask)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 403")
        stage.gate.engines.current = engine(inspection=NOTHING)
        writer.write(ask)
        assert await reader.read() == b""
        assert len(stage.journal.lines) == 1
        writer.close()

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
