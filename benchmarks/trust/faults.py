"""What is done to a trust in namespaces, and what is seen of it: a line is cut, and servers are killed."""

import json
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from benchmarks.trust.deciding import CLOSED, OPEN, Deciding, asking, page, status, until
from schoolgate import bootstrap
from tests.gateway import eventually
from tests.portal.people import TROUBLE, Browser, filled_in
from tests.system.trust_scene import DEVICES, Gate, Trust

_TEACHER = "teacher@school.example"
# Before and after the end of a grant it is asked without a pause.
_AROUND_SECONDS = 3
_CATCHING_UP_SECONDS = 600
# Of a grant that ends while a line is cut.
_SHORTEST_SECONDS = 15
_NO_ANSWER: tuple[type[Exception], ...] = (*TROUBLE, httpx.TimeoutException)


@dataclass(frozen=True, slots=True)
class Cut:
    """What was seen of a gateway whose line was cut; seconds.

    Attributes:
        began: monotonic, when it was cut.
        healed: and when it was healed.
        other: from a decision meanwhile until it was in force at the school's other gateway.
        late: from the end of a grant until the first refusal at the cut gateway.
        early: the longest that an answer before that end was a refusal; 0 where none was.
        waiting: events that had not come when it was healed.
        opened: from healing until what was approved meanwhile was in force.
        closed: and what was revoked meanwhile.
        delivered: and until the request that was made there had left.
        requests: how often that request is in the records.
        events: from healing until all events from before had come.
    """

    began: float
    healed: float
    other: float
    late: float
    early: float
    waiting: int
    opened: float
    closed: float
    delivered: float
    requests: int
    events: float


def cut_off(here: Trust, deciding: Deciding, teacher: Browser, seconds: float) -> Cut:
    """Cut the first gateway's line for some seconds, and heal it."""
    gate, other = here.pair
    later = bootstrap.now() + timedelta(hours=2)
    ends = bootstrap.now() + timedelta(seconds=max(_SHORTEST_SECONDS, 0.7 * seconds))
    short, kept, new = page("ends"), page("revoked"), page("meanwhile")
    deciding.open(short, ends)
    revoked, _ = deciding.open(kept, later)
    for url in (short, kept):
        asking(here, here.pair, url, OPEN)()
    form = here.at_school.submit(teacher.form, "/ask/").result()
    began = time.monotonic()
    here.cut(gate)
    wait = asking(here, [other], new, OPEN)
    _, committed = deciding.open(new, later)
    [opened] = wait()
    deciding.close_again(revoked)
    asking(here, [other], kept, CLOSED)()
    reason = f"Maths, asked at {ends:%H:%M:%S}."
    here.at_school.submit(_request, here, teacher, form, reason).result()
    late, early = here.at_school.submit(_end_of, gate.inside, short, ends).result()
    # It knows nothing of the centre yet.
    assert here.at_school.submit(status, gate.inside, new).result() == CLOSED
    assert here.at_school.submit(status, gate.inside, kept).result() == OPEN
    time.sleep(max(began + seconds - time.monotonic(), 0))
    seen = Cut(began, 0, opened - committed, late, early, 0, 0, 0, 0, 0, 0)
    return _healed(here, gate, reason, seen)


def _healed(here: Trust, gate: Gate, reason: str, seen: Cut) -> Cut:
    written = len(gate.journal())
    waiting = written - here.centre.count(gate.school, gate.name)
    now = time.monotonic()
    here.heal(gate)
    with ThreadPoolExecutor() as threads:
        new = here.at_school.submit(until, gate.inside, page("meanwhile"), OPEN)
        old = here.at_school.submit(until, gate.inside, page("revoked"), CLOSED)
        left = threads.submit(_moment, lambda: not _kept(gate))
        came = threads.submit(_moment, lambda: here.centre.count(gate.school, gate.name) >= written)
        moments = [one.result() - now for one in (new, old, left, came)]
    asked = "SELECT count(*) FROM hermitage.requests WHERE content::text LIKE %s"
    assert eventually(lambda: here.centre.database.asked(asked, f"%{reason}%") != [(0,)])
    [(made,)] = here.centre.database.asked(asked, f"%{reason}%")
    return replace(
        seen, healed=now, waiting=waiting, requests=made, opened=moments[0],
        closed=moments[1], delivered=moments[2], events=moments[3],
    )  # fmt: skip


