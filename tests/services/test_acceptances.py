"""A click is in force at once, told once, and written as soon as that is possible."""

from collections.abc import Collection, Iterator
from threading import Event

import pytest

from schoolgate.core.approvals import Acceptance, Overlay
from schoolgate.core.errors import UnavailableError
from schoolgate.services import acceptances
from schoolgate.services.acceptances import Acceptances
from schoolgate.services.engines import Engines
from tests.core.policy.example import engine
from tests.gateway import eventually

CLICK = Acceptance("user:ann", "cloud", "2026-11-23")
OTHER = Acceptance("user:bob", "cloud", "2026-11-23")


class Store:
    """Keeps in memory what several workers accept, or fails."""

    def __init__(self) -> None:
        self.kept: set[Acceptance] = set()
        self.works = True
        self.failures: list[Exception] = []

    def keep(self, accepted: Collection[Acceptance]) -> frozenset[Acceptance]:
        if not self.works:
            raise UnavailableError("the disk is full")
        known = self.kept.intersection(accepted)
        self.kept.update(accepted)
        return frozenset(known)


class Worker:
    """One worker."""

    def __init__(self, store: Store) -> None:
        self.engines = Engines(engine())
        self.told: list[Acceptance] = []
        self.acceptances = Acceptances(self.engines, store.keep, store.failures.append)

    def accept(self, acceptance: Acceptance) -> None:
        self.acceptances.accept(acceptance, lambda: self.told.append(acceptance))

    @property
    def accepted(self) -> set[Acceptance]:
        return set(self.engines.current.overlay.acceptances)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(acceptances, "_AGAIN_SECONDS", 0.01)
    return Store()


@pytest.fixture
def workers(store: Store) -> Iterator[list[Worker]]:
    both = [Worker(store), Worker(store)]
    for worker in both:
        worker.acceptances.start()
    yield both
    for worker in both:
        worker.acceptances.stop()


def test_it_is_in_force_before_it_is_written(store: Store) -> None:
    worker = Worker(store)
    worker.accept(CLICK)
    assert worker.accepted == {CLICK}
    assert (store.kept, worker.told) == (set(), [])


def test_of_two_workers_one_tells_of_it(store: Store, workers: list[Worker]) -> None:
    for worker in (*workers, *workers):
        worker.accept(CLICK)
    assert eventually(lambda: workers[0].told + workers[1].told == [CLICK])
    for worker in workers:
        worker.acceptances.stop()
    assert workers[0].told + workers[1].told == [CLICK]
    assert [worker.accepted for worker in workers] == [{CLICK}, {CLICK}]


def test_what_comes_from_the_store_is_not_written_again(store: Store) -> None:
    worker = Worker(store)
    worker.engines.put_overlay(Overlay(1, acceptances=frozenset({CLICK})))
    worker.accept(CLICK)
    worker.acceptances.start()
    worker.acceptances.stop()
    assert (store.kept, worker.told) == (set(), [])


def test_without_a_store_it_holds_here_and_is_written_when_there_is_one(
    store: Store, workers: list[Worker]
) -> None:
    store.works = False
    here, elsewhere = workers
    here.accept(CLICK)
    assert eventually(lambda: here.told == [CLICK] and len(store.failures) > 1)
    here.accept(OTHER)
    assert eventually(lambda: here.told == [CLICK, OTHER])
    assert (here.accepted, elsewhere.accepted, store.kept) == ({CLICK, OTHER}, set(), set())
    store.works = True
    assert eventually(lambda: store.kept == {CLICK, OTHER})
    here.acceptances.stop()
    assert here.told == [CLICK, OTHER]


def test_what_waits_at_the_end_is_written(store: Store) -> None:
    worker = Worker(store)
    worker.accept(CLICK)
    worker.acceptances.start()
    worker.acceptances.stop()
    assert (store.kept, worker.told) == ({CLICK}, [CLICK])


def test_more_clicks_than_can_wait_hold_and_are_told_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptances, "_MOST_WAITING", 1)
    worker = Worker(store)
    worker.accept(CLICK)
    worker.accept(OTHER)
    assert worker.accepted == {CLICK, OTHER}
    assert worker.told == [OTHER]


def test_a_fault_in_keeping_ends_nothing(store: Store, workers: list[Worker]) -> None:
    failing = Event()

    def keep(_: Collection[Acceptance]) -> frozenset[Acceptance]:
        if not failing.is_set():
            failing.set()
            raise LookupError("a bug")
        return frozenset()

    worker = Worker(store)
    worker.acceptances = Acceptances(worker.engines, keep, store.failures.append)
    worker.acceptances.start()
    worker.accept(CLICK)
    assert eventually(failing.is_set)
    worker.accept(OTHER)
    assert eventually(lambda: worker.told == [CLICK, OTHER])
    worker.acceptances.stop()
    assert [type(error) for error in store.failures] == [LookupError]
