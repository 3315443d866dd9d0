"""A trust of three schools on a real PostgreSQL, and the portal at its centre over the tests' accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Engine

from schoolgate.bootstrap.trust_portal import trust_of
from schoolgate.core.approvals import Actor, Form, Role, Scope, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.portal.house import House
from schoolgate.services.approvals import Approvals
from schoolgate.settings.trust import TrustSettings
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore, open_database
from schoolgate.storage.school_logins import admit_portal
from schoolgate.storage.schools import add_school
from tests.databases import on_server
from tests.school import NOON, write_school
from tests.system import postgres

CENTRE, MINE, THEIRS, ELM = "centre", "hermitage", "st-mary", "elm"
SECRET = {MINE: "A secret of hermitage", THEIRS: "A secret of st-mary", ELM: "A secret of elm"}
HOST = {MINE: "games.example", THEIRS: "chess.example", ELM: "bet.example"}


@dataclass(frozen=True, slots=True)
class Scene:
    """The trust.

    Attributes:
        owner: URL of who owns the database.
        schools: engine of each school's own gateway.
        numbers: of a request that waits in each.
        house: what the portal at the centre works with.
        copies: the centre's copies of the schools' settings.
    """

    owner: str
    schools: dict[str, Engine]
    numbers: dict[str, int]
    house: House
    copies: Path


@contextmanager
def running(house: House, directory: Path) -> Iterator[Scene]:
    """Run the database, with a request in each school, as many as make their numbers differ."""
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        owner = on_server(server, "trust")
        urls = {name: add_school(owner, name).url for name in (CENTRE, MINE, THEIRS, ELM)}
        engines = {name: open_database(url) for name, url in urls.items()}
        centre = engines.pop(CENTRE)
        admit_portal(owner, list(engines))
        numbers = {}
        for ahead, (name, engine) in enumerate(engines.items()):
            write_school(directory / name)
            label = f"{house.engine().policy.version}+lists"
            DecisionStore(engine).record_version("policy", label)
            # Numbers that one school has and the one before has not.
            for _ in range(ahead + 1):
                numbers[name] = ask(house, engine, name)
        about = TrustSettings(portal=True, schools_dir=directory)
        settings = house.settings.model_copy(
            update={"database": urls[CENTRE], "trust": about, "state_dir": directory / "state"}
        )
        trust = trust_of(settings, centre, house.engine)
        assert trust is not None
        made = replace(house, trust=trust, trail=AuditTrail(centre))
        trust.overview.round()
        yield Scene(owner, engines, numbers, made, directory)
        for engine in (centre, *engines.values()):
            engine.dispose()


def ask(house: House, engine: Engine, school: str, at: datetime = NOON) -> int:
    """Ask for a site in a school's own portal; give the number of the request."""
    entry = ListEntry.parse(HOST[school], "request", "request")
    scope = Scope(entry, Subject.parse("group:pupils"), NOON, NOON + timedelta(days=14))
    form = Form("Ann", f"https://{HOST[school]}/", "Numbers.", SECRET[school], "I watch.", scope)
    asker = Actor("ann@hill.example", frozenset({Role.TEACHER}))
    service = Approvals(ApprovalStore(engine), house.engine)
    return service.submit(form, asker, at).id
