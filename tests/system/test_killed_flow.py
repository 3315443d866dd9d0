"""Portal, workers and jobs are killed while people ask, review and sign: nothing is lost or done twice.

Real processes, asked over the proxy. Whoever sees an error page does what people do: looks, and tries
again. ``SCHOOLGATE_TEST_SEED`` repeats the kills of a run that printed it.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from schoolgate import bootstrap
from schoolgate.core.approvals import State
from schoolgate.storage import ApprovalStore, AuditTrail, Outbox, open_database, schema
from schoolgate.storage.connections import reading, writing
from tests import gateway, origin
from tests.gateway import Gateway, eventually
from tests.notify import smtp
from tests.notify.smtp import Post
from tests.origin import Origin
from tests.portal.people import TROUBLE, Browser, make_accounts, number_in
from tests.system.test_requests_in_force import asked

pytestmark = pytest.mark.long

# Of each kind of process so many are killed, in an order of chance.
KILLS = 8
KINDS = ("portal", "worker", "jobs")
TEACHERS = 3
LEADER, HEAD = "slt@school.example", "headteacher@school.example"
PEOPLE = {
    **{f"teacher{n}@school.example": (f"Tom Teacher {n}", "teacher") for n in range(TEACHERS)},
    LEADER: ("Sue Leader", "slt"),
    HEAD: ("Hal Head", "headteacher"),
}
MAIL_SECONDS = 0.1
STEPS = ["submitted", "reviewed", "approved"]


@dataclass
class School:
    """A gateway with its portal, its database, its mail server, and people who have signed in."""

    gateway: Gateway
    site: Origin
    database: Engine
    post: Post
    browsers: dict[str, Browser]
    stage: str = ""

    def url(self, round_: int) -> str:
        """Give what is asked for in a round; each is a grant of its own."""
        return f"https://www.ebay.co.uk:{self.site.https_port}/lesson?x={round_}"

    def state(self, number: int) -> State:
        """Give how a request is kept."""
        with ApprovalStore(self.database).reading() as kept:
            return kept.request(number).state

    def live(self, round_: int) -> None:
        """Carry one request from the form to the open site."""
        teacher = self.browsers[f"teacher{round_ % TEACHERS}@school.example"]
        self.stage = "submit"
        number = self._submit(teacher, self.url(round_))
        self.stage = "review"
        while self.state(number) is State.SUBMITTED:
            self._try(
                LEADER, f"/requests/{number}/review/", recommended="yes", risks="Adverts.",
                controls="A teacher watches.",
            )  # fmt: skip
        self.stage = "approve"
        while self.state(number) is State.REVIEWED:
            self._try(
                HEAD, f"/requests/{number}/approve/", reasons="For the lesson.",
                signature="Hal Head",
            )  # fmt: skip
        self.stage = "opens"
        with self.gateway.client(address="127.0.6.9") as client:
            assert eventually(lambda: self.status(client, self.url(round_)) == 200)
        self.stage = "done"

    def status(self, client: object, url: str) -> int:
        """Ask a site."""
        try:
            return asked(client, url).status_code  # type: ignore[arg-type]
        except TROUBLE:
            return 0

    def _submit(self, teacher: Browser, url: str) -> int:
        form: dict[str, str] = {}
        while not form:
            with suppress(*TROUBLE):
                form = teacher.form("/ask/")
        # The same form again and again, as a browser sends it on reload.
        while True:
            with suppress(*TROUBLE):
                answer = teacher.send(
                    "/ask/", form, url=url, site_content="Prices.", reasons="Maths.",
                    risks_and_controls="Adverts; I watch.", extent="page", subject="everyone",
                    minimum_age="0", parents_informed="on",
                )  # fmt: skip
                number = number_in(answer)
                if number:
                    return number
                # Kept on the gateway, where the database was locked for too long.
                assert answer.status_code >= 500 or answer.status_code == 202, answer.text

    def _try(self, email: str, path: str, **typed: str) -> None:
        with suppress(*TROUBLE):
            self.browsers[email].sign(path, **typed)


class Killer:
    """Kills a process of a kind at a moment of chance, in a thread of its own.

    Portal and workers in one of the steps of a round; jobs while a mail is handed over, or just after.
    """

    def __init__(self, school: School, kind: str, chance: random.Random) -> None:
        self._school, self._kind = school, kind
        self._stage = chance.choice(["submit", "review", "approve", "opens"])
        self._after = chance.uniform(0, 2 * MAIL_SECONDS if kind == "jobs" else 0.3)
        self._choice = chance.random()
        self.said = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> str:
        """Wait until it is done; give what it did."""
        self._thread.join(gateway.PATIENCE_SECONDS)
        return self.said

    def _run(self) -> None:
        while not self._is_time():
            time.sleep(0.002)
        time.sleep(self._after)
        stage = self._school.stage
        assert eventually(lambda: bool(self._victims()))
        victims = self._victims()
        victim = victims[int(self._choice * len(victims))]
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        mail = "a mail that is handed over" if self._school.post.is_taking else "no mail on its way"
        self.said = f"{self._kind} ({victim}) at {stage}, {mail}"

    def _is_time(self) -> bool:
        if self._kind == "jobs":
            return self._school.post.is_taking
        return self._school.stage in (self._stage, "done")

    def _victims(self) -> list[int]:
        """Give all processes of the kind: of the portal its post, its program and who serves."""
        found = self._school.gateway.processes(self._kind)
        return [*found, *children(found)] if self._kind == "portal" else found


def children(pids: list[int]) -> list[int]:
    """Give the processes below some, all the way down."""
    below: list[int] = []
    for pid in pids:
        with suppress(OSError):
            told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            below += [int(one) for one in told.split()]
    return [*below, *children(below)] if below else []


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    office = tmp_path / "office"
    office.mkdir()
    with smtp.running(office) as post, origin.running(tmp_path) as site:
        post.pause_seconds = MAIL_SECONDS
        roles = {"slt": [LEADER], "headteacher": [HEAD]}
        config = gateway.write_config(
            tmp_path,
            proxy=gateway.to_origin(site),
            portal={"enabled": True},
            mail=post.settings(roles=roles),
        )
        with gateway.running(config) as own:
            assert eventually(lambda: own.get("health").text == "ok\n")
            make_accounts(config, PEOPLE)
            browsers = {
                email: Browser(own, email, f"127.0.6.{2 + place}")
                for place, email in enumerate(PEOPLE)
            }
            for browser in browsers.values():
                assert browser.sign_in().status_code == 302
            database = open_database(f"sqlite:///{own.state}/schoolgate.db")
            yield School(own, site, database, post, browsers)
            database.dispose()
            for browser in browsers.values():
                browser.close()


@pytest.mark.timeout(900)
def test_whoever_is_killed_nothing_is_lost_and_nothing_is_done_twice(school: School) -> None:
    seed = int(os.environ.get("SCHOOLGATE_TEST_SEED") or random.randrange(2**32))
    print(f"SCHOOLGATE_TEST_SEED={seed}")
    chance = random.Random(seed)
    school.live(0)
    kinds = list(KINDS * KILLS)
    chance.shuffle(kinds)
    for round_, kind in enumerate(kinds, 1):
        school.stage = ""
        killer = Killer(school, kind, chance)
        school.live(round_)
        print(f"{round_}: killed {killer.end()}")
    rounds = len(kinds) + 1
    assert eventually(lambda: school.gateway.get("health").text == "ok\n")
    agree(school, rounds)
    delivered(school)
    with school.gateway.client(address="127.0.6.9") as client:
        opened = [school.status(client, school.url(number)) for number in range(rounds + 1)]
    assert opened == [200] * rounds + [403]


def agree(school: School, rounds: int) -> None:
    """See that every request went each step once, with its grant, its entries and its mail."""
    with ApprovalStore(school.database).reading() as kept:
        requests = kept.requests()
        told = [[line.action for line in kept.history(one.id)] for one in requests]
        grants = [kept.grant_of(one.id) for one in requests]
    assert [one.state for one in requests] == [State.APPROVED] * rounds
    assert told == [STEPS] * rounds
    assert all(grants)
    trail = AuditTrail(school.database)
    assert trail.verify().fault is None
    for request in requests:
        entries = [entry.action for entry, _ in trail.told(f"request:{request.id}")]
        assert entries == [f"request.{step}" for step in STEPS]
    with reading(school.database) as connection:
        assert (
            connection.execute(select(func.count()).select_from(schema.grants)).scalar() == rounds
        )
        version = select(schema.versions.c.version).where(schema.versions.c.name == "overlay")
        assert connection.execute(version).scalar() == rounds
        # Beside what the requests tell, whoever has an account is reminded of the declaration.
        theirs = select(schema.outbox).where(schema.outbox.c.about.startswith("request:"))
        rows = connection.execute(theirs).all()
    mails = {one.id: Counter[tuple[str, str]]() for one in requests}
    for row in rows:
        number = int(row.about.partition(":")[2])
        asker = requests[number - 1].requester
        mails[number][row.audience.replace(asker, "asker"), row.subject] += 1
    first, *others = mails.values()
    assert sum(first.values()) == 4
    assert others == [first] * (rounds - 1)


def delivered(school: School) -> None:
    """See that every mail of the outbox arrived, under its own Message-ID."""
    outbox = Outbox(school.database)

    def is_empty() -> bool:
        # Who was killed while sending left the mail to the next, ten minutes later: they are over.
        mine = update(schema.outbox).where(schema.outbox.c.sent_at.is_(None))
        soon = bootstrap.now() + timedelta(seconds=10)
        late = mine.where(schema.outbox.c.due_at > soon)
        with writing(school.database) as connection:
            connection.execute(late.values(due_at=bootstrap.now()))
        return not outbox.unsent()

    assert eventually(is_empty)
    with reading(school.database) as connection:
        numbers = connection.execute(select(schema.outbox.c.id)).scalars().all()
    assert set(school.post.ids) == {f"<schoolgate-{number}@school.example>" for number in numbers}
    print(f"{len(numbers)} mails, {len(school.post.ids) - len(numbers)} of them twice")
