"""The line between the workers and the one process that owns the accounts of viewing.

A socket in the file system, one connection for each worker: it ends with either of them, so that both
know at once. A message is a line of JSON.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from schoolgate.core.media.metering import Lease, Limits, Standing
from schoolgate.core.media.viewing import Piece
from schoolgate.workers.local import listen_locally, local_address

logger = logging.getLogger(__name__)

_BACKLOG = 64
# Far above `MOST_AT_ONCE` pieces.
_LONGEST_LINE = 4 << 20
MOST_AT_ONCE = 1000
_AGAIN_SECONDS = 0.1


class Delivered(NamedTuple):
    """A piece that somebody was given.

    Attributes:
        who: whose account it burdens.
        group: of theirs, for the figures.
        limits: of their budget.
        piece: which.
    """

    who: str
    group: str
    limits: Limits
    piece: Piece


class Report(NamedTuple):
    """What a worker tells the owner.

    Attributes:
        number: of the report, growing.
        asked: accounts of which it wants to know, with the limits of their budget.
        delivered: what it let flow.
    """

    number: int
    asked: tuple[tuple[str, Limits], ...] = ()
    delivered: tuple[Delivered, ...] = ()

    def line(self) -> bytes:
        """Write it down."""
        return json.dumps(self).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> "Report":
        """Read what `line` wrote."""
        number, asked, delivered = json.loads(line)
        return cls(
            number,
            tuple((who, Limits(*limits)) for who, limits in asked),
            tuple(
                Delivered(who, group, Limits(*limits), Piece(*piece))
                for who, group, limits, piece in delivered
            ),
        )


class Account(NamedTuple):
    """What the owner says of an account."""

    who: str
    standing: Standing
    lease: Lease


class Answer(NamedTuple):
    """What the owner tells a worker.

    Attributes:
        number: of the report that it answers; 0 where others' viewing changed an account.
        accounts: all that the report is about.
    """

    number: int
    accounts: tuple[Account, ...]

    def line(self) -> bytes:
        """Write it down."""
        return json.dumps(self).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> "Answer":
        """Read what `line` wrote."""
        number, accounts = json.loads(line)
        return cls(
            number,
            tuple(
                Account(who, Standing(*standing), Lease(*lease))
                for who, standing, lease in accounts
            ),
        )


class MeterLine:
    """A worker's end: connects, and connects again as long as it runs.

    Args:
        socket: where the owner listens.
        opened: called when there is a connection.
        heard: called with each answer.
        lost: called when the connection has ended.
    """

    def __init__(
        self,
        socket: Path,
        opened: Callable[[], None],
        heard: Callable[[Answer], None],
        lost: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._opened = opened
        self._heard = heard
        self._lost = lost
        self._writer: asyncio.StreamWriter | None = None

    def send(self, report: Report) -> bool:
        """Send a report; False where there is no connection. Never waits."""
        if self._writer is None:
            return False
        self._writer.write(report.line())
        return True

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        while True:
            with contextlib.suppress(OSError):
                await self._converse()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _converse(self) -> None:
        with local_address(self._socket) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=_LONGEST_LINE)
        self._writer = writer
        try:
            self._opened()
            async for line in _lines(reader):
                self._heard(Answer.of_line(line))
        finally:
            self._writer = None
            writer.close()
            self._lost()


type Take = Callable[[int, Report], Sequence[tuple[int, Answer]]]
type Gone = Callable[[int], None]


class MeterDesk:
    """The owner's end.

    Args:
        take: gives the answers to a report of a connection, each with the connection that it is for.
        gone: called when a connection has ended.
    """

    def __init__(self, take: Take, gone: Gone) -> None:
        self._take = take
        self._gone = gone
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._last = 0

    @asynccontextmanager
    async def serving(self, socket: Path) -> AsyncIterator[None]:
        """Listen as long as the context lasts.

        Raises:
            OSError: when the socket cannot be made.
        """
        listening = listen_locally(socket, _BACKLOG)
        server = await asyncio.start_unix_server(
            self._converse, sock=listening, limit=_LONGEST_LINE
        )
        try:
            yield
        finally:
            server.close()
            for writer in self._writers.values():
                writer.close()

    def tell(self, answers: Sequence[tuple[int, Answer]]) -> None:
        """Give answers to connections, as far as they are open."""
        for whom, answer in answers:
            if whom in self._writers:
                self._writers[whom].write(answer.line())

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._last += 1
        number = self._last
        self._writers[number] = writer
        try:
            async for line in _lines(reader):
                self.tell(self._take(number, Report.of_line(line)))
        except OSError as error:
            logger.debug("A worker's line has ended: %s", error)
        finally:
            del self._writers[number]
            self._gone(number)
            writer.close()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Give each whole line until the other end closes."""
    while (line := await reader.readline()).endswith(b"\n"):
        yield line
