"""Counts of what is kept, over a request from its form to the decision."""

from datetime import timedelta

from sqlalchemy import Engine

from schoolgate.core.approvals import Role, State, Subject, Told
from schoolgate.core.categories import ListEntry
from schoolgate.storage import (
    ApprovalStore,
    DecisionStore,
    Figures,
    Outbox,
    granted_after,
    last_grant,
)
from schoolgate.storage.figures import Told as Telling
from schoolgate.storage.outbox import put_for_webhook
from tests.services.requested import APPROVE, DECLINE, HEAD, NINE, TEACHER, approvals, form, scope

MINUTE = timedelta(minutes=1)
NONE = {State.SUBMITTED: (0, None), State.RETURNED: (0, None), State.REVIEWED: (0, None)}


def test_an_empty_database_counts_nothing(engine: Engine) -> None:
    kept = Figures(engine).read(NINE)
    assert (kept.waiting, kept.decided, kept.ending) == (NONE, (), (0, 0))
    assert (kept.mail_waiting, kept.mail_due_since, kept.mail_sent) == (0, None, 0)
    assert last_grant(engine) == 0


def test_a_request_waits_until_it_is_decided_and_is_counted_then_once(engine: Engine) -> None:
    service, figures = approvals(ApprovalStore(engine)), Figures(engine)
    first = service.submit(form(), TEACHER, NINE)
    friends = form(scope("https://friends.example/"))
    second = service.submit(friends, TEACHER, NINE + 5 * MINUTE)
    at = NINE + 10 * MINUTE
    assert figures.read(at).waiting == {**NONE, State.SUBMITTED: (2, NINE)}
    service.act(first.id, first.version, APPROVE, HEAD, at)
    service.act(second.id, second.version, DECLINE, HEAD, at)
    kept = figures.read(at)
    assert kept.waiting == NONE
    assert [(one.host, one.outcome, one.seconds) for one in kept.decided] == [
        ("games.example", State.APPROVED, 600.0),
        ("friends.example", State.DECLINED, 300.0),
    ]
    assert figures.read(at, kept.decided[0].line).decided == kept.decided[1:]


def test_a_request_whose_time_is_over_waits_no_more(engine: Engine) -> None:
    asked = approvals(ApprovalStore(engine)).submit(form(), TEACHER, NINE)
    assert Figures(engine).read(asked.form.scope.ends).waiting == NONE


def test_grants_end_soon_or_later_and_those_taken_back_do_not(
    engine: Engine, store: DecisionStore
) -> None:
    made = [
        store.add_grant(
            ListEntry.parse("games.example", "grant", "grant"),
            Subject.parse("everyone"),
            NINE,
            NINE + timedelta(days=days),
            Role.HEADTEACHER,
            reason="A lesson.",
            actor="cli:test",
            now=NINE,
        )
        for days in (1, 2, 7, 8)
    ]
    assert Figures(engine).read(NINE).ending == (1, 3)
    store.revoke_grant(made[1].id, NINE, "cli:test")
    assert Figures(engine).read(NINE).ending == (1, 2)
    assert last_grant(engine) == made[-1].id
    assert granted_after(engine, made[1].id) == [(made[2].id, NINE), (made[3].id, NINE)]


def test_mail_waits_is_late_is_sent_or_given_up(engine: Engine) -> None:
    outbox = Outbox(engine)
    with ApprovalStore(engine).writing() as work:
        for about in ("request:1", "request:2", "request:3"):
            work.tell(Told("A request waits", roles=(Role.HEADTEACHER,)), about, NINE)
    one, other, _ = outbox.take(NINE, 3, MINUTE)
    outbox.sent(one.id, NINE)
    outbox.gave_up(other.id, "no", NINE)
    at_once, late = (Figures(engine).read(NINE + minutes * MINUTE) for minutes in (0, 5))
    assert (at_once.mail_waiting, at_once.mail_sent, at_once.mail_gave_up) == (1, 1, 1)
    # Whoever took it has it for a minute.
    assert (at_once.mail_due_since, late.mail_due_since) == (None, NINE + MINUTE)


def test_what_a_program_is_told_waits_from_when_it_was_raised_however_often_it_was_tried(
    engine: Engine,
) -> None:
    """Apart from the mail, and from other programs."""
    with engine.begin() as connection:
        for minute, name in enumerate(("pager", "pager", "pager", "other")):
            put_for_webhook(connection, name, "An alert", "alert:1", NINE + minute * MINUTE)
    outbox = Outbox(engine, "pager")
    assert Figures(engine).read(NINE).webhooks == {
        "pager": Telling(3, NINE, 0, 0),
        "other": Telling(1, NINE + 3 * MINUTE, 0, 0),
    }
    first, second, third = outbox.take(NINE + 5 * MINUTE, 3, MINUTE)
    outbox.sent(first.id, NINE)
    outbox.gave_up(second.id, "no", NINE)
    outbox.failed(third.id, "away", NINE + 60 * MINUTE)
    kept = Figures(engine).read(NINE + 5 * MINUTE)
    assert kept.webhooks["pager"] == Telling(1, NINE + 2 * MINUTE, 1, 1)
    assert (kept.mail_waiting, kept.mail_sent, kept.mail_gave_up) == (0, 0, 0)
