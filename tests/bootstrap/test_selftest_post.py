"""The self-test of a running gateway: well while it filters, a fault when it does not, nobody's figures."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import yaml

from schoolgate.bootstrap.selftest_post import Callings
from schoolgate.core import canaries
from schoolgate.services.selftest import Persona
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.leaking import COMMAND, LEAK
from tests.system import slapd

GAMBLING = f"http://{canaries.host_of('gambling')}/"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("tested")
    config = gateway.write_config(directory, selftest={"enabled": True, "every_seconds": 1})
    with gateway.running(config, COMMAND) as running:
        assert eventually((running.state / "selftest.json").exists)
        yield running


def results(gate: Gateway) -> dict[tuple[str, str], bool]:
    text = json.loads((gate.state / "selftest.json").read_text())
    return {(one["check"], one["group"]): one["ok"] for one in text["results"]}


@pytest.mark.long
def test_every_check_is_well_for_every_group(gate: Gateway) -> None:
    found = results(gate)
    assert {check for check, _ in found} == {
        "categories", "https", "block-page", "safe-search", "doh", "quic", "address", "grants",
    }  # fmt: skip
    assert {"pupils", "staff", "all"} <= {group for _, group in found}
    assert all(found.values())
    assert gate.metric(r'schoolgate_selftest_ok\{check="running",group="all"\}') == 1
    assert gate.metric("schoolgate_selftest_ok") == len(found) + 1
    assert "self-test: well for" in gate.run("doctor").stdout


@pytest.mark.long
def test_it_is_in_nobodys_figures_and_not_in_the_journal(gate: Gateway) -> None:
    """Its own requests make no sample at all: nobody else has asked for anything."""
    before = gate.metric("schoolgate_selftest_time_seconds")
    assert eventually(lambda: gate.metric("schoolgate_selftest_time_seconds") > before)
    counted = ("requests_total", "connections_total", "circumvention_total", "bytes_total")
    assert {name: gate.metric(rf"^schoolgate_{name}\{{") for name in counted} == dict.fromkeys(
        counted, 0
    )
    assert [line for line in gate.journal() if not line["event"].startswith("selftest.")] == []


@pytest.mark.long
def test_a_test_site_is_answered_by_the_gateway_and_by_nobody_else(gate: Gateway) -> None:
    with gate.client() as client:
        refused = client.get(GAMBLING)
        assert (refused.status_code, refused.headers["x-schoolgate-category"]) == (403, "gambling")
        picture = client.get(GAMBLING, headers={"Accept": "image/*"})
        assert (picture.status_code, picture.headers["content-type"]) == (403, "image/svg+xml")
        assert "Blocked" in picture.text
        for scheme in ("http", "https"):
            open_one = client.get(f"{scheme}://{canaries.OPEN}/")
            assert open_one.status_code == 200
            assert "Not blocked" in open_one.text
            assert "alt-svc" not in open_one.headers


@pytest.mark.long
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"X-Forwarded-For": "100::1"},
        {"Forwarded": 'for="[100::1]"'},
        {"X-Schoolgate-Client": "100::1"},
        {"Proxy-Authorization": "Basic c3RhZmY6"},
    ],
)
def test_nobody_becomes_somebody_by_what_they_say(gate: Gateway, fields: dict[str, str]) -> None:
    """A synthetic client is told what would have been sent; everybody else gets the picture."""
    with gate.client() as client:
        answer = client.get(f"http://{canaries.OPEN}/", headers=fields)
    assert answer.headers["content-type"] == "image/svg+xml"

    def clients() -> set[str]:
        return {one["client"] for one in gate.journal() if one.get("host") == canaries.OPEN}

    assert eventually(lambda: clients() == {"127.0.0.1"})


@pytest.mark.long
def test_when_filtering_stops_it_says_so_and_for_whom_until_it_is_back(gate: Gateway) -> None:
    leak = gate.config.parent / LEAK
    leak.touch()
    try:
        assert eventually(lambda: not results(gate)["categories", "pupils"])
        assert gate.metric(r'schoolgate_selftest_ok\{check="categories"') < 4
        doctor = gate.run("doctor")
        assert doctor.returncode == 1
        assert "self-test categories" in doctor.stdout
        with gate.client() as client:
            assert client.get(GAMBLING).status_code == 200
    finally:
        with suppress(FileNotFoundError):
            leak.unlink()
    assert eventually(lambda: all(results(gate).values()))

    def told(event: str) -> bool:
        return any(x["event"] == event and x["check"] == "categories" for x in gate.journal())

    assert eventually(lambda: told("selftest.failed") and told("selftest.mended"))


@pytest.mark.long
def test_it_asks_where_people_must_sign_in_to_the_proxy(tmp_path: Path) -> None:
    """Nobody can sign in as a group; the gateway need not."""
    slapd.certificates(tmp_path, "localhost")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "secret").chmod(0o600)
    ldap = {
        "servers": [f"ldaps://localhost:{gateway.free_port()}"],
        "ca_file": "ca.pem",
        "bind_dn": "cn=reader,dc=school,dc=example",
        "bind_password_file": "secret",
        "base_dn": "dc=school,dc=example",
        "groups": {"Teachers": {"group": "staff"}},
    }
    people = {"neighbours": False, "sign_in": {"basic": True, "ldap": ldap}}
    (tmp_path / "people.yaml").write_text(yaml.safe_dump(people))
    config = gateway.write_config(
        tmp_path,
        people=str(tmp_path / "people.yaml"),
        selftest={"enabled": True, "every_seconds": 1},
    )
    with gateway.running(config) as gate:
        assert eventually((gate.state / "selftest.json").exists)
        assert all(results(gate).values()), (gate.state / "selftest.json").read_text()
        asked = httpx.get(GAMBLING, proxy=gate.proxy, trust_env=False)
        assert asked.status_code == 407


class Taken:
    """An entrance that notes who comes in."""

    workers = 4

    def __init__(self) -> None:
        self.came: list[tuple[str, tuple[str, str]]] = []

    def give(
        self,
        connection: socket.socket,
        client: str,
        place: tuple[str, int] | None,
        stands_for: tuple[str, str] | None = None,
    ) -> bool:
        assert stands_for is not None
        self.came.append((client, stands_for))
        connection.send(b"taken")
        return True


def test_each_round_has_addresses_of_its_own_that_nobody_can_guess() -> None:
    entrance = Taken()
    callings = Callings(entrance)  # type: ignore[arg-type]
    persona = Persona("pupils", "wifi", 2)
    for _ in range(2):
        callings.begin()
        for port in (80, 443):
            with callings.connect(persona, port) as connection:
                assert connection.recv(10) == b"taken"
    addresses = [client for client, _ in entrance.came]
    assert addresses[0] == addresses[1] != addresses[2] == addresses[3]
    assert all(one.startswith("100::") for one in addresses)
    assert {stands_for for _, stands_for in entrance.came} == {("pupils", "wifi")}
