"""Who asks makes the difference: networks, groups, lessons and supervision, through a real gateway."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway import (
    Gateway,
    clause,
    eventually,
    put,
    running,
    schoolgate,
    stay_within_a_day,
    to_origin,
    write_config,
)
from tests.origin import Origin

PEOPLE = {
    "networks": {
        "wired": {"ranges": ["127.0.1.0/24"], "group": "staff"},
        "wifi": {"ranges": ["127.0.2.0/24"], "group": "staff"},
        "classroom": {"ranges": ["127.0.3.0/24"], "group": "class-4b"},
    },
    "devices": {
        "head": {"address": "127.0.3.9", "user": "head", "group": "staff"},
        "clerk": {"address": "127.0.3.10", "user": "clerk", "group": "staff"},
    },
    "neighbours": False,
}
POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: the office
default_group: pupils
groups:
  staff: Staff
  pupils: Pupils
  class-4b: {title: Class 4B, within: pupils}
networks: {wired: Wired, wifi: WiFi, classroom: Classroom}
timetable:
  periods:
    lessons: {title: Lessons, times: {daily: ["00:00-24:00"]}}
clauses:
  H-1: {title: No social media for pupils}
  H-2: {title: None over WiFi}
  H-3: {title: Use is watched}
suspension_clause: H-3
local_clause: H-3
grant_clause: H-3
lessons: {clause: H-1, categories: [social-networks], most_minutes: 60}
rules:
  - {id: over-wifi, clause: H-2, when: {categories: [social-networks], networks: [wifi]}, then: block}
  - {id: pupils, clause: H-1, when: {categories: [social-networks], groups: [pupils]}, then: block}
  - id: no-forms
    clause: H-3
    when: {hosts: [www.bbc.co.uk], groups: [pupils], methods: [POST]}
    then: block
default: {id: otherwise, clause: H-3, then: monitor}
inspection: {mode: all}
"""
STAFF, OVER_WIFI, PUPIL, HEAD, CLERK, STRANGER = (
    "127.0.1.1", "127.0.2.1", "127.0.3.1", "127.0.3.9", "127.0.3.10", "127.0.4.1",
)  # fmt: skip


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, site: Origin) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("people")
    (directory / "policies").mkdir()
    (directory / "policies/hill.yaml").write_text(POLICY)
    people = directory / "people.yaml"
    people.write_text(yaml.safe_dump(PEOPLE))
    config = write_config(
        directory,
        policy="hill",
        policies_dir=str(directory / "policies"),
        people=str(people),
        proxy=to_origin(site),
    )
    with running(config) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("address", "want", "group", "network"),
    [
        (STAFF, "", "staff", "wired"),
        (OVER_WIFI, "H-2", "staff", "wifi"),
        (PUPIL, "H-1", "class-4b", "classroom"),
        (HEAD, "", "staff", "classroom"),
        (STRANGER, "H-1", "pupils", None),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_clients_of_different_networks_get_different_answers_to_one_address(
    school: Gateway,
    site: Origin,
    scheme: str,
    address: str,
    want: str,
    group: str,
    network: str | None,
) -> None:
    port = site.http_port if scheme == "http" else site.https_port
    url = f"{scheme}://www.facebook.com:{port}/{address}"
    with school.client(address=address) as client:
        assert clause(client, url) == want

    def told() -> bool:
        lines = [line for line in school.journal() if line.get("url") == url]
        return [(line["group"], line["network"]) for line in lines] == [(group, network)]

    assert scheme == "https" or eventually(told)


def test_check_says_who_the_gateway_finds_at_an_address(school: Gateway) -> None:
    done = school.run("check", "www.facebook.com", "--client", OVER_WIFI)
    assert "block    H-2" in done.stdout
    assert "group staff, in a known network (network wifi)" in done.stderr


def test_a_rule_may_be_about_a_method(school: Gateway, site: Origin) -> None:
    url = f"https://www.bbc.co.uk:{site.https_port}/"
    with school.client(address=PUPIL) as client:
        assert client.get(url).status_code == 200
        assert client.post(url).headers["x-schoolgate-clause"] == "H-3"
    with school.client(address=STAFF) as client:
        assert client.post(url).status_code == 200


def test_a_teacher_opens_a_site_for_a_class_and_no_other(school: Gateway, site: Origin) -> None:
    url = f"https://www.facebook.com:{site.https_port}/"
    stay_within_a_day()
    with school.client(address=PUPIL) as of_class, school.client(address=STRANGER) as other:
        assert clause(of_class, url) == "H-1"
        done = school.run("allow-lesson", "class-4b", "facebook.com")
        assert done.returncode == 0, done.stderr
        number = done.stdout.split()[1].rstrip(":")
        assert eventually(lambda: clause(of_class, url) == "")
        assert clause(other, url) == "H-1"
        assert school.run("grants", "revoke", number).returncode == 0
        assert eventually(lambda: clause(of_class, url) == "H-1")


def test_whoever_is_supervised_works_although_access_is_withdrawn(
    school: Gateway, site: Origin
) -> None:
    url = f"http://www.bbc.co.uk:{site.http_port}/"
    with school.client(address=HEAD) as client:
        done = school.run("suspend", "user:head", "--until", "1h", "--reason", "VPN")
        assert done.returncode == 0, done.stderr
        assert eventually(lambda: clause(client, url) == "H-3")
        done = school.run("supervise", "user:head", "--until", "1h", "--reason", "with the deputy")
        assert done.returncode == 0, done.stderr
        assert eventually(lambda: clause(client, url) == "")
        assert school.run("unsuspend", "user:head").returncode == 0


def test_whoever_is_suspended_stays_so_when_a_worker_starts_while_files_have_faults(
    school: Gateway, site: Origin
) -> None:
    url = f"http://www.bbc.co.uk:{site.http_port}/"
    block = school.config.parent / "local" / "block.txt"
    done = school.run("suspend", "user:CLERK", "--until", "1h", "--reason", "VPN")
    assert done.returncode == 0, done.stderr
    with school.client(address=CLERK) as client:
        assert eventually(lambda: clause(client, url) == "H-3")
    block.write_text("not a host\n")
    before = school.processes()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: len(set(school.processes()) - set(before)) == len(before))
    with school.client(address=CLERK) as client:
        assert eventually(lambda: clause(client, url) == "H-3")
    block.unlink()
    assert school.run("unsuspend", "user:clerk").returncode == 0


