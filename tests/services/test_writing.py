"""What is given is written by a thread, together, and again until it can be."""

import threading
from collections.abc import Iterator

import pytest

from schoolgate.core.errors import UnavailableError
from schoolgate.services.writing import Writer
from tests.gateway import eventually


class Numbers:
    """Collects numbers; fails as often as it is told to."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.written: list[list[int]] = []
        self.faults: list[Exception] = []
        self.tried_again = 0
        self.threads: set[int] = set()

    def __len__(self) -> int:
        return len(self.waiting)

    def add(self, item: int) -> None:
        self.waiting.append(item)

    def write(self) -> None:
        self.threads.add(threading.get_ident())
        if self.faults:
            raise self.faults.pop()
        self.written.append(self.waiting)
        self.waiting = []

    def not_written(self) -> None:
        self.tried_again += 1


class Stage:
    def __init__(self) -> None:
        self.numbers = Numbers()
        self.failures: list[Exception] = []
        self.writer = Writer(
            "numbers",
            self.numbers,
            most_waiting=3,
            again_seconds=0.01,
            failed=self.failures.append,
            lost="Numbers are not kept",
        )


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.writer.stop()


def test_what_waits_at_the_end_is_written_together_by_the_thread(stage: Stage) -> None:
    assert [stage.writer.give(n) for n in (1, 2, 3)] == [True, True, True]
    stage.writer.start()
    stage.writer.stop()
    assert [n for batch in stage.numbers.written for n in batch] == [1, 2, 3]
    assert stage.numbers.threads.isdisjoint({threading.get_ident()})


def test_what_does_not_fit_is_refused(stage: Stage) -> None:
    assert [stage.writer.give(n) for n in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize("fault", [UnavailableError("the disk is full"), LookupError("a bug")])
def test_a_failure_is_told_each_time_logged_once_and_tried_again(
    stage: Stage, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    stage.numbers.faults = [fault, fault]
    stage.writer.start()
    stage.writer.give(1)
    assert eventually(lambda: stage.numbers.written == [[1]])
    assert stage.failures == [fault, fault]
    assert stage.numbers.tried_again == 2
    assert [record.getMessage() for record in caplog.records] == [f"Numbers are not kept: {fault}"]
    # A bug is shown whole.
    assert bool(caplog.records[0].exc_info) is not isinstance(fault, UnavailableError)


def test_ending_what_never_began_is_no_fault(stage: Stage) -> None:
    stage.writer.stop()
    assert stage.numbers.written == []


def test_what_comes_while_more_is_let_come_is_taken_with_it() -> None:
    numbers = Numbers()
    writer = Writer(
        "numbers", numbers, most_waiting=9, again_seconds=0.01, gather_seconds=0.5,
        failed=lambda _: None, lost="Numbers are not kept",
    )  # fmt: skip
    writer.start()
    for number in range(4):
        writer.give(number)
    writer.stop()
    assert sorted(n for batch in numbers.written for n in batch) == [0, 1, 2, 3]
    assert len(numbers.written) == 1
