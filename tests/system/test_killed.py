"""A process that is killed in the middle of requests: nothing is lost, and nothing is done twice."""

import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from schoolgate.storage import AuditTrail, open_database, schema
from schoolgate.storage.connections import is_postgresql, reading
from tests.databases import fresh
from tests.gateway import ROOT, eventually

pytestmark = [pytest.mark.system, pytest.mark.long]
KILLS = 24
_STATES = ["submitted", "reviewed", "approved", "revoked"]
_LINE = re.compile(r"(submitted|reviewed|approved|revoked) (\d+)")


def until_killed(url: str, first: int, lines: int) -> list[tuple[str, int]]:
    """Let a process work, kill it after so many lines, and give all that it said."""
    command = [sys.executable, "-m", "tests.services.enduring", url, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        said = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    found = _LINE.findall("".join(said) + rest)
    return [(state, int(number)) for state, number in found]


def test_nothing_is_lost_or_done_twice_by_a_process_that_is_killed(database_url: str) -> None:
    chance = random.Random(20261123)
    reached: dict[int, int] = {}
    for _ in range(KILLS):
        first = max(reached, default=0)
        for state, number in until_killed(database_url, first, chance.randrange(14)):
            # A form that is sent again says so again.
            if state != "submitted" or number not in reached:
                place = _STATES.index(state)
                assert place == reached.get(number, -1) + 1 or state == "submitted", "done twice"
                reached[number] = place
        database = open_database(database_url)
        if is_postgresql(database_url):
            assert eventually(lambda database=database: is_alone(database))  # type: ignore[misc]
        found = kept(database)
        # What a process did may be a step further than what it came to say.
        for number, place in reached.items():
            assert found[number] in (place, place + 1)
        reached = found
        agree(database, found)
        database.dispose()
    assert len(reached) > KILLS / 2


def is_alone(database: Engine) -> bool:
    """Tell whether a server has finished what the killed process still asked of it."""
    others = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with reading(database) as connection:
        return connection.execute(text(others)).scalar() == 0


def kept(database: Engine) -> dict[int, int]:
    table = schema.requests
    with reading(database) as connection:
        rows = connection.execute(select(table.c.submission, table.c.state))
        return {int(name.removeprefix("form-")): _STATES.index(state) for name, state in rows}


def agree(database: Engine, found: dict[int, int]) -> None:
    """See that history, grants, mail and audit are those of the requests' states."""
    steps = sum(place + 1 for place in found.values())
    granted = sum(place >= 2 for place in found.values())
    closed = sum(place == 3 for place in found.values())
    # One each, but two when it is approved: to who asked and to who reviewed.
    mails = steps + granted
    with reading(database) as connection:
        for table, want in (
            (schema.request_history, steps),
            (schema.grants, granted),
            (schema.outbox, mails),
        ):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == want
        versions = select(schema.versions.c.version).where(schema.versions.c.name == "overlay")
        assert connection.execute(versions).scalar() == granted + closed
        ended = select(func.count()).where(schema.grants.c.revoked_at.is_not(None))
        assert connection.execute(ended).scalar() == closed
    trail = AuditTrail(database).verify()
    assert (trail.entries, trail.fault) == (steps, None)


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    with fresh(tmp_path / "schoolgate.db") as url:
        yield url
