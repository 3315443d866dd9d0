"""Who has signed in to the proxy decides, on whatever way their requests take through a real gateway."""

import base64
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests import ldap_server
from tests.gateway import (
    CUT,
    Gateway,
    clause,
    eventually,
    put,
    running,
    schoolgate,
    to_origin,
    write_config,
)
from tests.ldap_server import LdapServer
from tests.origin import Origin
from tests.proxy.test_gate import TRUSTED, dial, get, read_answer, read_head, tls
from tests.system import slapd

ANN, BOB, EVE = ("ann", "Ännchen: 1"), ("bob", "bob's"), ("eve", "eve's")
BALANCER, OTHER_BALANCER, UNLISTED = "127.0.8.1", "127.0.8.2", "127.0.8.9"
# The last bits of an address say whose it is.
AT_EACH_WORKER = (UNLISTED, "127.0.8.10")
POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: the office
default_group: strangers
groups: {strangers: Strangers, staff: Staff, pupils: Pupils}
networks: {lab: Lab}
clauses:
  H-1: {title: Social networks are for staff}
  H-2: {title: Pupils see no auctions}
  H-3: {title: Use is watched}
suspension_clause: H-3
local_clause: H-3
grant_clause: H-3
rules:
  - {id: social, clause: H-1, when: {categories: [social-networks], groups: [strangers, pupils]}, then: block}
  - {id: auctions, clause: H-2, when: {categories: [auctions], groups: [pupils]}, then: block}
default: {id: otherwise, clause: H-3, then: monitor}
inspection:
  mode: needed
  needs: [{id: all, clause: H-3, except: {categories: [education]}}]
"""


@dataclass
class School:
    """A gateway, its directory and the file of people, which a test may change."""

    gateway: Gateway
    directory: LdapServer
    people: dict[str, Any]
    site: Origin

    def url(self, scheme: str, host: str = "www.facebook.com", path: str = "/") -> str:
        port = self.site.http_port if scheme == "http" else self.site.https_port
        return f"{scheme}://{host}:{port}{path}"

    def write(self, **changed: Any) -> None:
        """Write people.yaml with some of its keys changed."""
        file = self.gateway.config.parent / "people.yaml"
        put(file, yaml.safe_dump({**self.people, **changed}))

    def is_everywhere(self, want: int) -> bool:
        """Wait until whoever does not sign in gets this status from each worker."""
        url = self.url("http", "www.bbc.co.uk")
        for address in AT_EACH_WORKER:
            with self.gateway.client(address=address) as client:
                if not eventually(lambda client=client: status(client, url) == want):  # type: ignore[misc]
                    return False
        return True

    def tells(self, url: str, *want: tuple[str | None, str, str]) -> bool:
        """Wait until the journal has these lines about an address."""
        return eventually(lambda: self.lines(url) == list(want))

    def lines(self, url: str) -> list[tuple[str | None, str, str]]:
        """Give user, group and client of the journal's lines about an address."""
        found = [line for line in self.gateway.journal() if line.get("url") == url]
        return [(line["user"], line["group"], line["client"]) for line in found]

    def said(self, text: str) -> bool:
        return any(text in line for line in self.gateway.lines)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, site: Origin) -> Iterator[School]:
    directory = tmp_path_factory.mktemp("sign-in")
    slapd.certificates(directory, "localhost")
    secret = directory / "secret"
    secret.write_text(ldap_server.SEARCH_PASSWORD)
    secret.chmod(0o600)
    (directory / "policies").mkdir()
    (directory / "policies/hill.yaml").write_text(POLICY)
    groups = {"Teachers": {"ann"}, "Pupils": {"bob"}}
    with ldap_server.running(directory, dict([ANN, BOB, EVE]), groups) as server:
        people = {
            "neighbours": False,
            "networks": {"lab": {"ranges": ["127.0.0.0/8"], "group": "staff"}},
            "load_balancers": {"ranges": [f"{BALANCER}/32", f"{OTHER_BALANCER}/32"]},
            "sign_in": {
                "basic": True,
                "ldap": {
                    "servers": [f"ldaps://localhost:{server.port}"],
                    "ca_file": "ca.pem",
                    "bind_dn": ldap_server.SEARCH_DN,
                    "bind_password_file": "secret",
                    "base_dn": ldap_server.BASE,
                    "groups": {"Teachers": {"group": "staff"}, "Pupils": {"group": "pupils"}},
                    **slapd.PATIENCE,
                },
            },
        }
        (directory / "people.yaml").write_text(yaml.safe_dump(people))
        config = write_config(
            directory,
            policy="hill",
            policies_dir=str(directory / "policies"),
            people=str(directory / "people.yaml"),
            proxy=to_origin(site),
        )
        with running(config) as gateway:
            yield School(gateway, server, people, site)