def _moment(true: Callable[[], bool]) -> float:
    end = time.monotonic() + _CATCHING_UP_SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.1)
    return time.monotonic()


def _kept(gate: Gate) -> list[Path]:
    return list((gate.state / "kept-requests").glob("*.json"))


def sign_in(here: Trust) -> Browser:
    """Have a teacher sign in at the first gateway's portal."""
    gate, _ = here.pair
    given = json.dumps({_TEACHER: ("Tom Teacher", "teacher")})
    command = (sys.executable, "-m", "tests.portal.people", str(gate.config))
    made = gate.machine.run(*gate.knowing(*command), stdin=given)
    assert made.returncode == 0, made.stderr
    teacher = Browser(gate, _TEACHER, DEVICES[0])  # type: ignore[arg-type]

    def is_in() -> bool:
        try:
            return teacher.sign_in().status_code == httpx.codes.FOUND
        except _NO_ANSWER:
            return False

    assert here.at_school.submit(eventually, is_in).result()
    return teacher


def _request(here: Trust, teacher: Browser, form: dict[str, str], reason: str) -> None:
    """Send the portal's form until it says that it is kept; to be called where the device is."""
    typed = {
        "url": page("lesson"), "site_content": "Prices.", "reasons": reason,
        "risks_and_controls": "Adverts; I watch.", "extent": "page", "subject": "everyone",
        "minimum_age": "0", "parents_informed": "on",
    }  # fmt: skip

    def text() -> str:
        try:
            return teacher.get("/ask/").text
        except _NO_ANSWER:
            return ""

    shown: list[str] = []

    def is_away() -> bool:
        shown[:] = [text()]
        return "is kept on this gateway" in shown[0]

    assert eventually(is_away), shown
    # Twice, as people do.
    for _ in range(2):
        answer = teacher.send("/ask/", {**filled_in(shown[0]), **form}, **typed)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    assert len(_kept(here.pair[0])) == 1


def _end_of(proxy: str, url: str, ends: datetime) -> tuple[float, float]:
    """Watch the end of a grant; give by how much it was closed late and early."""
    early = 0.0
    while True:
        before = bootstrap.now()
        seen, after = status(proxy, url), bootstrap.now()
        if seen == CLOSED and after >= ends:
            return (after - ends).total_seconds(), early
        if seen != OPEN and after < ends:
            early = max(early, (ends - after).total_seconds())
        if (ends - before).total_seconds() > _AROUND_SECONDS:
            time.sleep(0.5)


@dataclass(frozen=True, slots=True)
class Kill:
    """What was seen when something was killed under load; seconds.

    Attributes:
        what: it was.
        began: monotonic, when it was killed.
        ended: when all was as before.
        away: from there until it ran again.
        decided: from there until a new decision was in force at both gateways.
        events: until all events from before that had come.
    """

    what: str
    began: float
    ended: float
    away: float
    decided: float
    events: float


def _killable(here: Trust) -> dict[str, tuple[Callable[[], object], Callable[[], None]]]:
    middle, leaf = here.centre, here.pair[1].leaf
    nine = signal.SIGKILL
    return {
        "PostgreSQL": (middle.database.kill, middle.database.start),
        "NATS at the centre": (lambda: middle.nats.end(nine), middle.nats.start),
        "the leaf of a gateway": (lambda: leaf.end(nine), leaf.start),
        "who writes the tables": (lambda: middle.end_consumer(nine), middle.consume),
    }


def kills(here: Trust, deciding: Deciding, away: float) -> list[Kill]:
    """Kill each by ``kill -9``, start it again after some seconds, and see it work."""
    return [_killed(here, deciding, what, away, *how) for what, how in _killable(here).items()]


def _killed(
    here: Trust,
    deciding: Deciding,
    what: str,
    away: float,
    kill: Callable[[], object],
    start: Callable[[], None],
) -> Kill:
    began = time.monotonic()
    kill()
    time.sleep(away)
    start()
    now = time.monotonic()
    url = page(f"after-{began:.0f}")
    wait = asking(here, here.pair, url, OPEN)
    deciding.open(url, bootstrap.now() + timedelta(hours=1))
    decided = max(wait()) - now
    written = [(gate, len(gate.journal())) for gate in here.gates]
    came = _moment(
        lambda: all(here.centre.count(one.school, one.name) >= count for one, count in written)
    )
    return Kill(what, began, time.monotonic(), now - began, decided, came - now)
