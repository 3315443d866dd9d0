"""The same contracts on a PostgreSQL server: stores, workflow, watch, and processes that are killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from queue import Queue

import httpx
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from schoolgate.core.approvals import Overlay, Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import UnavailableError
from schoolgate.portal.configuration import STYLE_SHEET
from schoolgate.storage import DecisionStore, OverlayWatch, open_database, schema
from schoolgate.storage.connections import reading
from tests import gateway
from tests.databases import TEMPLATE, on_server
from tests.gateway import PATIENCE_SECONDS, ROOT, eventually
from tests.origin import Origin
from tests.storage.days import at
from tests.system import postgres
from tests.system.conftest import program

pytestmark = pytest.mark.long

CONTRACTS = [
    "tests/storage/test_decisions.py",
    "tests/storage/test_overlays.py",
    "tests/storage/test_audit.py",
    "tests/storage/test_digests.py",
    "tests/storage/test_persons.py",
    "tests/storage/test_stream_accounts.py",
    "tests/services/test_approvals.py",
    "tests/services/test_approval_refusals.py",
    "tests/services/test_site_reports.py",
    "tests/services/test_actors_at_once.py",
    "tests/services/test_digesting.py",
    "tests/services/test_mailing.py",
    "tests/services/test_reminding.py",
    "tests/services/test_request_rules.py",
    "tests/cli/test_erasure.py",
    "tests/system/test_jobs.py",
    "tests/system/test_killed.py",
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.running() as url:
        yield url


@pytest.mark.timeout(1800)
def test_the_contracts_of_the_stores_hold_on_a_server(server: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "", *CONTRACTS]
    environment = {**os.environ, "SCHOOLGATE_TEST_DATABASE": server}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-5000:]
    assert " passed" in ended.stdout


def test_the_migrated_schema_is_that_of_the_code(server: str) -> None:
    engine = open_database(on_server(server, TEMPLATE))
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_a_watch_hears_of_a_commit_and_outlives_a_restart_of_the_server(server: str) -> None:
    url = on_server(server, TEMPLATE)
    engine = open_database(url)
    store = DecisionStore(engine)
    overlays: Queue[Overlay] = Queue()
    failures: Queue[Exception] = Queue()
    watch = OverlayWatch(url, overlays.put, lambda: at(9), failures.put)
    watch.start()
    try:
        assert overlays.get(timeout=PATIENCE_SECONDS).grants == ()
        opened(store, "one.example")
        assert [g.entry.host for g in overlays.get(timeout=PATIENCE_SECONDS).grants] == [
            "one.example"
        ]
        postgres.restart(server)
        assert isinstance(failures.get(timeout=PATIENCE_SECONDS), UnavailableError)
        opened(store, "two.example")
        while "two.example" not in [
            g.entry.host for g in overlays.get(timeout=PATIENCE_SECONDS).grants
        ]:
            pass
    finally:
        watch.stop()
        engine.dispose()


def opened(store: DecisionStore, host: str) -> None:
    entry = ListEntry.parse(host, "grant", "grant")
    everyone = Subject.parse("everyone")
    store.add_grant(
        entry, everyone, at(9), at(15), Role.SLT, reason="x", actor="account:a", now=at(9)
    )


def test_a_gateway_keeps_its_decisions_on_a_server(
    server: str, site: Origin, tmp_path: Path
) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE gateway")
    config = gateway.write_config(
        tmp_path, proxy=gateway.to_origin(site), database=on_server(server, "gateway")
    )
    url = f"https://www.ebay.co.uk:{site.https_port}/"
    with gateway.running(config) as own, own.client() as client:
        assert client.get(url).status_code == 403
        added = own.run(
            "grants", "add", "ebay.co.uk", "--until", "1h", "--decided-by", "headteacher",
            "--reason", "pricing lesson",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        assert eventually(lambda: status(client, url) == 200)
        assert "audit trail: 1 entries" in own.run("doctor").stdout
    assert not (tmp_path / "state" / "schoolgate.db").exists()


def status(client: httpx.Client, url: str) -> int | None:
    try:
        return client.get(url).status_code
    except (httpx.RemoteProtocolError, httpx.NetworkError):
        return None


def test_a_server_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    url = f"postgresql://schoolgate:secret@/schoolgate?host={tmp_path}"
    with pytest.raises(UnavailableError) as failure:
        open_database(url)
    assert "check the setting `database`, and that the server runs" in str(failure.value)
    assert "secret" not in str(failure.value)
    with closing(Stopped(url)) as watch:
        assert "cannot be used" in str(watch.failures.get(timeout=PATIENCE_SECONDS))


class Stopped:
    """A watch on a server that does not run."""

    def __init__(self, url: str) -> None:
        self.failures: Queue[Exception] = Queue()
        self._watch = OverlayWatch(url, lambda _: None, lambda: at(9), self.failures.put)
        self._watch.start()

    def close(self) -> None:
        self._watch.stop()


@pytest.mark.skipif(
    not STYLE_SHEET.exists(), reason="the portal's style sheet was not made (make setup)"
)
def test_the_portal_keeps_its_accounts_on_a_server(server: str, tmp_path: Path) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE portal")
    config = gateway.write_config(
        tmp_path,
        database=on_server(server, "portal"),
        portal={"enabled": True, "listen": "127.0.0.1:0"},
    )
    with gateway.running(config) as own, own.client() as client:
        assert eventually(lambda: own.get("health").text == "ok\n")
        assert client.get("https://schoolgate.internal/account/sign-in/").status_code == 200
        added = own.run(
            "people", "add", "ann@school.example", "--name", "Ann", "--role", "technician"
        )
        assert added.returncode == 0, added.stderr
        assert "ann@school.example" in own.run("people", "list").stdout


def test_a_backup_of_a_server_is_restored_with_what_lies_beside_it(
    server: str, tmp_path: Path
) -> None:
    program("pg_dump")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE saved")
    config = gateway.write_config(tmp_path, database=on_server(server, "saved"))
    place, file = ("--config", str(config)), str(tmp_path / "saved.tar.gz")
    add = ("grants", "add", "--until", "1h", "--decided-by", "slt", "--reason", "x", *place)
    assert gateway.schoolgate(*add, "one.example").returncode == 0
    made = gateway.schoolgate("backup", file, *place)
    assert made.returncode == 0, made.stderr
    assert gateway.schoolgate(*add, "two.example").returncode == 0
    assert "two.example" in gateway.schoolgate("grants", "list", *place).stdout
    restored = gateway.schoolgate("restore", file, *place)
    assert restored.returncode == 0, restored.stderr
    listed = gateway.schoolgate("grants", "list", *place).stdout
    assert "one.example" in listed
    assert "two.example" not in listed
    [kept] = (tmp_path / "state").glob("before-restore-*/postgresql.dump")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "audit trail: 1 entries" in gateway.schoolgate("doctor", *place).stdout
