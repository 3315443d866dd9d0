"""Holds of the journal: made and lifted with a reason, and in the audit trail."""

from datetime import date

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Subject
from schoolgate.core.errors import RefusedError
from schoolgate.storage import AuditTrail, JournalHolds
from tests.storage.days import at

TOM, DAY = Subject.parse("user:tom"), date(2026, 11, 2)


def test_a_hold_stands_until_it_is_lifted(engine: Engine) -> None:
    holds = JournalHolds(engine)
    assert holds.add(TOM, DAY, None, " incident 17 ", "cli:kim", at(9)) == 1
    assert holds.add(Subject.parse("everyone"), DAY, DAY, "police", "cli:kim", at(10)) == 2
    first, second = holds.standing()
    assert (first.subject, first.since, first.until, first.reason) == (
        TOM,
        DAY,
        None,
        "incident 17",
    )
    assert (second.until, second.made_by, second.made_at) == (DAY, "cli:kim", at(10))
    holds.lift(1, "closed", "cli:lee", at(11))
    assert [hold.id for hold in holds.standing()] == [2]
    told = [(entry.action, beside["subject"]) for entry, beside in AuditTrail(engine).told()]
    assert told == [
        ("hold.made", "user:tom"),
        ("hold.made", "everyone"),
        ("hold.lifted", "user:tom"),
    ]


@pytest.mark.parametrize(
    ("subject", "until", "reason", "said"),
    [
        ("group:pupils", None, "x", "a group changes"),
        ("user:tom", date(2026, 11, 1), "x", "before the first"),
        ("user:tom", None, " ", "give a reason"),
    ],
)
def test_what_holds_nothing_is_refused(
    engine: Engine, subject: str, until: date | None, reason: str, said: str
) -> None:
    holds = JournalHolds(engine)
    with pytest.raises(RefusedError, match=said):
        holds.add(Subject.parse(subject), DAY, until, reason, "cli", at(9))
    assert holds.standing() == []


def test_a_hold_is_lifted_once_and_with_a_reason(engine: Engine) -> None:
    holds = JournalHolds(engine)
    number = holds.add(TOM, DAY, None, "x", "cli", at(9))
    with pytest.raises(RefusedError, match="give a reason"):
        holds.lift(number, "", "cli", at(10))
    holds.lift(number, "closed", "cli", at(10))
    with pytest.raises(RefusedError, match="there is no hold 1"):
        holds.lift(number, "closed", "cli", at(11))
