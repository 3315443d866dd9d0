"""Behind load balancers the header that they send says who asks, and nobody else's does."""

import time
from collections.abc import Iterator

import pytest

from tests.gateway import (
    clause,
    put,
)
from tests.proxy.sign_in.school import BALANCER, OTHER_BALANCER, POLICY, UNLISTED, School, connect
from tests.proxy.test_gate import dial, get, tls


@pytest.fixture
def balanced(school: School) -> Iterator[School]:
    """Nobody signs in; the networks say who may what."""
    networks = {
        "lab": {"ranges": ["10.1.0.0/16", f"{UNLISTED}/32"], "group": "pupils"},
        "staff-room": {"ranges": ["10.2.0.0/16", "127.0.8.0/29"], "group": "staff"},
    }
    policy = school.gateway.config.parent / "policies/hill.yaml"
    put(policy, POLICY.replace("{lab: Lab}", "{lab: Lab, staff-room: Staff room}"))
    school.write(networks=networks, sign_in={})
    assert school.is_everywhere(200)
    yield school
    school.write()
    put(policy, POLICY)
    assert school.is_everywhere(407)


BALANCED = [
    (BALANCER, "10.2.0.7", "", "staff", "10.2.0.7"),
    (BALANCER, "10.1.0.7", "H-1", "pupils", "10.1.0.7"),
    (BALANCER, "10.2.0.7, 10.1.0.7", "H-1", "pupils", "10.1.0.7"),  # the client wrote the first
    (BALANCER, f"10.1.0.7, {OTHER_BALANCER}", "H-1", "pupils", "10.1.0.7"),
    (BALANCER, "", "H-1", "strangers", ""),  # and not the staff that its own address is
    (BALANCER, "10.2.0.7, unknown", "H-1", "strangers", ""),
    (UNLISTED, "10.2.0.7", "H-1", "pupils", UNLISTED),
]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_load_balancer_says_whose_a_request_is_and_nobody_else_does(
    balanced: School, scheme: str
) -> None:
    for number, (peer, said, want, group, client) in enumerate(BALANCED):
        url = balanced.url(scheme, path=f"/{scheme}-{number}-{time.time_ns()}")
        fields = [("X-Forwarded-For", said)] if said else []
        with balanced.gateway.client(address=peer, fields=fields) as through:
            assert clause(through, url) == want, said
        assert balanced.tells(url, (None, group, client))


def test_one_connection_of_a_load_balancer_carries_many_people(balanced: School) -> None:
    url, host = balanced.url("http", path="/bytes/5"), f"www.facebook.com:{balanced.site.http_port}"
    with dial(balanced.gateway, BALANCER) as connection:
        for said, want in (("10.2.0.7", 200), ("10.1.0.7", 403), ("10.2.0.7", 200)):
            assert get(connection, host, url, f"X-Forwarded-For: {said}")[0] == want
        assert get(connection, host, url)[0] == 403


def test_a_client_behind_load_balancers_has_its_worker(balanced: School) -> None:
    """As one that comes by itself, whichever load balancer it came through."""
    for peer in (BALANCER, OTHER_BALANCER):
        for said, worker in (("10.2.0.2", 1), ("10.2.0.3", 2)):
            url = balanced.url("https", path=f"/{peer}-{said}")
            fields = [("X-Forwarded-For", said)]
            with balanced.gateway.client(address=peer, fields=fields) as client:
                assert client.get(url).status_code == 200
            assert balanced.tells(url, (None, "staff", said))
            lines = [line for line in balanced.gateway.journal() if line.get("url") == url]
            assert [line["worker"] for line in lines] == [worker]
    assert balanced.gateway.metric('filter_errors_total{hook="gate"}') == 0


def test_in_a_tunnel_nobody_says_anew_whose_it_is(balanced: School) -> None:
    with dial(balanced.gateway, BALANCER) as connection:
        port, host = balanced.site.https_port, "www.facebook.com"
        assert connect(connection, host, port, None, "X-Forwarded-For: 10.1.0.7") == 200
        with tls(connection, host, balanced.gateway.ca_file) as encrypted:
            assert get(encrypted, host, "/", "X-Forwarded-For: 10.2.0.7")[0] == 403
