"""The small school's portal within this process, over one database; each test begins with nobody."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event

from schoolgate import bootstrap
from schoolgate.bootstrap import at_rest
from schoolgate.core.approvals import Role
from schoolgate.core.clients import Client
from schoolgate.core.people import People
from schoolgate.identity import Answer, SignIns
from schoolgate.portal.application import open_accounts
from schoolgate.portal.house import House, Keeping
from schoolgate.services.approvals import Approvals
from schoolgate.services.incidents import Incidents
from schoolgate.services.kept_requests import KeptRequests
from schoolgate.services.probing import Examination
from schoolgate.services.tickets import Tickets
from schoolgate.settings import load_settings
from schoolgate.storage import (
    ApprovalStore,
    AuditTrail,
    BindingTable,
    DecisionStore,
    Digests,
    IncidentStore,
    Outbox,
    StreamAccounts,
    open_database,
    schema,
)
from tests.portal.asking import PASSWORD, Asking
from tests.school import NOON, write_school

# A provider that is never there; tests of providers bring their own.
NOBODY = {
    "id": "x", "name": "Nobody", "issuer": "https://127.0.0.1:1", "client_id": "portal",
    "client_secret": "x", "domains": ["hill.example"],
}  # fmt: skip
MACS: dict[str, str] = {}
# The disk is not waited for: no test here asks what outlives the power.
_UNSYNCED = "PRAGMA synchronous = OFF"
TICKETS = Tickets(b"t" * 32)
# Whether the store answers, as the portal sees it.
NEAR = [True]
_OF_REQUESTS = (
    schema.site_blocks, schema.site_reports, schema.accidents, schema.grants,
    schema.request_history, schema.requests, schema.delegations, schema.outbox,
    schema.suspensions, schema.signatures,
    schema.request_history, schema.requests, schema.delegations, schema.digest_lines,
    schema.stream_accounts,
    schema.digest_readers, schema.outbox, schema.alerts, schema.incident_notes, schema.incidents,
)  # fmt: skip


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Engine]]:
    school = write_school(tmp_path_factory.mktemp("portal") / "school")
    school.write_config(portal={"enabled": False, "listen": "127.0.0.1:0", "oidc": [NOBODY]})
    settings = load_settings(school.config, {})
    engine = bootstrap.load_engine(settings)
    opened = open_database(settings.database_url)
    event.listen(opened, "connect", _in_haste)
    opened.dispose()
    house = House(
        settings=settings,
        engine=lambda: engine,
        now=_noon,
        mac_at=_mac_at,
        sign_ins=SignIns(BindingTable(opened), 8 * 3600, NOON.timestamp),
        membership=_as_they_are,
        directory=_no_directory,
        domains=_domains,
        trail=AuditTrail(opened),
        approvals=Approvals(ApprovalStore(opened), lambda: engine),
        decisions=DecisionStore(opened),
        people=People,
        journal=lambda: (),
        tickets=lambda: TICKETS,
        keeping=Keeping(
            people_faults=tuple,
            outbox=Outbox(opened),
            examination=Examination({"files": lambda: at_rest(settings)}, 30.0),
        ),
        digests=Digests(opened),
        client_at=lambda address: Client(address, "pupils"),
        history=bootstrap.open_journal(settings),
        accounts=StreamAccounts(opened),
        incidents=Incidents(
            IncidentStore(opened), lambda: engine, lambda account: account.partition("@")[0]
        ),
        evidence=lambda since, until: bootstrap.facts_of(
            settings, engine, opened, since, until, held=lambda: {Role.HEADTEACHER: 1}
        ),
        kept=KeptRequests(settings.state_dir / "kept-requests"),
        is_store_near=lambda: NEAR[0],
    )
    from django.db import connections
    from django.db.backends.signals import connection_created

    connection_created.connect(_in_haste_too)
    open_accounts(settings, house)
    yield house, opened
    connections.close_all()
    opened.dispose()


@pytest.fixture
def here(database: tuple[House, Engine]) -> Iterator[House]:
    """What the pages work with, with nobody in it."""
    from allauth.mfa.models import Authenticator
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session
    from django.core.cache import cache

    from schoolgate.portal.accounts.models import Person

    house, opened = database
    yield house
    for model in (Authenticator, UserSession, Session, Person):
        model.objects.all().delete()
    with opened.begin() as connection:
        connection.execute(delete(schema.bindings))
        for table in _OF_REQUESTS:
            connection.execute(delete(table))
    MACS.clear()
    NEAR[0] = True
    cache.clear()


@pytest.fixture
def somebody(here: House) -> Callable[..., Any]:
    """Make an account."""
    from schoolgate.portal.accounts.models import Person

    def make(*roles: Role, email: str = "somebody@hill.example") -> Any:
        return Person.objects.create(
            email=email,
            name="Sam Body",
            roles=sorted(role.value for role in roles),
            password=_kept_password(),
        )

    return make


@pytest.fixture
def asking(here: House) -> type[Asking]:
    """A browser, made by calling it."""
    return Asking


def _in_haste(connection: Any, _record: object) -> None:
    connection.execute(_UNSYNCED)


def _in_haste_too(connection: Any, **_: object) -> None:
    connection.cursor().execute(_UNSYNCED)


def _as_they_are(answer: Answer) -> Answer:
    return answer


@cache
def _kept_password() -> str:
    """Give the hash of the tests' password, which takes its time once."""
    from django.contrib.auth.hashers import make_password

    return str(make_password(PASSWORD))


def _noon() -> datetime:
    return NOON


def _mac_at(address: str) -> str:
    return MACS.get(address, "")


def _no_directory() -> None:
    return None


def _domains() -> tuple[str, ...]:
    return ("hill.example",)
