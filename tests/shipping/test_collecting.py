"""What of a stream's messages is taken: those that came from whom their subject names."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from schoolgate.core.shipment import Shipment, packed
from schoolgate.shipping.collecting import _take

ONE = Shipment("day#1", 0, 10, [10], [b"{}"])


@dataclass
class Message:
    """A message as nats-py gives it."""

    subject: str
    data: bytes = packed(ONE)
    source: str | None = None
    metadata: Any = field(init=False)

    def __post_init__(self) -> None:
        self.metadata = type("Metadata", (), {"timestamp": datetime(2026, 11, 23, tzinfo=UTC)})

    @property
    def headers(self) -> dict[str, str] | None:
        return None if self.source is None else {"Nats-Stream-Source": self.source}


@dataclass
class Kept:
    taken: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def add(self, school: str, gateway: str, shipment: Shipment, arrived: datetime) -> None:
        assert (shipment, arrived.tzinfo) == (ONE, UTC)
        self.taken.append((school, gateway))

    def refused(self, subject: str, reason: str) -> None:
        self.refusals.append(reason)

    def lines(self) -> int:
        return 0

    def write(self, waiting: int) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("message", "want"),
    [
        # Up to NATS 2.9, and from 2.10 on.
        (Message("journal.hill.gw1", source="JOURNAL_hill_gw1:PRaVWWak 7"), ("hill", "gw1")),
        (Message("journal.hill.gw1", source="JOURNAL_hill_gw1:abc 7 > >"), ("hill", "gw1")),
        (Message("journal.hill.gw1"), ("hill", "gw1")),
        (Message("journal.hill.gw1", source="JOURNAL_hermitage_gw1:PRaVWWak 7"), None),
        (Message("journal.hill.gw1", source="JOURNAL_hill_gw2:PRaVWWak 7"), None),
        (Message("journal.hill.gw1", source=""), None),
        (Message("journal.hill.gw1", b"hello", "JOURNAL_hill_gw1:x 1"), None),
        (Message("forward.hill.gw1"), None),
    ],
)
def test_a_message_is_of_whom_the_server_of_the_centre_says(
    message: Any, want: tuple[str, str] | None
) -> None:
    kept = Kept()
    _take([message], kept)
    assert kept.taken == ([want] if want else [])
    assert bool(kept.refusals) is (want is None)
