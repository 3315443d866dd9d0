"""Mail of the outbox is sent once where all goes well, tried again where not, and given up at last."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.message import EmailMessage
from threading import Barrier

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role, Told
from schoolgate.core.errors import UnavailableError
from schoolgate.notify import RejectedError
from schoolgate.services.mailing import GIVE_UP_AFTER, Mailing, Round, pause_after
from schoolgate.storage import ApprovalStore, Outbox
from tests.services.requested import NINE

MINUTE = timedelta(minutes=1)
MAILS, TAKERS = 24, 4


class Sender:
    """Takes mail, or says what is wrong."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.error: BaseException | None = None

    def __call__(self, message: EmailMessage) -> None:
        if self.error is not None:
            raise self.error
        self.got.append(message)


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def mailing(database: Engine, sender: Sender) -> Mailing:
    with ApprovalStore(database).writing() as work:
        told = Told("A site is asked for", roles=(Role.HEADTEACHER,))
        work.tell(told, "request:7", NINE)
    return make(database, sender)


def make(
    database: Engine,
    sender: Callable[[EmailMessage], None],
    addresses: tuple[str, ...] = ("head@school.example",),
) -> Mailing:
    return Mailing(
        Outbox(database),
        sender,
        lambda _: addresses,
        "filter@school.example",
        "Example School",
        "https://gate.example/",
    )


def test_what_is_due_is_sent_once(mailing: Mailing, sender: Sender) -> None:
    assert mailing.round(NINE - MINUTE) == Round()
    assert mailing.round(NINE) == Round(sent=1)
    assert mailing.round(NINE + timedelta(days=1)) == Round()
    [message] = sender.got
    assert "https://gate.example/requests/7" in message.get_content()


@pytest.mark.parametrize(
    ("about", "want"),
    [
        ("report:3", "/reports/3"),
        ("declaration:ann@school.example", "/declaration/"),
        ("account:ann@school.example", "/people/"),
        ("suspension:", "/known/"),
        ("list:allow.txt", "/lists/"),
        ("", "/"),
    ],
)
def test_a_mail_leads_to_the_page_of_what_it_tells(
    database: Engine, sender: Sender, about: str, want: str
) -> None:
    with ApprovalStore(database).writing() as work:
        work.tell(Told("Something", account="head"), about, NINE)
    make(database, sender).round(NINE)
    assert f"https://gate.example{want}\n" in sender.got[0].get_content()


def test_what_fails_waits_longer_each_time_and_is_given_up(
    mailing: Mailing, sender: Sender, database: Engine
) -> None:
    sender.error = UnavailableError("the mail server says 450")
    now, tries = NINE, 0
    while mailing.round(now).gave_up == 0:
        tries += 1
        assert mailing.round(now) == Round()
        now += pause_after(tries)
        assert tries < 100
    assert now - NINE >= GIVE_UP_AFTER
    [(waiting, error)] = Outbox(database).unsent()
    assert (waiting.attempts, error) == (tries + 1, "the mail server says 450")


@pytest.mark.parametrize(("attempts", "want"), [(1, 1), (2, 2), (5, 16), (9, 240), (10_000, 240)])
def test_pauses_grow_to_four_hours(attempts: int, want: int) -> None:
    assert pause_after(attempts) == want * MINUTE


def test_what_is_refused_for_good_is_given_up_at_once(mailing: Mailing, sender: Sender) -> None:
    sender.error = RejectedError("no such person")
    assert mailing.round(NINE) == Round(gave_up=1)
    assert mailing.round(NINE + timedelta(days=1)) == Round()


def test_mail_to_nobody_waits_for_an_address(
    mailing: Mailing, sender: Sender, database: Engine
) -> None:
    assert make(database, sender, ()).round(NINE) == Round(waiting=1)
    assert mailing.round(NINE + MINUTE) == Round(sent=1)


def test_who_is_killed_in_the_middle_leaves_the_mail_to_the_next(
    mailing: Mailing, sender: Sender
) -> None:
    sender.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        mailing.round(NINE)
    sender.error = None
    assert mailing.round(NINE + MINUTE) == Round()
    assert mailing.round(NINE + 10 * MINUTE) == Round(sent=1)


def test_two_at_work_do_not_send_the_same(
    mailing: Mailing, database: Engine, sender: Sender
) -> None:
    seen: list[datetime] = []

    def slow(_: EmailMessage) -> None:
        seen.append(NINE)
        assert mailing.round(NINE) == Round()

    assert make(database, slow).round(NINE) == Round(sent=1)
    assert (len(seen), sender.got) == (1, [])


def test_of_many_at_once_each_mail_is_taken_by_one(database: Engine) -> None:
    with ApprovalStore(database).writing() as work:
        for number in range(MAILS):
            told = Told("A site is asked for", roles=(Role.HEADTEACHER,))
            work.tell(told, f"request:{number}", NINE)
    together = Barrier(TAKERS)

    def take() -> list[int]:
        together.wait()
        outbox = Outbox(database)
        return [got.id for _ in range(MAILS) for got in outbox.take(NINE, 1, 10 * MINUTE)]

    with ThreadPoolExecutor(TAKERS) as threads:
        taken = [asked.result() for asked in [threads.submit(take) for _ in range(TAKERS)]]
    assert sorted(number for each in taken for number in each) == list(range(1, MAILS + 1))