def credentials(who: tuple[str, str]) -> str:
    return "Basic " + base64.b64encode(":".join(who).encode()).decode()


def status(client: httpx.Client, url: str) -> int:
    """Give the status of an answer, the proxy's to a CONNECT too; 0 where it was cut."""
    try:
        return client.get(url).status_code
    except httpx.ProxyError as error:
        return int(str(error).split()[0])
    except CUT:
        return 0


# -- who signs in ------------------------------------------------------------------------------


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain proxy", "HTTPS proxy"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_two_people_behind_one_address_get_different_answers_to_one_address(
    school: School, scheme: str, over_tls: bool
) -> None:
    for who, want, group in ((ANN, "", "staff"), (BOB, "H-1", "pupils"), (EVE, "H-1", "strangers")):
        url = school.url(scheme, path=f"/{who[0]}-{over_tls}")
        with school.gateway.client(sign_in=who, over_tls=over_tls) as client:
            assert clause(client, url) == want
        assert school.tells(url, (who[0], group, "127.0.0.1"))


def test_a_tunnel_that_is_carried_unread_is_the_persons(school: School) -> None:
    with dial(school.gateway) as connection:
        assert connect(connection, TRUSTED, school.site.https_port, BOB) == 200
        with tls(connection, TRUSTED, school.site.ca_file) as encrypted:
            assert get(encrypted, TRUSTED, "/bytes/5") == (200, b"xxxxx")

    def told() -> bool:
        lines = [li for li in school.gateway.journal() if li["event"] == "tls.decided"]
        return ("bob", "pupils") in {(line["user"], line["group"]) for line in lines}

    assert eventually(told)


def test_whoever_sends_nothing_or_what_is_wrong_is_asked_and_nothing_is_decided(
    school: School,
) -> None:
    before, reached = len(school.gateway.journal()), len(school.site.hosts)
    for who in (None, ("ann", "guess"), ("nobody", "x"), ("ann", "")):
        for scheme in ("http", "https"):
            with school.gateway.client(sign_in=who) as client:
                assert status(client, school.url(scheme, "www.bbc.co.uk", "/unsigned")) == 407
    with school.gateway.client() as client:
        answer = client.get(school.url("http", "www.bbc.co.uk"))
    assert answer.headers["proxy-authenticate"] == 'Basic realm="schoolgate", charset="UTF-8"'
    assert answer.headers["cache-control"] == "no-store"
    assert not [line for line in school.gateway.journal()[before:] if "unsigned" in str(line)]
    assert len(school.site.hosts) == reached


def test_a_connection_that_was_asked_may_sign_in_and_stays_that_persons(school: School) -> None:
    url, host = school.url("http", path="/bytes/5"), f"www.facebook.com:{school.site.http_port}"
    with dial(school.gateway) as connection:
        for fields, want in (
            ((), 407),
            ((f"Proxy-Authorization: {credentials(BOB)}",), 403),
            ((), 403),
            ((f"Proxy-Authorization: {credentials(('bob', 'x'))}",), 407),
            ((f"Proxy-Authorization: {credentials(ANN)}",), 200),
            ((), 200),
        ):
            assert get(connection, host, url, *fields)[0] == want
    with dial(school.gateway) as connection:
        assert connect(connection, "www.facebook.com", school.site.https_port) == 407
        assert connect(connection, "www.facebook.com", school.site.https_port, ANN) == 200
        with tls(connection, "www.facebook.com", school.gateway.ca_file) as encrypted:
            for _ in range(2):
                assert get(encrypted, "www.facebook.com", "/bytes/5")[0] == 200


