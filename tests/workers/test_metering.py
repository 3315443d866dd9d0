"""Between workers and the owner every report is answered, and each knows when the other is gone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media.metering import Lease, Limits, Standing
from schoolgate.core.media.viewing import Piece
from schoolgate.workers.metering import Account, Answer, Delivered, MeterDesk, MeterLine, Report

LIMITS = Limits(1800, 10**9, 80)
SOME = Report(
    7,
    (("user:kim", LIMITS),),
    (Delivered("user:lee", "staff", LIMITS, Piece("a", "v1", None, 6.0, 1000)),),
)
ABOUT = Answer(7, (Account("user:kim", Standing("2026-11-23", 1.5, 9), Lease(20.0, 50)),))

texts = st.text(max_size=20)
numbers = st.integers(0, 2**53)
seconds = st.floats(0, 1e6)
limits = st.builds(Limits, numbers, numbers, st.integers(1, 100))
pieces = st.builds(Piece, texts, texts, st.none() | seconds, seconds, numbers)


@given(
    st.builds(
        Report,
        numbers,
        st.lists(st.tuples(texts, limits), max_size=3).map(tuple),
        st.lists(st.builds(Delivered, texts, texts, limits, pieces), max_size=3).map(tuple),
    )
)
def test_a_report_comes_as_it_was_sent(report: Report) -> None:
    line = report.line()
    assert (Report.of_line(line), line.count(b"\n")) == (report, 1)


@given(
    st.builds(
        Answer,
        numbers,
        st.lists(
            st.builds(
                Account,
                texts,
                st.builds(Standing, texts, seconds, numbers),
                st.builds(Lease, seconds, numbers),
            ),
            max_size=3,
        ).map(tuple),
    )
)
def test_an_answer_comes_as_it_was_sent(answer: Answer) -> None:
    assert Answer.of_line(answer.line()) == answer


class Owner:
    """Answers to every report, and tells all who were there before."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, Report]] = []
        self.gone: list[int] = []

    def take(self, worker: int, report: Report) -> Sequence[tuple[int, Answer]]:
        self.taken.append((worker, report))
        others = {number for number, _ in self.taken} - {worker}
        return [
            (worker, ABOUT._replace(number=report.number)),
            *((other, Answer(0, ABOUT.accounts)) for other in others),
        ]


class Worker:
    """Notes what it hears."""

    def __init__(self, socket: Path) -> None:
        self.events: asyncio.Queue[str | Answer] = asyncio.Queue()
        put = self.events.put_nowait
        self.line = MeterLine(socket, lambda: put("opened"), put, lambda: put("lost"))

    async def next(self) -> str | Answer:
        async with asyncio.timeout(30):
            return await self.events.get()


def test_answers_come_to_whom_they_are_for_and_ends_are_noticed(tmp_path: Path) -> None:
    asyncio.run(_converse(tmp_path / "meter.sock"))


async def _converse(socket: Path) -> None:
    owner, one, other = Owner(), Worker(socket), Worker(socket)
    assert not one.line.send(SOME), "nobody is there yet"
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each.line.run()) for each in (one, other)]
        async with MeterDesk(owner.take, owner.gone.append).serving(socket):
            assert [await one.next(), await other.next()] == ["opened", "opened"]
            assert one.line.send(SOME)
            assert await one.next() == ABOUT
            assert other.line.send(SOME)
            assert await other.next() == ABOUT
            assert await one.next() == Answer(0, ABOUT.accounts)
            assert [report for _, report in owner.taken] == [SOME, SOME]
        assert [await one.next(), await other.next()] == ["lost", "lost"]
        assert not one.line.send(SOME)
        # Another owner takes the place of the one before.
        async with MeterDesk(owner.take, owner.gone.append).serving(socket):
            assert await one.next() == "opened"
            assert one.line.send(SOME)
            assert await one.next() == ABOUT
            assert len(owner.gone) == 2, "of the first owner"
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            await one.next()
