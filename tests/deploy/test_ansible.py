"""The roles of deploy/trust/ansible, run from one Debian 13 against itself and another one, in this order."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.machine import Machine
from tests.deploy.trust import CENTRE, GATEWAY, Trust, trust
from tests.gateway import eventually

BLOCKED = "http://www.bet365.com/"
AT_CENTRE = (
    "postgresql.service", "nats-server.service", "schoolgate-trust.service",
    "schoolgate-trust-consume.service", "schoolgate-trust-refresh.timer",
    "schoolgate-trust-backup.timer", "schoolgate-trust-dump.timer",
)  # fmt: skip
AT_GATEWAY = (
    "nats-server.service", "schoolgate-proxy.service", "schoolgate-portal.service",
    "schoolgate-jobs.service", "schoolgate-lists.timer", "keepalived.service",
)  # fmt: skip
# Of a token, or a password that one of them has made.
SECRETS = re.compile(r"--token \S+|_PASSWORD=[0-9a-f]+")


@pytest.fixture(scope="module")
def machines(
    tree: Path, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trust]:
    """A centre and a gateway that have nothing of schoolgate yet."""
    with trust(tree, package, tmp_path_factory.mktemp("trust")) as machines:
        yield machines


def as_schoolgate(machine: Machine, *command: str) -> str:
    """Run schoolgate's command as its user."""
    passwords = "PGPASSFILE=/etc/schoolgate/database.pgpass"
    return machine.run(
        "runuser", "-u", "schoolgate", "--", "env", passwords, "schoolgate", *command
    )


def processes(trust: Trust) -> dict[str, int]:
    """Give the main process of each service at both."""
    here = {f"centre {unit}": trust.centre.main_process(unit) for unit in AT_CENTRE[1:4]}
    return here | {f"gateway {u}": trust.gateway.main_process(u) for u in AT_GATEWAY[:4]}


def test_ansible_reads_the_roles(machines: Trust) -> None:
    machines.ansible(
        "ansible-playbook", "-i", "inventory.example.yml", "--syntax-check", "playbook.yml"
    )
    machines.centre.run(
        "apt-get", "install", "-qq", "--yes", "--no-install-recommends", "ansible-lint"
    )
    machines.ansible("ansible-lint", "--offline", "--profile", "production", "playbook.yml")


def test_one_run_makes_a_centre_and_a_gateway_of_it(machines: Trust) -> None:
    said, changed = machines.play("-vv")
    assert min(changed[CENTRE], changed[GATEWAY]) > 10
    for machine, units in ((machines.centre, AT_CENTRE), (machines.gateway, AT_GATEWAY)):
        for unit in units:
            assert machine.state_of(unit, "ActiveState", "UnitFileState") == {
                "ActiveState": "active",
                "UnitFileState": "enabled",
            }, unit
    # It serves many, and filters nobody.
    assert machines.centre.workers() == []
    assert "hermitage" in as_schoolgate(machines.centre, "trust", "gateway", "list")
    passwords = {
        machine.path(name).read_text().strip().rpartition(":")[2]
        for machine, name in (
            (machines.centre, "/etc/nats/centre.user"),
            (machines.centre, "/etc/postgresql/schools/hermitage.pgpass"),
            (machines.gateway, "/etc/nats/leaf.user"),
        )
    }
    assert len(passwords) == 3
    assert not [each for each in passwords if each in said]
    assert SECRETS.search(said) is None


def test_the_gateway_has_its_state_at_the_centre(machines: Trust) -> None:
    said = as_schoolgate(
        machines.gateway, "grants", "add", "bbc.co.uk", "--until", "2h", "--decided-by", "headteacher",
        "--reason", "kept at the centre",
    )  # fmt: skip
    assert "bbc.co.uk" in said
    rows = machines.centre.run(
        "runuser", "-u", "postgres", "--", "psql", "-XAtd", "trust", "-c",
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'hermitage'",
    )  # fmt: skip
    assert set(rows.split()) == {"t"}


def test_a_bundle_that_the_centre_lets_out_is_fetched(machines: Trust) -> None:
    for command in (("make", "vanguard"), ("stage", "1"), ("release", "1")):
        as_schoolgate(machines.centre, "trust", "bundle", *command)
    assert "is in force" in as_schoolgate(machines.gateway, "bundle", "fetch")


def test_what_the_gateway_refuses_is_in_the_tables_of_the_centre(machines: Trust) -> None:
    def is_refused() -> bool:
        code = ("--output", "/dev/null", "--write-out", "%{http_code}")
        return machines.gateway.curl(*code, "--proxy", "http://127.0.0.1:8080", BLOCKED) == "403"

    assert eventually(is_refused)
    tables = machines.centre.path("/var/lib/schoolgate-events/school=hermitage")
    assert eventually(lambda: list(tables.rglob("*.parquet")) != [])


def test_one_of_a_pair_has_the_shared_address(machines: Trust) -> None:
    assert eventually(
        lambda: (
            "10.20.0.1/16" in machines.gateway.run("ip", "-br", "address", "show", "dev", "school")
        )
    )


def test_the_back_ups_are_made(machines: Trust) -> None:
    for name, files in (("backup", "backups/centre-*.tar.gz"), ("dump", "dumps/database-*.dump")):
        machines.centre.run("systemctl", "start", f"schoolgate-trust-{name}.service")
        [file] = machines.centre.path("/var/lib").glob(f"schoolgate-{files}")
        assert file.stat().st_size > 1000
        assert file.stat().st_mode & 0o077 == 0
    # The dump is of the same user as the server, whose memory must outlive it.
    machines.centre.run("runuser", "-u", "postgres", "--", "psql", "-XAtc", "SELECT 1")


def test_a_second_run_changes_nothing(machines: Trust) -> None:
    before = processes(machines)
    assert machines.play()[1] == {CENTRE: 0, GATEWAY: 0}
    assert processes(machines) == before


def test_only_what_was_changed_is_restarted(machines: Trust) -> None:
    before = processes(machines)
    settings = {"proxy": {"workers": 1}}
    for way in (("--check",), ()):
        # The settings, and the handler that restarts.
        only = ("--limit", "schoolgate_gateways", *way)
        assert machines.play(*only, settings=settings)[1] == {GATEWAY: 2}
        assert (processes(machines) == before) is (way != ())
    after = processes(machines)
    assert {name for name in before if after[name] != before[name]} == {
        f"gateway schoolgate-{name}.service" for name in ("proxy", "portal", "jobs")
    }


def test_settings_with_a_fault_are_not_put_in_place(machines: Trust) -> None:
    place = machines.gateway.path("/etc/schoolgate/schoolgate.yaml")
    before = place.read_text()
    with pytest.raises(AssertionError, match="failed to validate"):
        machines.play("--limit", "schoolgate_gateways", settings={"proxy": {"no-such-key": 1}})
    assert place.read_text() == before
