"""The portal beside the filter: reached through the proxy, signing devices in, and never in its way."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from schoolgate.portal.configuration import STYLE_SHEET
from tests.gateway import (
    PATIENCE_SECONDS,
    Gateway,
    clause,
    eventually,
    running,
    schoolgate,
    to_origin,
    write_config,
)
from tests.origin import Origin

HOME = "https://schoolgate.internal"
TABLET, PHONE, LAPTOP, BALANCER = "127.0.9.1", "127.0.9.2", "127.0.9.3", "127.0.9.9"
PASSWORD = "three words nobody uses"
ANN = "ann@school.example"


@pytest.fixture(scope="module")
def own(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a portal, in which Ann has an account."""
    if not STYLE_SHEET.exists():
        pytest.skip("the portal's style sheet was not made: there is no npm (make setup)")
    directory = tmp_path_factory.mktemp("portal")
    people = {"neighbours": False, "load_balancers": {"ranges": [f"{BALANCER}/32"]}}
    (directory / "people.yaml").write_text(yaml.safe_dump(people))
    config = write_config(
        directory,
        people=str(directory / "people.yaml"),
        proxy=to_origin(site),
        portal={"enabled": True, "listen": "127.0.0.1:0"},
    )
    with running(config) as gateway:
        assert eventually(lambda: gateway.get("health").text == "ok\n")
        added = gateway.run("people", "add", ANN, "--name", "Ann", "--role", "teacher")
        assert added.returncode == 0, added.stderr
        # Else staff who are known by name are asked to sign the declaration first.
        assert gateway.run("declarations", "sign", ANN).returncode == 0
        link = added.stdout.split()[0]
        with gateway.client() as browser:
            posted = fill(browser, link, new_password1=PASSWORD, new_password2=PASSWORD)
            assert posted.headers["location"] == "/account/sign-in/"
        yield gateway


def fill(browser: httpx.Client, url: str, target: str = "", **fields: str) -> httpx.Response:
    """Load a page and send its form, to another address where that is the form's."""
    page = browser.get(url)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token is not None, page.text
    return browser.post(
        target or url, data={"csrfmiddlewaretoken": token[1], **fields}, headers={"Referer": url}
    )


def sign_in(browser: httpx.Client) -> httpx.Response:
    return fill(browser, f"{HOME}/device/", name=ANN, password=PASSWORD, hours="1")


def sign_out(browser: httpx.Client) -> httpx.Response:
    return fill(browser, f"{HOME}/device/", f"{HOME}/device/sign-out/")


def test_it_says_where_it_is_and_who_begins(own: Gateway) -> None:
    assert own.address("portal").startswith("http://127.0.0.1:")
    assert eventually(lambda: any(line.startswith("set up ") for line in list(own.lines)))
    assert httpx.get(own.address("portal"), trust_env=False).status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_it_is_reached_through_the_proxy(own: Gateway, scheme: str) -> None:
    with own.client(address=LAPTOP) as browser:
        for _ in range(2):
            answer = browser.get(f"{scheme}://schoolgate.internal/policy/")
            assert answer.status_code == 200
            assert "What we filter and monitor" in answer.text
        style = browser.get(f"{scheme}://schoolgate.internal/static/portal/portal.css")
        assert style.headers["content-type"].startswith("text/css")
        assert style.text == STYLE_SHEET.read_text()


def test_a_sign_in_changes_what_a_device_may_have_and_no_other(own: Gateway, site: Origin) -> None:
    url = f"https://www.facebook.com:{site.https_port}/"
    with own.client(address=TABLET) as tablet, own.client(address=PHONE) as phone:
        assert clause(tablet, url) == clause(phone, url) == "D-3-groups"
        assert sign_in(tablet).headers["location"] == "/device/"
        # The connection that was refused says that all is open now by ending.
        assert eventually(lambda: clause(tablet, url) == "")
        assert clause(phone, url) == "D-3-groups"
        assert eventually(lambda: ("ann@school.example", "staff") in told(own))
        assert sign_out(tablet).headers["location"] == "/device/"
        assert eventually(lambda: clause(tablet, url) == "D-3-groups")


