"""A real gateway whose PostgreSQL server goes away: it filters on, and requests are kept and sent once."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import psycopg
import pytest

from schoolgate import bootstrap
from schoolgate.core.approvals import Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.portal.configuration import STYLE_SHEET
from schoolgate.storage import DecisionStore, open_database
from schoolgate.storage.schools import add_school
from tests import gateway
from tests.databases import on_server
from tests.gateway import Gateway, eventually
from tests.origin import Origin
from tests.portal.people import HOME, TROUBLE, Browser, filled_in, make_accounts
from tests.system import postgres
from tests.system.test_killed_flow import children

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not STYLE_SHEET.exists(), reason="the portal's style sheet was not made (make setup)"
    ),
]
TEACHER = "teacher@school.example"
OPEN_SECONDS = 20
NO_ANSWER: tuple[type[Exception], ...] = (*TROUBLE, httpx.TimeoutException)


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway with its portal on a server of its own, and a teacher who has signed in."""

    gateway: Gateway
    server: str
    database: str
    site: Origin
    teacher: Browser


@pytest.fixture(scope="module")
def stage(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        url = add_school(on_server(server, "trust"), "hermitage").url
        config = gateway.write_config(
            tmp_path_factory.mktemp("gateway"),
            proxy={**gateway.to_origin(site), "workers": 2},
            database=url,
            portal={"enabled": True, "listen": "127.0.0.1:0"},
        )
        with gateway.running(config) as running:
            assert eventually(lambda: running.get("health").text == "ok\n")
            make_accounts(config, {TEACHER: ("Tom Teacher", "teacher")})
            teacher = Browser(running, TEACHER, "127.0.6.2")
            assert eventually(lambda: teacher.sign_in().status_code == 302)
            yield Stage(running, server, url, site, teacher)
            teacher.close()


def status(client: httpx.Client, url: str) -> int:
    try:
        return client.get(url).status_code
    except (httpx.RemoteProtocolError, httpx.NetworkError):
        return 0


def opened_for_a_while(stage: Stage, host: str, seconds: int = OPEN_SECONDS) -> None:
    engine, now = open_database(stage.database), bootstrap.now()
    entry, everyone = ListEntry.parse(host, "grant", "grant"), Subject.parse("everyone")
    DecisionStore(engine).add_grant(
        entry, everyone, now, now + timedelta(seconds=seconds), Role.HEADTEACHER,
        reason="x", actor="account:a", now=now,
    )  # fmt: skip
    engine.dispose()


@pytest.mark.parametrize("how", ["frozen", "stopped"])
def test_without_its_server_it_filters_on_and_a_grant_ends_on_time(stage: Stage, how: str) -> None:
    """All of it while the server is away: the open site, the blocked one, and the end of the grant."""
    port = stage.site.https_port
    shop, other = f"https://www.ebay.co.uk:{port}/", f"https://www.bet365.com:{port}/"
    with stage.gateway.client() as client:
        opened_for_a_while(stage, "ebay.co.uk")
        assert eventually(lambda: status(client, shop) == 200)
        with postgres.away(stage.server, how):
            assert (status(client, shop), status(client, other)) == (200, 403)
            assert eventually(lambda: status(client, shop) == 403)
            assert status(client, other) == 403
        opened_for_a_while(stage, "ebay.co.uk")
        assert eventually(lambda: status(client, shop) == 200)
        assert eventually(lambda: status(client, shop) == 403)


def test_a_worker_that_is_killed_meanwhile_is_replaced_with_what_was_last_in_force(
    stage: Stage,
) -> None:
    port = stage.site.https_port
    shop, other = f"https://www.ebay.co.uk:{port}/", f"https://www.bet365.com:{port}/"
    addresses = ["127.0.6.4", "127.0.6.5"]
    opened_for_a_while(stage, "ebay.co.uk", 10 * OPEN_SECONDS)
    assert all(eventually(lambda a=a: seen(stage, a, shop) == 200) for a in addresses)  # type: ignore[misc]
    with postgres.away(stage.server, "stopped"):
        before = set(stage.gateway.processes("worker"))
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        for address in addresses:
            assert eventually(lambda a=address: seen(stage, a, shop) == 200)  # type: ignore[misc]
            assert seen(stage, address, other) == 403
        assert not before & set(stage.gateway.processes("worker"))
    with psycopg.connect(stage.database) as connection:
        connection.execute("UPDATE grants SET revoked_at = starts")
        connection.execute("UPDATE versions SET version = version + 1 WHERE name = 'overlay'")
    for address in addresses:
        assert eventually(lambda a=address: seen(stage, a, shop) == 403)  # type: ignore[misc]


def seen(stage: Stage, address: str, url: str) -> int:
    with stage.gateway.client(address=address) as client:
        try:
            return client.get(url, timeout=5.0).status_code
        except NO_ANSWER:
            return 0


@pytest.mark.parametrize("how", ["frozen", "stopped"])
def test_a_request_made_meanwhile_is_kept_over_a_kill_and_made_once(stage: Stage, how: str) -> None:
    reason = f"Maths while it was {how}."
    form = stage.teacher.form("/ask/")
    typed = {
        "url": f"https://www.ebay.co.uk:{stage.site.https_port}/lesson", "site_content": "Prices.",
        "reasons": reason, "risks_and_controls": "Adverts; I watch.", "extent": "page",
        "subject": "everyone", "minimum_age": "0", "parents_informed": "on",
    }  # fmt: skip

    def page() -> str:
        answer = stage.teacher.get("/ask/")
        return answer.text if answer.status_code == 200 else ""

    with postgres.away(stage.server, how):
        # Once the portal has noticed: until then a page may wait for what does not answer.
        assert eventually(lambda: _is_away(stage))
        assert "is kept on this gateway" in page()
        for _ in range(2):
            answer = stage.teacher.send("/ask/", {**filled_in(page()), **form}, **typed)
            assert answer.status_code == 202, answer.text
        kept = list((stage.gateway.config.parent / "state" / "kept-requests").glob("*.json"))
        assert len(kept) == 1
        for process in children(stage.gateway.processes("portal")):
            os.kill(process, signal.SIGKILL)
    assert eventually(lambda: not kept[0].exists())
    assert _made(stage, reason) == 1


def _is_away(stage: Stage) -> bool:
    with stage.gateway.client(address="127.0.6.3") as client:
        client.cookies.set("schoolgate", "x" * 32)
        try:
            return client.get(f"{HOME}/requests/", timeout=2.0).status_code == 503
        except NO_ANSWER:
            return False


def _made(stage: Stage, reason: str) -> int:
    with psycopg.connect(stage.database) as connection:
        found = connection.execute(
            "SELECT count(*) FROM requests WHERE content::text LIKE %s", [f"%{reason}%"]
        ).fetchone()
    assert found is not None
    return int(found[0])
