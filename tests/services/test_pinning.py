"""Only clients that trust the gateway elsewhere count, and what is closed to somebody is never proposed."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.errors import UnavailableError
from schoolgate.core.pinning import Evidence, Failure, PinDecision
from schoolgate.core.policy import Carrier, Rule, Verdict
from schoolgate.services import pinning as learning
from schoolgate.services.pinning import Pinning, proposals
from tests.core.policy.example import NOON, engine, hosts, listed
from tests.gateway import eventually

DAY = date(2026, 11, 23)
PHONE = Client("10.0.0.7", "pupils", device_kind="ipad")
STRANGER = Client("10.0.0.9", "pupils")


class Kept:
    """Takes what is written; fails as often as it is told."""

    def __init__(self, fails: int = 0) -> None:
        self.counts: Counter[Failure] = Counter()
        self.threads: set[int] = set()
        self.fails = fails

    def keep(self, failures: Mapping[Failure, int], _today: date) -> None:
        """Add up, in the thread of whoever calls."""
        self.threads.add(threading.get_ident())
        if self.fails:
            self.fails -= 1
            raise UnavailableError("no store")
        self.counts.update(failures)


def test_a_client_counts_that_trusts_the_gateway_elsewhere() -> None:
    kept = Kept()
    pinning = Pinning(kept.keep, b"secret")
    pinning.start()
    assert not pinning.refused(PHONE, "a.example", DAY)
    pinning.trusted(PHONE)
    assert pinning.refused(PHONE, "a.example", DAY)
    assert pinning.refused(PHONE, "a.example", DAY)
    assert not pinning.refused(STRANGER, "a.example", DAY)
    pinning.stop()
    ((failure, count),) = kept.counts.items()
    assert (failure.host, failure.device_kind, failure.day, count) == ("a.example", "ipad", DAY, 2)
    # A pseudonym: nobody's address is kept.
    assert "10.0.0.7" not in failure.client
    assert kept.threads.isdisjoint({threading.get_ident()})


def test_what_cannot_be_written_is_told_and_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_WRITTEN_EVERY_SECONDS", 0.01)
    kept = Kept(fails=1)
    failed: list[Exception] = []
    pinning = Pinning(kept.keep, b"secret", failed.append)
    pinning.trusted(PHONE)
    pinning.refused(PHONE, "a.example", DAY)
    pinning.start()
    assert eventually(lambda: sum(kept.counts.values()) == 1)
    assert len(failed) == 1
    pinning.stop()


def test_what_waits_has_a_bound() -> None:
    pinning = Pinning()
    pinning.trusted(PHONE)
    assert sum(pinning.refused(PHONE, f"{n}.example", DAY) for n in range(3_000)) == 2_000


BUILT = engine(
    [listed("vpn.example", "vpn")],
    circumvention=(Rule("round", "C-8", Verdict.BLOCK, ("vpn",)),),
    rules=(
        Rule("pupils", "C-2", Verdict.BLOCK, hosts=hosts("games.example"), groups=frozenset({"pupils"})),
    ),
    carriers=(Carrier("t", "T", hosts("translate.example"), frozenset({"u"})),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("host", "clients", "days", "want"),
    [
        ("bank.example", 2, 2, "proposed"),
        ("bank.example", 1, 9, "not enough yet"),
        ("bank.example", 9, 1, "not enough yet"),
        ("vpn.example", 9, 9, "never: it gets round the filter"),
        ("games.example", 9, 9, "never: it is blocked under C-2"),
        ("translate.example", 9, 9, "never: it shows pages of other sites"),
        ("93.184.215.14", 9, 9, "never: it is a bare address"),
        ("old.example", 9, 9, "declined"),
        ("done.example", 9, 9, "accepted"),
    ],
)
def test_what_is_proposed(host: str, clients: int, days: int, want: str) -> None:
    when = datetime(2026, 11, 23, tzinfo=UTC)
    decided = {
        "old.example": PinDecision("old.example", False, when, "kim", "no"),
        "done.example": PinDecision("done.example", True, when, "kim", "yes"),
    }
    evidence = [Evidence(host, "ipad", 20, clients, days, DAY)]
    assert [each.state for each in proposals(BUILT, evidence, decided, NOON)] == [want]