def test_an_https_proxy_asks_on_its_connection_too(school: School) -> None:
    host, port = "www.facebook.com", school.site.http_port
    with (
        dial(school.gateway) as plain,
        tls(plain, "localhost", school.gateway.ca_file) as connection,
    ):
        assert get(connection, f"{host}:{port}", school.url("http"))[0] == 407
        assert connect(connection, host, port) == 407
        assert connect(connection, host, port, ("ann", "guess")) == 407
        assert connect(connection, host, port, ANN) == 200
        for _ in range(2):
            assert get(connection, f"{host}:{port}", "/bytes/5")[0] == 200


def test_what_is_said_to_the_proxy_reaches_no_site_and_no_journal(school: School) -> None:
    proved = ("Proxy-Authorization", credentials(ANN))
    fields = [proved, ("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")]
    with school.gateway.client(sign_in=ANN) as client:
        answers = [
            client.get(school.url("http", "origin.test", "/headers"), headers=fields[1:]),
            client.get(school.url("https", "origin.test", "/headers"), headers=[proved]),
        ]
    for answer in answers:
        assert answer.status_code == 200
        assert "proxy-authorization" not in answer.text.lower()
    assert "forwarded" not in answers[0].text.lower()
    journal = str(school.gateway.journal())
    assert credentials(ANN).split()[1] not in journal
    assert "Ännchen" not in journal


# -- what changes on connections that are open --------------------------------------------------


def test_a_suspended_person_is_stopped_in_downloads_and_nobody_else_at_the_address(
    school: School,
) -> None:
    url = school.url("https", "origin.test", "/endless")
    with (
        school.gateway.client(sign_in=ANN) as ann,
        school.gateway.client(sign_in=BOB) as bob,
        ann.stream("GET", url) as to_ann,
        bob.stream("GET", url) as to_bob,
        carried_unread(school, BOB) as unread,
    ):
        from_ann, from_bob = to_ann.iter_raw(), to_bob.iter_raw()
        assert next(from_ann)
        assert next(from_bob)
        done = school.gateway.run("suspend", "user:bob", "--until", "1h", "--reason", "VPN")
        assert done.returncode == 0, done.stderr
        with pytest.raises(CUT):
            for _ in from_bob:
                pass
        with suppress(OSError):
            while unread.recv(65_536):
                pass
        assert next(from_ann)
    with school.gateway.client(sign_in=BOB) as bob:
        assert clause(bob, school.url("http", "www.bbc.co.uk")) == "H-3"
    assert school.gateway.run("unsuspend", "user:bob").returncode == 0


@contextmanager
def carried_unread(school: School, who: tuple[str, str]) -> Iterator[socket.socket]:
    """Download without an end from a site that is not read."""
    with dial(school.gateway) as connection:
        assert connect(connection, TRUSTED, school.site.https_port, who) == 200
        with tls(connection, TRUSTED, school.site.ca_file) as encrypted:
            encrypted.sendall(f"GET /endless HTTP/1.1\r\nHost: {TRUSTED}\r\n\r\n".encode())
            assert encrypted.recv(100)
            yield encrypted


def test_another_group_in_the_file_holds_on_an_open_connection(school: School) -> None:
    plain, encrypted = school.url("http"), school.url("https", "www.ebay.co.uk")
    with school.gateway.client(sign_in=BOB) as client:
        assert (clause(client, plain), clause(client, encrypted)) == ("H-1", "H-2")
        school.write(people={"bob": {"group": "staff"}})
        assert eventually(lambda: clause(client, plain) == "")
        # The tunnel that was refused ends; the browser comes again.
        assert eventually(lambda: clause(client, encrypted) == "")
        school.write()
        assert eventually(lambda: clause(client, plain) == "H-1")


