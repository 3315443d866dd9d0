"""What is decided on a request is in force in a running gateway, on open connections too; it ends on time."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from schoolgate import bootstrap
from schoolgate.core.approvals import (
    AccessRequest,
    Actor,
    Approve,
    Form,
    ReportState,
    Revoke,
    Role,
    Subject,
)
from schoolgate.core.people import People
from schoolgate.services.approvals import Approvals
from schoolgate.services.scopes import Extent, scope_of
from schoolgate.settings import load_settings
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.origin import Origin

pytestmark = pytest.mark.long

TEACHER = Actor("teacher", frozenset({Role.TEACHER}))
LEADER = Actor("leader", frozenset({Role.SLT}))
HEAD = Actor("head", frozenset({Role.HEADTEACHER}))
PAGE = "https://www.ebay.co.uk/lesson?x=1"
CLAUSE = "W-6.3.1-auctions"


@pytest.fixture(scope="module")
def own(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("requests")
    config = gateway.write_config(directory, proxy=gateway.to_origin(site))
    with gateway.running(config) as running:
        yield running


@pytest.fixture(scope="module")
def school(own: Gateway) -> Iterator["School"]:
    opened = School(own.config)
    yield opened
    opened.close()


class School:
    """The service over the gateway's own database, as a portal has it."""

    def __init__(self, config: Path) -> None:
        settings = load_settings(config)
        self.engine = bootstrap.load_engine(settings)
        self.approvals: Approvals = bootstrap.open_approvals(settings, lambda: self.engine)

    def close(self) -> None:
        """Close the database: what nobody closes fails whichever test runs when it is collected."""
        store: Any = self.approvals._store
        store._engine.dispose()

    def approved(self, extent: Extent, ends: datetime) -> AccessRequest:
        now = bootstrap.now()
        everyone = Subject.parse("everyone")
        scope = scope_of(self.engine, People(), PAGE, extent, everyone, now, ends=ends)
        form = Form("A. Teacher", PAGE, "Prices.", "Maths.", "Adverts; I watch.", scope)
        form = replace(form, minimum_age=0, parents_informed=True, pupils_meant=True)
        request = self.approvals.submit(form, TEACHER, now)
        sign = Approve("For the lesson.", "T. Head")
        return self.approvals.act(request.id, request.version, sign, HEAD, bootstrap.now())

    def revoke(self, request: AccessRequest) -> None:
        action = Revoke("The lesson is over.")
        self.approvals.act(request.id, request.version, action, LEADER, bootstrap.now())


def asked(client: httpx.Client, url: str) -> httpx.Response:
    """Ask again where the gateway closed the connection, as it does when its rules change."""
    while True:
        try:
            return client.get(url)
        except (httpx.RemoteProtocolError, httpx.NetworkError):
            continue


def test_an_approved_page_opens_on_a_connection_that_is_already_there(
    own: Gateway, school: School, site: Origin
) -> None:
    shop = f"https://www.ebay.co.uk:{site.https_port}"
    with own.client() as client:

        def status(path: str) -> int:
            return asked(client, shop + path).status_code

        assert status("/lesson?x=1") == 403
        request = school.approved(Extent.PAGE, bootstrap.now() + timedelta(hours=1))
        assert eventually(lambda: status("/lesson?x=1") == 200)
        assert status("/lesson?x=2") == status("/") == 403
        school.revoke(request)
        assert eventually(lambda: status("/lesson?x=1") == 403)


def test_a_grant_ends_at_its_time_and_nothing_has_to_happen_for_it(
    own: Gateway, school: School, site: Origin
) -> None:
    shop = f"https://www.ebay.co.uk:{site.https_port}/"
    with own.client() as client:
        # A machine may stand still for longer than a grant lasts: then one that lasts longer.
        for seconds in (8, 30, 90):
            ends = bootstrap.now() + timedelta(seconds=seconds)
            school.approved(Extent.DOMAIN, ends)
            seen = list(asked_until(client, shop, ends + timedelta(seconds=1)))
            statuses = [answer.status_code for _, _, answer in seen]
            if 200 in statuses:
                break
    for before, after, answer in seen[statuses.index(200) :]:
        if after < ends:
            assert answer.status_code == 200
        if before >= ends:
            assert answer.headers["X-Schoolgate-Clause"] == CLAUSE


def asked_until(
    client: httpx.Client, url: str, end: datetime
) -> Iterator[tuple[datetime, datetime, httpx.Response]]:
    """Give each answer with the times before and after it, the last one from after the end."""
    before = bootstrap.now()
    while before < end:
        before = bootstrap.now()
        answer = asked(client, url)
        yield before, bootstrap.now(), answer
        time.sleep(0.02)


def test_a_reported_site_is_closed_by_one_step(own: Gateway, school: School, site: Origin) -> None:
    url = f"https://www.bbc.co.uk:{site.https_port}/"
    with own.client() as client:
        assert asked(client, url).status_code == 200
        report = school.approvals.report_site(url, "Not what it was.", TEACHER, bootstrap.now())
        service, now = school.approvals, bootstrap.now()
        service.handle_report(report.id, ReportState.BLOCKED, "Looked at.", LEADER, now)
        assert eventually(lambda: asked(client, url).status_code == 403)
        service.unblock(1, "It was another.", LEADER, bootstrap.now())
        assert eventually(lambda: asked(client, url).status_code == 200)
