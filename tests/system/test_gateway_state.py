"""A gateway whose school is on a server reports there, loses nothing while it is away, and reports again."""

from pathlib import Path

import psycopg
import pytest

from schoolgate.storage.schools import add_school
from schoolgate.storage.trust_gateways import read_trust
from tests import gateway
from tests.databases import on_server
from tests.gateway import eventually
from tests.system import postgres

pytestmark = pytest.mark.long


def test_its_centre_hears_of_it_again_when_the_server_is_back(tmp_path: Path) -> None:
    with postgres.running() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        owner = on_server(server, "trust")
        config = gateway.write_config(
            tmp_path,
            database=add_school(owner, "hill").url,
            trust={"school": "hill", "gateway": "gw1"},
        )
        with gateway.running(config) as gate:
            assert eventually(lambda: bool(read_trust(owner).reports))
            [first] = read_trust(owner).reports
            assert (first.state.school, first.state.gateway) == ("hill", "gw1")
            with postgres.away(server, "stopped"):
                assert eventually(lambda: any("is not reported" in line for line in gate.lines))
                assert gate.get("health").status_code == 200
                with gate.client() as client:
                    assert gateway.clause(client, "http://www.bet365.com/") == "W-6.3.1-gambling"
            assert eventually(lambda: read_trust(owner).reports[0].at > first.at)
            assert len(read_trust(owner).reports) == 1
