"""The engine in force: replaced whole, and every change keeps what the other one brought."""

from threading import Event, Thread

from schoolgate.core.approvals import Acceptance, Overlay
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy import PolicyEngine, Reason
from schoolgate.services.engines import Engines
from tests.core.locked.test_lists import locked
from tests.core.policy.example import NOON, ask, engine, grant, local_block

ANN, BOB = (Acceptance(f"user:{name}", "cloud", "2026-11-23") for name in ("ann", "bob"))
TOMORROW = ANN._replace(day="2026-11-24")


def test_other_grants_come_into_force_over_the_same_policy() -> None:
    first = engine()
    engines = Engines(first)
    overlay = Overlay(2, (grant(),))
    engines.put_overlay(overlay)
    assert engines.current.overlay is overlay
    assert engines.current.policy is first.policy


def test_another_policy_comes_into_force_under_the_same_grants() -> None:
    overlay = Overlay(2, (grant(),))
    engines = Engines(engine(overlay=overlay))
    second = engine(school="Another School")
    engines.put_policy(second)
    assert engines.current.policy is second.policy
    assert engines.current.overlay is overlay


def test_who_holds_the_engine_of_before_sees_no_change() -> None:
    engines = Engines(engine())
    held = engines.current
    engines.put_overlay(Overlay(2, (grant(),)))
    engines.put_policy(engine(school="Another School"))
    assert (held.overlay, held.policy.school) == (Overlay(), "Example School")


def test_every_change_is_told_once_with_what_is_now_in_force() -> None:
    told: list[PolicyEngine] = []
    engines = Engines(engine(), told.append)
    assert told == []
    engines.put_overlay(Overlay(2))
    engines.put_policy(engine(school="Another School"))
    assert [(e.overlay.version, e.policy.school) for e in told] == [
        (2, "Example School"),
        (2, "Another School"),
    ]
    assert told[-1] is engines.current


def test_changes_of_both_kinds_at_the_same_time_lose_nothing() -> None:
    engines = Engines(engine())
    policies = [engine(school=f"School {n}") for n in range(200)]
    overlays = [Overlay(n) for n in range(200)]

    def put_policies() -> None:
        for policy in policies:
            engines.put_policy(policy)

    def put_overlays() -> None:
        for overlay in overlays:
            engines.put_overlay(overlay)

    threads = [Thread(target=put_policies), Thread(target=put_overlays)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engines.current.policy.school == "School 199"
    assert engines.current.overlay.version == 199


def test_what_is_accepted_here_stays_so_until_the_store_has_it() -> None:
    engines = Engines(engine(overlay=Overlay(1, (grant(),))))
    engines.accept(ANN)
    assert engines.current.overlay == Overlay(1, (grant(),), acceptances=frozenset({ANN}))
    # Read before the click was written.
    engines.put_overlay(Overlay(2, acceptances=frozenset({BOB})))
    assert engines.current.overlay.acceptances == {ANN, BOB}
    engines.put_policy(engine(school="Another School"))
    assert engines.current.overlay.acceptances == {ANN, BOB}
    engines.put_overlay(Overlay(3, acceptances=frozenset({ANN, BOB})))
    engines.put_overlay(Overlay(4))
    assert engines.current.overlay.acceptances == frozenset()


def test_what_was_accepted_on_another_day_is_forgotten() -> None:
    engines = Engines(engine())
    engines.accept(ANN)
    engines.accept(TOMORROW)
    engines.put_overlay(Overlay(1))
    assert engines.current.overlay.acceptances == {TOMORROW}


def test_whoever_accepts_does_not_wait_for_what_telling_takes() -> None:
    telling, may_end = Event(), Event()

    def slow(_: PolicyEngine) -> None:
        telling.set()
        may_end.wait(60)

    engines = Engines(engine(), slow)
    thread = Thread(target=engines.put_overlay, args=(Overlay(2),))
    thread.start()
    assert telling.wait(60)
    engines.accept(ANN)
    may_end.set()
    thread.join()
    assert engines.current.overlay == Overlay(2, acceptances=frozenset({ANN}))


def test_lists_that_are_put_by_themselves_stay_when_the_policy_changes() -> None:
    engines = Engines(engine())
    lists, own = LockedLists((locked("bad.example"),)), (local_block("closed.example"),)
    engines.put_locked(lists)
    engines.put_local(own)
    engines.put_policy(engine(school="Another School"))
    current = engines.current
    assert (current.policy.school, current.locked, current.local) == ("Another School", lists, own)
    assert current.decide(ask("https://bad.example/"), NOON).reason is Reason.LOCKED
    assert current.decide(ask("https://closed.example/"), NOON).reason is Reason.LOCAL_BLOCK