def told(own: Gateway) -> set[tuple[str | None, str]]:
    """Give who the journal names, with the group."""
    return {(line["user"], line["group"]) for line in own.journal()}


@pytest.mark.parametrize(
    "header", ["X-Schoolgate-Client", "X_Schoolgate_Client", "X-Forwarded-For", "Forwarded"]
)
def test_nobody_signs_another_device_in(own: Gateway, header: str) -> None:
    with own.client(address=LAPTOP) as browser:
        browser.headers[header] = PHONE
        sign_in(browser)
        page = browser.get(f"{HOME}/device/").text
        assert "You are signed in on this device" in page
        sign_out(browser)
    with own.client(address=PHONE) as phone:
        assert "You are signed in" not in phone.get(f"{HOME}/device/").text
    assert {row[0] for row in bindings(own)} <= {LAPTOP, TABLET}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_behind_a_load_balancer_each_client_is_itself(own: Gateway, scheme: str) -> None:
    """Pages without a password are read over HTTP, too; who is there is said on both."""
    with own.client(address=TABLET) as tablet:
        sign_in(tablet)
    for said, want in ((f"{PHONE}, {TABLET}", True), (f"{TABLET}, {PHONE}", False), ("", False)):
        fields = [("X-Forwarded-For", said)] if said else []
        if scheme == "http":
            assert_known(own, fields, want=want)
            continue
        with own.client(address=BALANCER, fields=fields) as through:
            page = through.get(f"{HOME}/device/").text
            assert ("You are signed in on this device" in page) is want, said
    with own.client(address=TABLET) as tablet:
        sign_out(tablet)


def assert_known(own: Gateway, fields: list[tuple[str, str]], *, want: bool) -> None:
    """See whom an accident without TLS is put down to."""
    with own.client(address=BALANCER) as through:
        url = "http://schoolgate.internal/accident/"
        through.headers.update(fields)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', through.get(url).text)
        assert token is not None
        sent = {
            "csrfmiddlewaretoken": token[1],
            "url": "https://games.example/",
            "words": "A slip.",
        }
        done = through.post(url, data=sent)
        assert done.status_code == 302, done.text
    database = sqlite3.connect(own.state / "schoolgate.db")
    try:
        rows = database.execute("SELECT person FROM accidents ORDER BY id DESC LIMIT 1").fetchall()
    finally:
        database.close()
    assert (rows == [(f"client:{TABLET}",)]) is want, rows


SECOND = "GET /static/portal/portal.css HTTP/1.1\r\nHost: schoolgate.internal\r\n\r\n"
BODY = f"a=b&c={SECOND}"
LENGTH = f"Content-Length: {len(BODY)}"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"{LENGTH}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}", 400),
        (f"{LENGTH}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{SECOND}", 400),
        (f"{LENGTH}\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}", 400),
        (f"{LENGTH}\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}", 400),
        (f"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SECOND}", 400),
        ("Content-Length: 3\r\nContent-Length: 90\r\n\r\na=b" + SECOND, 400),
        (f"Content-Length: 3, 90\r\n\r\na=b{SECOND}", 400),
        (f"Content-Length: +3\r\n\r\na=b{SECOND}", 400),
        (f"Content-Length: 0x3\r\n\r\na=b{SECOND}", 400),
        (f"X: y\r\n Content-Length: 90\r\nContent-Length: 3\r\n\r\na=b{SECOND}", 400),
        (f"X: y\rContent-Length: 90\r\nContent-Length: 3\r\n\r\na=b{SECOND}", 400),
        (f"X: \0\r\nContent-Length: 3\r\n\r\na=b{SECOND}", 400),
        (f"Host: evil.example\r\nHost: schoolgate.internal\r\n\r\n{SECOND}", 403),
        (f"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade\r\n\r\n{SECOND}", 403),
        # One request, and no form of ours; what follows it is nobody's.
        (f"Content-Length: 3\r\n\r\na=b{SECOND}", 403),
        (f"{LENGTH}\r\n\r\n{BODY}", 403),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tls", [False, True])
