"""Taking the journal to a receiver that comes and goes: nothing is lost, and what is dropped is counted."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schoolgate.shipping import Counts, Shipper, Tail, Terms
from schoolgate.shipping.fields import Personal, Sites
from schoolgate.shipping.receivers import Place, Record, RefusedByReceiverError
from schoolgate.shipping.tail import read_position

TERMS = Terms(Personal.NONE, Sites.NONE, b"s" * 32)


@dataclass
class Fake:
    """Takes lines, or does what it is told to."""

    settle_seconds: float = 0.0
    taken: list[str] = field(default_factory=list)
    fault: Exception | None = None
    broken: OSError | None = None
    closed: int = 0

    def send(self, records: Sequence[Record], place: Place | None = None) -> None:
        if self.fault is not None:
            raise self.fault
        self.taken += [str(one["id"]) for one in records]

    def check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def close(self) -> None:
        self.closed += 1


class Stage:
    """A journal and who ships it."""

    def __init__(self, directory: Path, receiver: Fake) -> None:
        self.directory = directory
        self.receiver = receiver
        self.counted: dict[str, Any] = {"sent": 0, "dropped": 0}
        self.moment = 0.0
        self.file = directory / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"
        self.kept = directory / "place.json"
        self.shipper = self.begun()

    def begun(self) -> Shipper:
        """Begin anew, as after a restart."""

        def add(name: str) -> Callable[[int], None]:
            def added(count: int) -> None:
                self.counted[name] += count

            return added

        def put(name: str) -> Callable[[Any], None]:
            return lambda value: self.counted.update({name: value})

        counts = Counts(add("sent"), add("dropped"), put("behind"), put("up"))
        tail = Tail(self.directory)
        return Shipper("fake", tail, self.kept, self.receiver, TERMS, counts, lambda: self.moment)

    def write(self, *names: str) -> None:
        with self.file.open("a") as file:
            file.writelines(json.dumps({"id": name, "user": "ann"}) + "\n" for name in names)

    def ship(self) -> None:
        while self.shipper.step():
            pass


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, Fake())


def test_lines_go_once_and_after_a_restart_where_it_was(stage: Stage) -> None:
    stage.write("a", "b")
    stage.ship()
    stage.shipper = stage.begun()
    stage.write("c")
    stage.ship()
    assert stage.receiver.taken == ["a", "b", "c"]
    assert stage.counted == {"sent": 3, "dropped": 0, "behind": 0, "up": True}


def test_what_a_receiver_does_not_take_waits_and_goes_later(stage: Stage) -> None:
    stage.write("a")
    stage.receiver.fault = ConnectionRefusedError("nobody there")
    ending = threading.Event()
    thread = threading.Thread(target=stage.shipper.run, args=(ending,))
    thread.start()
    while not stage.counted.get("behind"):
        ending.wait(0.01)
    assert stage.counted["up"] is False
    assert read_position(stage.kept) is None
    stage.write("b")
    stage.receiver.fault = None
    while stage.counted["sent"] < 2:
        ending.wait(0.01)
    ending.set()
    thread.join()
    assert stage.receiver.taken == ["a", "b"]
    assert (stage.counted["dropped"], stage.counted["up"]) == (0, True)


def test_without_a_word_that_lines_have_come_they_are_sent_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Fake(settle_seconds=5))
    stage.write("a")
    stage.ship()
    stage.moment = 5
    stage.write("b")
    stage.ship()
    # Of a it is known now; of b nothing yet, when the connection ends.
    stage.receiver.broken = ConnectionResetError("ended")
    with pytest.raises(ConnectionResetError):
        stage.shipper.step()
    stage.receiver.broken = None
    stage.shipper = stage.begun()
    stage.ship()
    assert stage.receiver.taken == ["a", "b", "b"]


def test_what_will_never_be_taken_is_counted_and_passed_over(stage: Stage) -> None:
    stage.write("a", "b")
    stage.receiver.fault = RefusedByReceiverError("400: no")
    stage.ship()
    stage.receiver.fault = None
    stage.write("c")
    stage.ship()
    assert stage.receiver.taken == ["c"]
    assert (stage.counted["sent"], stage.counted["dropped"]) == (1, 2)


@pytest.mark.parametrize("torn", ['{"id": "x', "[]", "null", "\x00"])
def test_a_torn_line_is_counted_and_holds_nobody_up(stage: Stage, torn: str) -> None:
    stage.write("a")
    with stage.file.open("a") as file:
        file.write(torn + "\n")
    stage.write("b")
    stage.ship()
    assert stage.receiver.taken == ["a", "b"]
    assert stage.counted["dropped"] == 1


def test_much_goes_in_pieces(stage: Stage) -> None:
    stage.write(*map(str, range(20_000)))
    stage.ship()
    assert stage.receiver.taken == list(map(str, range(20_000)))
