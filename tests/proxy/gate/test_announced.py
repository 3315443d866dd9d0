"""Behind load balancers: who comes is who they say, and each client has a share of its own."""

import socket
from ipaddress import ip_network

import pytest

from schoolgate.core.people import ForwardedHeader, LoadBalancers
from schoolgate.identity import Announcers, ForwardedBy
from schoolgate.proxy.gate.gate import Bounds
from schoolgate.services.callers import Entry
from tests.proxy.gate.stage import Stage, closed, run


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


def _through(number: int) -> bytes:
    said = b"X-Forwarded-For: 10.0.0.%d\r\n\r\n" % number
    return b"CONNECT games.example:443 HTTP/1.1\r\n" + said


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
