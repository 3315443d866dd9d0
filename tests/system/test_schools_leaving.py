"""A school leaves its trust with its data, on a real PostgreSQL server; the other school stays as it is."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from schoolgate.core.approvals import Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.enrolment.certificates import Named
from schoolgate.enrolment.ledger import Ledger
from schoolgate.monitoring.journal_gathered import Gathered
from schoolgate.monitoring.journal_gathered_leaving import rows_in
from schoolgate.storage import DecisionStore, open_database
from schoolgate.storage.school_logins import admitted_schools
from schoolgate.storage.schools import add_school
from schoolgate.storage.schools_leaving import school_in
from tests import gateway
from tests.databases import on_server
from tests.gateway import ROOT
from tests.monitoring.test_journal_gathered import rows, shipment
from tests.storage.days import at
from tests.system import postgres
from tests.system.test_moving import contents

pytestmark = pytest.mark.long

STAYS = "st-mary"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
# Ends the command without a word in the moment in which it would call a function.
KILLED = """
import os, signal, sys
from schoolgate.bootstrap import leaving
from schoolgate.cli.app import main
setattr(leaving, sys.argv.pop(1), lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
main()
"""


@dataclass(frozen=True, slots=True)
class Centre:
    """The centre of a trust.

    Attributes:
        owner: URL of who owns the database and has made its schools; no superuser.
        config: of the centre's settings.
        events: directory of its tables of events.
        ledger: of enrolment.
    """

    owner: str
    config: Path
    events: Path
    ledger: Ledger

    def add(self, name: str) -> str:
        """Make a school with a grant, a token and tables of events; give the URL of its role."""
        url = add_school(self.owner, name).url
        open_site(url, "chess.example")
        self.ledger.new_token(Named(name, "gw1"), NOON)
        gathered = Gathered(self.events)
        gathered.add(name, "gw1", shipment(0, 6), NOON)
        gathered.write()
        gathered.close()
        return url

    def leave(self, name: str, to: Path, *more: str, stdin: str = "") -> "Ended":
        """Run the command."""
        return gateway.schoolgate(*self.command(name, to, *more), stdin=stdin)

    def command(self, name: str, to: Path, *more: str) -> list[str]:
        """Give the command's words."""
        return [
            "trust", "school", "leave", name, "--database", self.owner, "--to", str(to),
            "--events", str(self.events), "--config", str(self.config), *more,
        ]  # fmt: skip


type Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    directory = tmp_path_factory.mktemp("centre")
    config = gateway.write_config(directory)
    open_database(f"sqlite:///{directory / 'state' / 'schoolgate.db'}").dispose()
    ledger = Ledger(directory / "state" / "trust" / "enrolment.db")
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE ROLE centre LOGIN CREATEROLE")
            connection.execute("CREATE DATABASE trust OWNER centre")
        owner = on_server(server, "trust").replace("postgres@", "centre@")
        found = Centre(owner, config, directory / "events", ledger)
        found.add(STAYS)
        yield found


def open_site(url: str, host: str) -> None:
    engine = open_database(url)
    DecisionStore(engine).add_grant(
        ListEntry.parse(host, "grant", "grant"), Subject.parse("everyone"), at(9), at(15), Role.SLT,
        reason="x", actor="account:a", now=at(9),
    )  # fmt: skip
    engine.dispose()


def test_a_school_leaves_and_goes_on_alone_and_the_other_stays_as_it_is(
    centre: Centre, tmp_path: Path
) -> None:
    url, to = centre.add("hermitage"), tmp_path / "out" / "hermitage"
    for directory in ("role", "alone"):
        (tmp_path / directory).mkdir()
    role = gateway.write_config(tmp_path / "role", database=url)
    added = gateway.schoolgate(
        "people", "add", "ann@school.example", "--name", "Ann", "--role", "technician",
        "--config", str(role),
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    other = url.replace("hermitage", STAYS)
    before, others = contents(url), contents(other)
    left = centre.leave("hermitage", to, "--remove", stdin="hermitage\n")
    assert left.returncode == 0, left.stderr
    assert "removed: 0 certificates, 1 open tokens, 2 tables of events" in left.stdout
    assert "trust sources" in left.stdout
    assert subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=to, check=False).returncode == 0
    file = f"sqlite:///{to / 'schoolgate.db'}"
    assert contents(file) == before
    assert sum(map(rows_in, to.rglob("*.parquet"))) == 6
    assert {each.stat().st_mode & 0o077 for each in (to, *to.rglob("*"))} == {0}
    # Once more there is nothing to do.
    again = centre.leave("hermitage", to, "--remove", "--yes")
    assert again.returncode == 0, again.stderr
    assert "removed: 0 certificates, 0 open tokens, 0 tables" in again.stdout
    # A gateway goes on with it.
    alone = gateway.write_config(tmp_path / "alone", database=file)
    for words, want in (
        (("people", "list"), "ann@school.example"),
        (("grants", "list", "--all"), "chess.example"),
    ):
        shown = gateway.schoolgate(*words, "--config", str(alone))
        assert want in shown.stdout, (words, shown)
    # Nothing of it is left at the centre, and nothing of the other has changed.
    assert school_in(centre.owner, "hermitage") is None
    assert {school for (school,) in rows(centre.events, "DISTINCT school")} == {STAYS}
    assert contents(other) == others
    listed = gateway.schoolgate("trust", "school", "list", "--database", centre.owner)
    assert [STAYS in listed.stdout, "hermitage" in listed.stdout] == [True, False]
    assert actions(centre)[-2:] == ["trust.school-exported", "trust.school-left"]
    again = centre.leave("hermitage", tmp_path / "again")
    assert (again.returncode, "no school hermitage" in again.stderr) == (1, True)


def actions(centre: Centre) -> list[str]:
    with closing(sqlite3.connect(centre.config.parent / "state" / "schoolgate.db")) as file:
        return [action for (action,) in file.execute("SELECT action FROM audit ORDER BY id")]


def test_without_remove_nothing_changes_and_a_directory_that_is_there_stays(
    centre: Centre, tmp_path: Path
) -> None:
    url, to = centre.add("copied"), tmp_path / "copied"
    before = contents(url)
    assert centre.leave("copied", to).returncode == 0
    assert contents(url) == before
    kept = {each: each.read_bytes() for each in to.rglob("*") if each.is_file()}
    refused = centre.leave("copied", to)
    assert (refused.returncode, "is there already" in refused.stderr) == (1, True)
    typed = centre.leave("copied", to, "--remove", stdin="other\n")
    assert (typed.returncode, "another name" in typed.stderr) == (1, True)
    anothers = centre.leave(STAYS, to, "--remove", "--yes")
    assert (anothers.returncode, "the export of copied" in anothers.stderr) == (1, True)
    # What was decided since is not in the export.
    open_site(url, "later.example")
    changed = centre.leave("copied", to, "--remove", "--yes")
    assert (changed.returncode, "has changed since" in changed.stderr) == (1, True)
    open_site(url, "open-again.example")
    assert {each: each.read_bytes() for each in to.rglob("*") if each.is_file()} == kept


def test_a_school_on_which_no_gateway_was_started_leaves_too(
    centre: Centre, tmp_path: Path
) -> None:
    add_school(centre.owner, "empty")
    left = centre.leave("empty", tmp_path / "empty", "--remove", "--yes")
    assert left.returncode == 0, left.stderr
    assert not (tmp_path / "empty" / "schoolgate.db").exists()
    assert school_in(centre.owner, "empty") is None


def test_the_trusts_portal_is_put_out_of_the_school_and_its_login_goes_too(
    centre: Centre, tmp_path: Path
) -> None:
    """Who still reads there is cut off before anything is compared, as they could write."""
    add_school(centre.owner, "shown")
    add_school(centre.owner, "stays")
    admit = ("trust", "portal", "admit", "shown", "stays", "--database", centre.owner)
    admitted = gateway.schoolgate(*admit, "--config", str(centre.config))
    assert admitted.returncode == 0, admitted.stderr
    passwords = centre.config.parent / "state" / "trust" / "schools.pgpass"
    assert len(passwords.read_text().splitlines()) == 2
    portal = psycopg.connect(centre.owner.replace("centre@", "shown.portal@"))
    left = centre.leave("shown", tmp_path / "shown", "--remove", "--yes")
    assert left.returncode == 0, left.stderr
    with pytest.raises(psycopg.OperationalError):
        portal.execute("SELECT 1")
    assert school_in(centre.owner, "shown") is None
    assert admitted_schools(centre.owner) == ["stays"]
    [password] = passwords.read_text().splitlines()
    assert ":stays.portal:" in password


@pytest.mark.parametrize("step", ["write_departure", "ledger_of", "drop_school", "Removed"])
def test_killed_at_any_step_nothing_is_lost_and_it_can_be_run_again(
    centre: Centre, tmp_path: Path, step: str
) -> None:
    name, to = f"killed-{step.lower().replace('_', '-')}", tmp_path / "out"
    url = centre.add(name)
    before = contents(url)
    command = centre.command(name, to, "--remove", "--yes")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, step, *command], cwd=ROOT, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed
    file = f"sqlite:///{to / 'schoolgate.db'}"
    found = school_in(centre.owner, name)
    # Whole in one place at least.
    assert to.exists() or found is not None
    again = centre.leave(name, to, "--remove", "--yes")
    assert again.returncode == 0, again.stderr
    assert ("not in the database any more" in again.stdout) == (found is None)
    assert contents(file) == before
    assert school_in(centre.owner, name) is None
    assert (name,) not in rows(centre.events, "DISTINCT school")
    assert list(tmp_path.glob(".*")) == []
