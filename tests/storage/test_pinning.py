"""Failed handshakes add up to evidence, are forgotten in time, and what was decided is audited."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, select

from schoolgate.core.errors import RefusedError
from schoolgate.core.pinning import Evidence, Failure
from schoolgate.storage import PinningTable, schema
from schoolgate.storage import pinning as stored
from schoolgate.storage.connections import reading
from tests.storage.days import at

MONDAY = date(2026, 11, 23)
TUESDAY = MONDAY + timedelta(days=1)


def test_failures_add_up_by_host_and_kind_of_device(engine: Engine) -> None:
    table = PinningTable(engine)
    table.keep(
        {
            Failure("a.example", "ipad", "c1", MONDAY): 3,
            Failure("a.example", "ipad", "c2", MONDAY): 1,
            Failure("a.example", "", "c1", MONDAY): 1,
        },
        MONDAY,
    )
    table.keep({Failure("a.example", "ipad", "c1", MONDAY): 2}, MONDAY)
    table.keep({Failure("a.example", "ipad", "c2", TUESDAY): 1}, TUESDAY)
    ipads, others = table.evidence()
    assert ipads == Evidence("a.example", "ipad", 7, 2, 2, TUESDAY)
    assert ipads.is_enough
    assert others == Evidence("a.example", "", 1, 1, 1, MONDAY)
    assert not others.is_enough


def test_what_is_old_is_forgotten(engine: Engine) -> None:
    table = PinningTable(engine)
    table.keep({Failure("a.example", "", "c1", MONDAY): 1}, MONDAY)
    later = MONDAY + timedelta(days=stored.KEPT_DAYS + 1)
    table.keep({Failure("b.example", "", "c1", later): 1}, later)
    assert [each.host for each in table.evidence()] == ["b.example"]


def test_what_is_kept_has_a_bound(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_KEPT", 3)
    table = PinningTable(engine)
    many = {Failure(f"{n}.example", "", "c1", MONDAY): 1 for n in range(9)}
    table.keep(many, MONDAY)
    table.keep({**many, Failure("new.example", "", "c1", MONDAY): 1}, MONDAY)
    found = table.evidence()
    assert len(found) == 3
    assert all(each.failures == 2 for each in found)


def test_the_last_decision_counts_and_each_is_audited(engine: Engine) -> None:
    table = PinningTable(engine)
    with pytest.raises(RefusedError):
        table.decide("a.example", "kim", " ", is_accepted=True, now=at(9))
    table.decide("a.example", "kim", "pinned", is_accepted=True, now=at(9))
    decided = table.decide("a.example", "lee", "a mistake", is_accepted=False, now=at(10))
    assert table.decisions() == {"a.example": decided}
    with reading(engine) as connection:
        actions = connection.execute(select(schema.audit.c.action)).scalars().all()
    assert actions == ["pinning.accepted", "pinning.declined"]
