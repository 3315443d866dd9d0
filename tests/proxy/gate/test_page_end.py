"""Inside a closed site each request is answered, until the site is opened, and nobody waits for it."""

import asyncio
from itertools import pairwise

from tests.core.policy.example import engine
from tests.proxy.gate.stage import NOTHING, Stage, inside_closed_site, run


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
