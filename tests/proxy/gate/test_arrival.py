"""The bounds of what arrives: each step has its time, a client its share, and a flood keeps nobody out."""

import asyncio
import logging
from typing import Any

import pytest

from schoolgate.core.people import People, SignInSettings
from schoolgate.identity import ProxyAuthentication
from schoolgate.proxy.gate.gate import Bounds
from schoolgate.services.callers import Entry
from tests.proxy.gate.stage import CONNECT, Stage, closed, run


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