def test_nothing_is_hidden_behind_a_request(
    own: Gateway, head: str, status: int, *, tls: bool
) -> None:
    target = "" if tls else "http://schoolgate.internal"
    raw = f"POST {target}/report/ HTTP/1.1\r\n{head}".encode()
    heard = said(own, raw, tls=tls)
    assert heard.split()[1] == str(status).encode(), heard[:200]
    assert heard.count(b"HTTP/1.1 ") == 1
    assert b"text/css" not in heard
    assert b"frame-ancestors 'none'" in heard


def said(own: Gateway, raw: bytes, *, tls: bool) -> bytes:
    """Write bytes to the portal, and give all that is answered until it closes."""
    host, port = own.proxy.removeprefix("http://").split(":")
    connection: socket.socket = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
    with connection:
        if tls:
            connection.sendall(b"CONNECT schoolgate.internal:443 HTTP/1.1\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            context = ssl.create_default_context(cafile=str(own.ca_file))
            connection = context.wrap_socket(connection, server_hostname="schoolgate.internal")
        with connection:
            connection.sendall(raw)
            heard = b""
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while data := connection.recv(65536):
                    heard += data
            return heard


def bindings(own: Gateway) -> list[tuple[str]]:
    """Give from where devices were signed in."""
    database = sqlite3.connect(own.state / "schoolgate.db")
    try:
        return database.execute("SELECT address FROM bindings").fetchall()
    finally:
        database.close()


def test_who_is_banned_reaches_it(own: Gateway, site: Origin) -> None:
    url = f"https://www.bbc.co.uk:{site.https_port}/"
    with own.client(address=PHONE) as phone:
        assert clause(phone, url) == ""
        own.run("suspend", PHONE, "--until", "1h", "--reason", "a test")
        assert eventually(lambda: clause(phone, url) == "W-6.3.1-withdraw")
        for scheme in ("http", "https"):
            assert phone.get(f"{scheme}://schoolgate.internal/").status_code == 200
        own.run("unsuspend", PHONE)


def test_a_block_page_leads_to_it(own: Gateway) -> None:
    with own.client(address=LAPTOP) as browser:
        assert f'href="{HOME}/"' in browser.get("https://www.bet365.com/").text


def test_when_it_dies_the_filter_goes_on_and_it_comes_again(own: Gateway, site: Origin) -> None:
    url = f"https://www.bbc.co.uk:{site.https_port}/"
    [post] = own.processes("portal")
    children = Path(f"/proc/{post}/task/{post}/children").read_text().split()
    with own.client(address=LAPTOP) as browser:
        assert clause(browser, url) == ""
        workers = own.processes()
        os.kill(int(children[0]), signal.SIGKILL)
        assert eventually(lambda: own.processes("portal") not in ([], [post]))
        assert clause(browser, url) == ""
        assert own.processes() == workers
        assert eventually(lambda: own.get("health").text == "ok\n")
        assert browser.get(f"{HOME}/").status_code == 200


def test_accounts_are_listed_and_closed_on_the_command_line(own: Gateway) -> None:
    listed = own.run("people", "list")
    assert ANN in listed.stdout
    assert "teacher" in listed.stdout
    refused = own.run("people", "role", "nobody@school.example", "dsl")
    assert (refused.returncode, refused.stderr) == (
        1, "schoolgate: there is no account of nobody@school.example\n",
    )  # fmt: skip
    own.run("people", "add", "tess@school.example", "--name", "Tess", "--role", "technician")
    closed = own.run("people", "disable", "tess@school.example")
    assert closed.stdout == "tess@school.example may not sign in any more\n"
    assert closed.stderr == "Nobody else is technician here.\n"


def test_a_gateway_without_a_portal_says_so(gate: Gateway) -> None:
    assert "no portal: portal.enabled is false" in gate.lines
    with gate.client() as browser:
        assert "schoolgate.internal" not in browser.get("https://www.bet365.com/").text


def test_alone_it_says_what_it_lacks(own_config: Path) -> None:
    settings = yaml.safe_load(own_config.read_text())
    settings["portal"]["listen"] = "192.0.2.1:80"
    own_config.write_text(yaml.safe_dump(settings))
    ended = schoolgate("portal", "--config", str(own_config))
    assert ended.returncode == 3
    assert ended.stderr.startswith("schoolgate: The portal cannot listen on 192.0.2.1:80")
