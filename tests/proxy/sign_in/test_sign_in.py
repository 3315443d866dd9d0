"""Who has signed in to the proxy decides, on whatever way their requests take through a real gateway."""

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway import (
    CUT,
    clause,
    eventually,
    schoolgate,
    write_config,
)
from tests.proxy.sign_in.school import ANN, BOB, EVE, School, connect, credentials, status
from tests.proxy.test_gate import TRUSTED, dial, get, read_answer, read_head, tls


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
