"""A program that trusts only its own certificate: counted, proposed, accepted, and carried unread."""

import ssl
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.core.pinning import Failure
from schoolgate.settings import load_settings
from schoolgate.storage import PinningTable, open_database
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.origin import Origin
from tests.proxy.test_gate import BLOCKED, READ, ask_for_tunnel, dial, get, issuer, tls


def asked_by_a_program(gate: Gateway, site: Origin, host: str, address: str) -> str:
    """Connect as a program does that trusts the site's own authority alone; give who signed."""
    with dial(gate, address) as connection:
        assert ask_for_tunnel(connection, host, site.https_port) == 200
        try:
            with tls(connection, host, site.ca_file) as encrypted:
                return issuer(encrypted)
        except ssl.SSLCertVerificationError:
            return ""


@pytest.mark.long
def test_what_fails_is_proposed_and_one_command_carries_it_unread(
    own_config: Path, site: Origin
) -> None:
    with gateway.running(own_config) as gate, ExitStack() as ended:
        database = open_database(load_settings(own_config, {}).database_url)
        ended.callback(database.dispose)
        store = PinningTable(database)
        # A device that trusts nothing of the gateway's says nothing of a site.
        assert asked_by_a_program(gate, site, READ, "127.0.0.5") == ""
        with dial(gate, "127.0.0.6") as connection:
            assert ask_for_tunnel(connection, READ, site.https_port) == 200
            with tls(connection, READ, gate.ca_file) as encrypted:
                assert get(encrypted, READ, "/bytes/1")[0] == 200
        assert asked_by_a_program(gate, site, READ, "127.0.0.6") == ""
        assert asked_by_a_program(gate, site, BLOCKED, "127.0.0.6") == ""
        assert eventually(lambda: len(store.evidence()) == 1)
        (seen,) = store.evidence()
        assert (seen.host, seen.clients, seen.is_enough) == (READ, 1, False)
        assert "not enough yet" in gate.run("pinning", "list").stdout

        # Another device, on another day.
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
        store.keep({Failure(READ, "", "another", yesterday): 1}, datetime.now(UTC).date())
        assert "proposed" in gate.run("pinning", "list").stdout
        for host in (BLOCKED, "never.example"):
            assert gate.run("pinning", "accept", host).returncode == 1
        done = gate.run("pinning", "accept", READ)
        assert done.returncode == 0, done.stderr
        assert eventually(
            lambda: asked_by_a_program(gate, site, READ, "127.0.0.6") == "schoolgate test origin CA"
        )
        # In force on all workers: each serves other addresses.
        assert eventually(
            lambda: (
                {asked_by_a_program(gate, site, READ, f"127.0.0.{n}") for n in range(10, 18)}
                == {"schoolgate test origin CA"}
            )
        )
        assert "accepted" in gate.run("pinning", "list").stdout
        assert f"={READ}  # " in (own_config.parent / "local" / "pass.txt").read_text()
        assert READ in gate.run("policy", "public").stdout.replace("\n", " ")


@pytest.mark.long
@pytest.mark.parametrize("host", [BLOCKED])
def test_a_blocked_site_stays_blocked_in_the_list_of_passed_ones(
    own_config: Path, site: Origin, host: str
) -> None:
    (own_config.parent / "local" / "pass.txt").write_text(f"{host}\n")
    with gateway.running(own_config) as gate, dial(gate) as connection:
        assert ask_for_tunnel(connection, host, site.https_port) == 200
        with tls(connection, host, gate.ca_file) as encrypted:
            assert get(encrypted, host)[0] == 403
    assert host not in site.hosts
