"""Who wants one mail a day gets one, at its time, with all that came; reminders too."""

from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role, Told
from schoolgate.core.errors import UnavailableError
from schoolgate.services.approvals import Approvals
from schoolgate.services.digesting import gather, last_time
from schoolgate.services.mailing import Mailing, Round
from schoolgate.services.reminding import remind
from schoolgate.storage import ApprovalStore, Digests, Outbox
from tests.services.requested import NINE, ROLES, TEACHER, form

FOUR = time(16)
HEAD, DEPUTY = "head@school.example", "Deputy@school.example"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Office:
    """A school's mail: two heads, of whom one wants a digest."""

    def __init__(self, database: Engine) -> None:
        self.store, self.digests = ApprovalStore(database), Digests(database)
        self.got: list[EmailMessage] = []
        self.fails = False
        self.mailing = Mailing(
            Outbox(database), self._send, lambda _: (HEAD, DEPUTY), "filter@school.example",
            "Example School", "https://gate.example/", self.digests,
        )  # fmt: skip

    def _send(self, message: EmailMessage) -> None:
        if self.fails:
            raise UnavailableError("450 later")
        self.got.append(message)

    def tell(self, at: datetime, about: str = "request:7") -> None:
        with self.store.writing() as work:
            told = Told("A site is asked for", roles=(Role.HEADTEACHER,))
            work.tell(told, about, at)

    def rounds(self, now: datetime) -> list[tuple[str, str]]:
        """Send all that is due, and give to whom, and what each mail is called."""
        before = len(self.got)
        while self.mailing.round(now) != Round() or gather(self.digests, FOUR, now):
            pass
        return [(mail["To"], mail["Subject"].partition("] ")[2]) for mail in self.got[before:]]


DIGEST = "What came for you since the last mail"
ASKED = "A site is asked for"


@pytest.fixture
def office(database: Engine) -> Office:
    made = Office(database)
    made.digests.choose(DEPUTY, daily=True)
    return made


def test_one_at_once_and_one_a_day(office: Office) -> None:
    office.tell(NINE)
    office.tell(NINE + MINUTE, "request:8")
    assert office.rounds(NINE + MINUTE) == [(HEAD, ASKED), (HEAD, ASKED)]
    assert office.rounds(NINE + timedelta(hours=6, minutes=59)) == []
    assert office.rounds(NINE + timedelta(hours=7)) == [(DEPUTY.lower(), DIGEST)]
    text = office.got[-1].get_content()
    assert "https://gate.example/requests/7" in text
    assert "https://gate.example/requests/8" in text
    assert "because you chose so: https://gate.example/account/mail/" in text
    assert len({mail["Message-ID"] for mail in office.got}) == 3
    assert office.rounds(NINE + DAY) == []


def test_what_was_missed_comes_as_soon_as_somebody_sends(office: Office) -> None:
    office.tell(NINE)
    assert office.rounds(NINE + 5 * DAY) == [(HEAD, ASKED), (DEPUTY.lower(), DIGEST)]


def test_what_comes_after_its_time_waits_for_the_next(office: Office) -> None:
    after = NINE + timedelta(hours=7, minutes=1)
    office.tell(after)
    assert office.rounds(after) == [(HEAD, ASKED)]
    assert office.rounds(after + DAY - 2 * MINUTE) == []
    assert office.rounds(after + DAY) == [(DEPUTY.lower(), DIGEST)]


def test_an_accident_waits_for_nobody(office: Office) -> None:
    office.tell(NINE, "accident:3")
    assert office.rounds(NINE) == [(f"{HEAD}, {DEPUTY}", ASKED)]
    assert office.rounds(NINE + DAY) == []


def test_who_changes_their_mind_gets_what_waits_with_the_next(office: Office) -> None:
    office.tell(NINE)
    office.rounds(NINE)
    office.digests.choose(DEPUTY, daily=False)
    office.tell(NINE + MINUTE)
    assert office.rounds(NINE + MINUTE) == [(f"{HEAD}, {DEPUTY}", ASKED)]
    assert office.rounds(NINE + DAY) == [(DEPUTY.lower(), DIGEST)]


def test_a_mail_that_is_tried_again_stands_in_a_digest_once(office: Office) -> None:
    office.tell(NINE)
    office.fails = True
    assert office.rounds(NINE) == []
    assert office.rounds(NINE + MINUTE) == []
    office.fails = False
    assert office.rounds(NINE + DAY) == [(HEAD, ASKED), (DEPUTY.lower(), DIGEST)]
    assert office.got[-1].get_content().count(ASKED) == 1


def test_a_digest_that_fails_is_tried_again_as_the_same(office: Office) -> None:
    office.tell(NINE)
    office.rounds(NINE)
    office.fails = True
    assert office.rounds(NINE + DAY) == []
    office.fails = False
    assert office.rounds(NINE + DAY + MINUTE) == [(DEPUTY.lower(), DIGEST)]
    assert office.got[-1]["Message-ID"] == "<schoolgate-2@school.example>"


def test_a_reminder_stands_in_the_digest_too(office: Office, service: Approvals) -> None:
    service.submit(form(), TEACHER, NINE)
    assert office.rounds(NINE) == [(HEAD, ASKED)]
    office.rounds(NINE + DAY / 2)
    assert remind(office.store, ROLES, NINE + DAY) == 1
    assert office.rounds(NINE + DAY) == [(HEAD, "A request still waits for your review")]
    assert office.rounds(NINE + 2 * DAY) == [(DEPUTY.lower(), DIGEST)]
    assert "A request still waits for your review" in office.got[-1].get_content()


@pytest.mark.parametrize(
    ("at", "now", "want"),
    [
        (FOUR, datetime(2026, 11, 23, 16, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)),
        (FOUR, datetime(2026, 11, 23, 15, 59, tzinfo=UTC), datetime(2026, 11, 22, 16, tzinfo=UTC)),
        # In summer school time is an hour ahead.
        (FOUR, datetime(2026, 6, 1, 15, tzinfo=UTC), datetime(2026, 6, 1, 15, tzinfo=UTC)),
        (time(), datetime(2026, 6, 1, 23, tzinfo=UTC), datetime(2026, 6, 1, 23, tzinfo=UTC)),
        # There is no 01:30 on the last Sunday of March: it is 01:30 UTC then.
        (
            time(1, 30),
            datetime(2026, 3, 29, 2, tzinfo=UTC),
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        ),
    ],
)
def test_the_last_time_of_a_day_in_school(at: time, now: datetime, want: datetime) -> None:
    assert last_time(at, now) == want