def test_a_changed_file_of_people_is_in_force_on_an_open_connection(
    school: Gateway, site: Origin
) -> None:
    people = school.config.parent / "people.yaml"
    url = f"http://www.facebook.com:{site.http_port}/"
    with school.client(address=STRANGER) as client:
        assert clause(client, url) == "H-1"
        changed = {**PEOPLE, "devices": {"new": {"address": STRANGER, "group": "staff"}}}
        put(people, yaml.safe_dump(changed))
        assert eventually(lambda: clause(client, url) == "")
        put(people, "networks: {lab: {ranges: [127.0.9.0/24]}}\n")
        fault = "the policy hill has no network 'lab', so that no rule could mean it"
        assert eventually(lambda: any(fault in line for line in school.lines))
        assert clause(client, url) == ""
        put(people, yaml.safe_dump(PEOPLE))
        assert eventually(lambda: clause(client, url) == "H-1")


def test_what_is_not_a_policy_leaves_the_last_one_in_force(school: Gateway, site: Origin) -> None:
    policy = school.config.parent / "policies/hill.yaml"
    url = f"http://www.facebook.com:{site.http_port}/"
    with school.client(address=PUPIL) as client:
        put(policy, POLICY.replace("then: monitor", "then: monitr"))
        assert eventually(lambda: any("input should be 'allow'" in line for line in school.lines))
        assert clause(client, url) == "H-1"
        put(policy, POLICY)


@pytest.mark.parametrize(
    ("people", "want"),
    [
        ({"networks": {"lab": {"ranges": ["10.0.0.0/8"]}}},
         "the policy hill has no network 'lab', so that no rule could mean it"),
        ({"devices": {"one": {"address": "10.0.0.1", "kind": "tablet"}}},
         "the policy hill has no kind of device 'tablet', so that no rule could mean it"),
        ({"networks": {"wifi": {"ranges": ["10.0.0.0/8"], "group": "stafff"}}},
         "unknown group 'stafff' (did you mean 'staff'?)"),
    ],
)  # fmt: skip
def test_a_file_of_people_with_a_fault_starts_no_gateway(
    school: Gateway, people: dict[str, Any], want: str, tmp_path: Path
) -> None:
    (tmp_path / "people.yaml").write_text(yaml.safe_dump(people))
    settings = yaml.safe_load(school.config.read_text())
    config = write_config(tmp_path, **{**settings, "people": str(tmp_path / "people.yaml")})
    done = schoolgate("run", "--config", str(config), "--state", str(tmp_path / "state"))
    assert done.returncode == 2
    assert want in done.stderr


def test_a_load_balancer_announces_who_comes(school: Gateway, site: Origin) -> None:
    announcers = {"ranges": ["127.0.5.0/24"], "header": "proxy-protocol"}
    people = school.config.parent / "people.yaml"
    before = people.read_text()
    put(people, yaml.safe_dump({**PEOPLE, "load_balancers": announcers}))
    host, _, port = school.proxy.removeprefix("http://").rpartition(":")

    def answered(client: str, announced: bool = True) -> bytes:
        said = f"PROXY TCP4 {client} 127.0.0.1 4711 8080\r\n" * announced
        target = f"http://www.facebook.com:{site.http_port}/"
        said += f"GET {target} HTTP/1.1\r\nHost: {target[7:-1]}\r\nConnection: close\r\n\r\n"
        try:
            with socket.create_connection((host, int(port)), 60, ("127.0.5.5", 0)) as one:
                one.sendall(said.encode())
                return one.recv(65536)[9:12]
        except ConnectionError:
            return b""

    try:
        # Both a page that is blocked at the gate and one that mitmproxy reads.
        assert eventually(lambda: (answered(STAFF), answered(PUPIL)) == (b"200", b"403"))
        assert answered(STAFF, announced=False) == b""
    finally:
        put(people, before)
    assert eventually(lambda: STAFF in {line.get("client") for line in school.journal()})
