"""`schoolgate trust portal admit` lets the portal into schools, and keeps the passwords to itself."""

from pathlib import Path

import psycopg
import pytest

from schoolgate.storage.school_logins import admitted_schools, school_url
from schoolgate.storage.schools import add_school
from tests.databases import on_server
from tests.gateway import schoolgate
from tests.school import write_school
from tests.system import postgres

pytestmark = pytest.mark.long


def test_it_keeps_one_password_for_each_school_in_a_private_file(tmp_path: Path) -> None:
    """The server asks for the password here; the second time each school has another one."""
    config = str(write_school(tmp_path / "centre").config)
    file = tmp_path / "centre" / "state" / "trust" / "schools.pgpass"
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        owner = on_server(server, "trust")
        for name in ("elm", "oak", "oak-hill"):
            add_school(owner, name)
        command = ("trust", "portal", "admit", "--database", owner, "--config", config)
        assert schoolgate(*command, "elm", "oak", "oak-hill").returncode == 0
        first = file.read_text()
        done = schoolgate(*command, "oak")
        assert done.returncode == 0, done.stderr
        second = file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        before, after = set(first.splitlines()), set(second.splitlines())
        assert (len(before), len(after), len(before & after)) == (3, 3, 2)
        assert admitted_schools(owner) == ["elm", "oak", "oak-hill"]
        assert not any(line.rpartition(":")[2] in done.stdout for line in after)
        _ask_for_passwords(owner)
        url = school_url(owner, "oak", str(file)).render_as_string(hide_password=False)
        psycopg.connect(url).close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(school_url(owner, "oak").render_as_string(hide_password=False)).close()
    assert schoolgate(*command, "oak").returncode == 3


def _ask_for_passwords(owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        [place] = connection.execute("SHOW hba_file").fetchone() or ()
        rules = Path(place)
        rules.write_text('local all "oak.portal" scram-sha-256\n' + rules.read_text())
        connection.execute("SELECT pg_reload_conf()")