def test_when_people_sign_in_otherwise_all_must_again(school: School) -> None:
    with (
        school.gateway.client(sign_in=ANN) as client,
        client.stream("GET", school.url("https", "origin.test", "/endless")) as download,
    ):
        chunks = download.iter_raw()
        assert next(chunks)
        school.write(sign_in={**school.people["sign_in"], "domains": ["hill.example"]})
        with pytest.raises(CUT):
            for _ in chunks:
                pass
    school.write()
    with school.gateway.client(sign_in=("ann@hill.example", ANN[1])) as client:
        assert eventually(lambda: status(client, school.url("http")) == 407)


# -- what fails ----------------------------------------------------------------------------------


def test_while_the_directory_cannot_be_asked_only_those_go_on_who_are_remembered(
    school: School,
) -> None:
    url = school.url("http", "www.bbc.co.uk")
    with school.gateway.client(sign_in=ANN) as ann, school.gateway.client(sign_in=EVE) as eve:
        assert status(ann, url) == 200
        school.directory.people["eve"] = "another"
        school.directory.is_down = True
        try:
            with school.gateway.client(sign_in=("eve", "another")) as other:
                assert status(other, url) == 503
                assert status(other, school.url("https", "www.bbc.co.uk")) == 503
            assert status(ann, url) == 200
            assert eventually(lambda: school.said("Who is who: nobody can sign in to the proxy"))
        finally:
            school.directory.is_down = False
            school.directory.people["eve"] = EVE[1]
        assert status(eve, url) == 200


def test_a_name_that_is_guessed_at_is_not_asked_of_the_directory_without_an_end(
    school: School,
) -> None:
    school.directory.people["target"] = "unguessable"
    for number in range(12):
        with school.gateway.client(sign_in=("target", f"guess {number}")) as client:
            assert status(client, school.url("http", "www.bbc.co.uk")) == 407
    # Each worker counts for itself; a client address has its worker.
    assert school.directory.binds.count("target") <= 5


# -- hostile ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "Basic",
        "Basic !!!!",
        "Basic YW5u",  # no colon
        "Basic " + base64.b64encode(b"ann:\xff\xfe").decode(),
        "Basic " + base64.b64encode(b"ann:x\x00").decode(),
        "Basic " + "A" * 6000,
        "Basic " + "A" * 20_000,
        "Negotiate " + "A" * 100_000,
        "Negotiate TlRMTVNTUAAB",
        'Digest username="ann", realm="elsewhere", response="00"',
        'Basic realm="elsewhere"',
        "Bearer " + base64.b64encode(b"ann").decode(),
        credentials(ANN) + " " + credentials(ANN),
        credentials(ANN) + "\r\nProxy-Authorization: " + credentials(BOB),
        "\xa0" + credentials(ANN),
    ],
)
@pytest.mark.parametrize("method", ["CONNECT", "GET"])
def test_what_is_no_credentials_lets_nobody_in(school: School, value: str, method: str) -> None:
    host = f"www.bbc.co.uk:{school.site.http_port}"
    target = host if method == "CONNECT" else f"http://{host}/"
    with dial(school.gateway) as connection:
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: {value}\r\n\r\n"
        connection.sendall(head.encode("latin-1"))
        assert read_answer(connection)[0] in (400, 407, 431)


def test_what_follows_a_connect_that_was_not_signed_in_is_asked_too(school: School) -> None:
    host, port = "www.bbc.co.uk", school.site.http_port
    inner = f"GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
    for second in (inner, "GET /secret HTTP/1.1\r\nHost: www.bbc.co.uk\r\n\r\n"):
        before = len(school.site.hosts)
        with dial(school.gateway) as connection:
            connection.sendall(
                f"CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n\r\n{second}".encode()
            )
            assert read_answer(connection)[0] == 407
            assert read_answer(connection)[0] in (400, 407)
        assert len(school.site.hosts) == before


def test_what_is_sent_before_the_answer_waits_for_it(school: School) -> None:
    """The ClientHello may come with the CONNECT; while the password is checked it stays where it is."""
    host, port = "www.bbc.co.uk", school.site.http_port
    with dial(school.gateway) as connection:
        inner = f"GET /bytes/5 HTTP/1.1\r\nHost: {host}\r\n\r\n"
        signed = f"Proxy-Authorization: {credentials(ANN)}\r\n"
        connection.sendall(
            f"CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n{signed}\r\n{inner}".encode()
        )
        assert b" 200 " in read_head(connection)
        assert read_answer(connection) == (200, b"xxxxx")


def test_a_client_that_goes_while_it_is_asked_after_leaves_nothing(school: School) -> None:
    for number in range(8):
        with dial(school.gateway) as connection:
            ask = f"CONNECT www.bbc.co.uk:{school.site.https_port} HTTP/1.1\r\nHost: x\r\n"
            signed = credentials((f"gone{number}", "x"))
            connection.sendall(f"{ask}Proxy-Authorization: {signed}\r\n\r\n".encode())
    with school.gateway.client(sign_in=ANN) as client:
        assert status(client, school.url("http", "www.bbc.co.uk")) == 200
    assert school.gateway.metric('filter_errors_total{hook="gate"}') == 0


# -- those who do not sign in ----------------------------------------------------------------------


def test_whoever_does_not_sign_in_may_be_let_through_as_the_strictest(school: School) -> None:
    """Although the address is in a network of the staff; and whom something is refused is asked."""
    school.write(sign_in={**school.people["sign_in"], "unsigned": "strictest"})
    try:
        with school.gateway.client() as client, school.gateway.client(sign_in=ANN) as ann:
            url = school.url("http", "www.bbc.co.uk", "/stranger")
            assert eventually(lambda: status(client, url) == 200)
            assert eventually(lambda: (None, "strangers", "127.0.0.1") in school.lines(url))
            assert status(client, school.url("https", "www.bbc.co.uk")) == 200
            for scheme in ("http", "https"):
                assert status(client, school.url(scheme)) == 407
                assert clause(ann, school.url(scheme)) == ""
    finally:
        school.write()
    assert school.is_everywhere(407)


# -- load balancers ------------------------------------------------------------------------------


def connect(
    connection: socket.socket,
    host: str,
    port: int,
    who: tuple[str, str] | None = None,
    *fields: str,
) -> int:
    """Send a CONNECT with credentials; give the status, and take the page that may come with it."""
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}", *fields]
    if who is not None:
        lines.append(f"Proxy-Authorization: {credentials(who)}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    head = read_head(connection)
    size = sum(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    while size:
        size -= len(connection.recv(size))
    return int(head.split()[1])


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


# -- a file with faults ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sign_in", "want"),
    [
        ({"ldap": {"ca_file": "absent.pem"}}, "absent.pem, cannot be read"),
        (
            {"kerberos": {"keytab": "absent", "service": "HTTP/a.example", "realm": "A.EXAMPLE"}},
            "people.yaml: ",
        ),
    ],
)
def test_a_file_by_which_nobody_could_sign_in_starts_no_gateway(
    school: School, sign_in: dict[str, Any], want: str, tmp_path: Path
) -> None:
    if "ldap" in sign_in:
        ldap = {**school.people["sign_in"]["ldap"], **sign_in["ldap"]}
        sign_in = {
            "ldap": {**ldap, "bind_password_file": str(school.gateway.config.parent / "secret")}
        }
    (tmp_path / "people.yaml").write_text(yaml.safe_dump({"sign_in": sign_in}))
    settings = yaml.safe_load(school.gateway.config.read_text())
    config = write_config(tmp_path, **{**settings, "people": str(tmp_path / "people.yaml")})
    done = schoolgate("run", "--config", str(config), "--state", str(tmp_path / "state"))
    assert done.returncode == 2
    assert want in done.stderr.replace("\n", " ")
