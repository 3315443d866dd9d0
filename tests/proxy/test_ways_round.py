"""Each way round the filter is tried through the real command, closed, counted and written down."""

import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import yaml

from tests import gateway
from tests.gateway import ROOT, Gateway, eventually
from tests.hellos import hello
from tests.origin import Origin
from tests.proxy.test_gate import (
    BLOCKED,
    READ,
    TRUSTED,
    ask_for_tunnel,
    dial,
    get,
    issuer,
    read_head,
    tls,
)

BYPASS = "W-6.3.1-bypass"


def counted(gate: Gateway, kind: str) -> float:
    return gate.metric(rf'schoolgate_circumvention_total\{{kind="{kind}"\}}')


def seen(gate: Gateway, kind: str) -> list[dict[str, Any]]:
    return [
        line
        for line in gate.journal()
        if line["event"] == "circumvention.seen" and line["kind"] == kind
    ]


@pytest.mark.parametrize(
    ("url", "fields", "kind", "clause"),
    [
        ("http://93.184.215.14/", {}, "address", BYPASS),
        ("https://93.184.215.14/", {}, "address", BYPASS),
        ("http://origin.test:{http}/dns-query", {}, "doh", BYPASS),
        ("https://origin.test:{https}/q", {"Accept": "application/dns-message"}, "doh", BYPASS),
        (
            "https://origin.test:{https}/q?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB",
            {},
            "doh",
            BYPASS,
        ),
        ("https://dns.google/resolve?name=a.example", {}, "site", BYPASS),
        ("https://mask.icloud.com/", {}, "site", BYPASS),
        ("https://mask-h2.icloud.com/", {}, "site", BYPASS),
        ("https://cloudflare-ech.com/", {}, "site", BYPASS),
        (
            "https://www-bet365-com.translate.goog/?_x_tr_sl=en",
            {},
            "inner-address",
            "W-6.3.1-gambling",
        ),
        (
            "http://web.archive.org/web/2020/https://www.bet365.com/",
            {},
            "inner-address",
            "W-6.3.1-gambling",
        ),
        ("https://wsrv.nl/?url=www.bet365.com/a.png", {}, "inner-address", "W-6.3.1-gambling"),
        (f"http://r.jina.ai/{'http://r.jina.ai/' * 4}http://a.example/", {}, "inner-address", BYPASS),
    ],
)  # fmt: skip
def test_it_is_closed_counted_and_written_down(
    gate: Gateway, site: Origin, url: str, fields: dict[str, str], kind: str, clause: str
) -> None:
    url = url.format(http=site.http_port, https=site.https_port)
    before, heads = counted(gate, kind), len(site.heads)
    with gate.client() as client:
        answer = client.get(url, headers=fields)
    assert answer.status_code == 403
    assert answer.headers["x-schoolgate-clause"] == clause
    assert len(site.heads) == heads
    assert counted(gate, kind) > before
    host = httpx.URL(url).host
    assert eventually(lambda: any(line["host"].strip("[]") == host for line in seen(gate, kind)))
    line = next(line for line in seen(gate, kind) if line["host"].strip("[]") == host)
    assert line["verdict"] == "block"
    if kind == "inner-address" and clause != BYPASS:
        assert line["inner_host"] == "www.bet365.com"


# 93.184.215.14 as the WHATWG URL standard reads it, and what a zone (RFC 6874) is to it: no host.
SPELLINGS = [
    ("93.184.215.14.", BYPASS),
    ("1572394766", BYPASS),
    ("0x5db8d70e", BYPASS),
    ("0135.0270.0327.016", BYPASS),
    ("0x5d.0270.215.0xe", BYPASS),
    ("93.12113678", BYPASS),
    ("93.184.55054", BYPASS),
    ("%39%33.184.215.14", BYPASS),
    ("[2606:4700:4700::1111]", BYPASS),
    ("[::ffff:93.184.215.14]", BYPASS),
    ("[64:ff9b::5db8:d70e]", BYPASS),
    ("93-184-215-14.sslip.io", BYPASS),
    ("[2606:4700:4700::1111%25eth0]", "gateway-bad-url"),
    ("[fe80::1%25eth0]", "gateway-bad-url"),
    ("93.184.215.256", "gateway-bad-url"),
    ("93.184.215.14.1", "gateway-bad-url"),
    # Of the school's own networks, none of which this gateway opens.
    ("0x0a000001", "gateway-private-destination"),
    ("[::ffff:10.0.0.1]", "gateway-private-destination"),
]


def refusal(connection: socket.socket, host: str, target: str) -> str:
    """Ask for a page in raw bytes; give the clause of the answer, or what it is without one."""
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head = read_head(connection).decode().lower()
    assert " 403 " in head or " 400 " in head, head
    return head.partition("x-schoolgate-clause: ")[2].partition("\r\n")[0].upper()


@pytest.mark.parametrize(("host", "clause"), SPELLINGS)
def test_an_address_is_closed_over_http_however_it_is_written(
    gate: Gateway, host: str, clause: str
) -> None:
    with dial(gate) as connection:
        found = refusal(connection, host, f"http://{host}/")
    # What is no host to mitmproxy is refused by it, without a page.
    assert found == clause.upper() or (not found and (clause != BYPASS or "%" in host))


@pytest.mark.parametrize(("host", "clause"), SPELLINGS)
def test_and_in_a_tunnel(gate: Gateway, host: str, clause: str) -> None:
    with dial(gate) as connection:
        status = ask_for_tunnel(connection, host, 443)
        if status != 200:
            # What is no host, mitmproxy or the gate refuse at once.
            assert status in (400, 403), status
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(str(gate.ca_file))
        with context.wrap_socket(connection) as encrypted:
            assert refusal(encrypted, host, "/") == clause.upper()


def test_a_post_of_a_query_is_closed(gate: Gateway, site: Origin) -> None:
    heads = len(site.heads)
    with gate.client(http2=True) as client:
        answer = client.post(
            f"https://origin.test:{site.https_port}/",
            content=b"\0" * 33,
            headers={"Content-Type": "application/dns-message"},
        )
    assert answer.status_code == 403
    assert len(site.heads) == heads


def test_a_translated_page_that_is_open_comes(gate: Gateway, site: Origin) -> None:
    """The table closes nothing by itself: an address inside that is open stays so."""
    with gate.client() as client:
        url = f"http://origin.test:{site.http_port}/?u=https://www.bet365.com/"
        assert client.get(url).status_code == 200


def test_a_host_that_disagrees_with_the_name_is_counted(gate: Gateway, site: Origin) -> None:
    before = counted(gate, "fronting")
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, READ, site.https_port) == 200
        with tls(connection, READ, gate.ca_file) as encrypted:
            assert get(encrypted, BLOCKED)[0] == 403
    assert counted(gate, "fronting") == before + 1
    assert BLOCKED not in site.hosts


@pytest.mark.parametrize(
    ("greeting", "want"),
    [(b"\x05\x01\x00", b"\x05\xff"), (b"\x04\x01\x01\xbb\x01\x01\x01\x01\x00", b"\x00\x5b")],
)
def test_socks_is_refused_in_its_own_words(gate: Gateway, greeting: bytes, want: bytes) -> None:
    before = counted(gate, "socks")
    with dial(gate) as connection:
        connection.sendall(greeting)
        answer = b""
        while piece := connection.recv(100):
            answer += piece
    assert answer.startswith(want)
    assert counted(gate, "socks") == before + 1
    assert eventually(lambda: bool(seen(gate, "socks")))


def said(gate: Gateway, target: str, port: int, first: bytes) -> bytes:
    """Open a tunnel, say something, and give what comes back until the end."""
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, target, port) == 200
        connection.sendall(first)
        answer = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(4096):
                answer += piece
                if answer[:1] != b"\x15":
                    break
    return answer


@pytest.mark.parametrize("target", [TRUSTED, READ])
@pytest.mark.parametrize(
    ("first", "kind", "want"),
    [
        (hello(versions=(0x0302, 0x0301)), "old-tls", b"\x15\x03\x01\x00\x02\x02\x46"),
        (hello(versions=None, legacy=0x0301), "old-tls", b"\x15\x03\x01\x00\x02\x02\x46"),
        (hello(None), "no-name", b"\x16\x03"),
        (hello(None, is_hybrid=True, record=300), "no-name", b"\x16\x03"),
        (hello(None, has_esni=True), "hidden-name", b"\x16\x03"),
    ],
)
def test_a_hello_that_hides_its_site_or_is_old_is_refused(
    gate: Gateway, site: Origin, target: str, first: bytes, kind: str, want: bytes
) -> None:
    before, heads = counted(gate, kind), len(site.heads)
    assert said(gate, target, site.https_port, first).startswith(want)
    assert eventually(lambda: counted(gate, kind) == before + 1)
    assert len(site.heads) == heads


def test_what_is_no_tls_on_the_port_of_tls_ends(gate: Gateway) -> None:
    before = counted(gate, "tunnel")
    first = b"GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n"
    assert said(gate, READ, 443, first) == b""
    assert eventually(lambda: counted(gate, "tunnel") == before + 1)


def test_tls_within_tls_to_a_site_ends(gate: Gateway, site: Origin) -> None:
    """A site that is a proxy would carry what nobody sees."""
    before, heads = counted(gate, "tls-in-tls"), len(site.heads)
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, READ, site.https_port) == 200
        with tls(connection, READ, gate.ca_file) as encrypted:
            encrypted.sendall(hello("hidden.example"))
            with suppress(ConnectionResetError, ssl.SSLError):
                assert encrypted.recv(100) == b""
    assert eventually(lambda: counted(gate, "tls-in-tls") == before + 1)
    assert len(site.heads) == heads
    assert gate.metric(r"schoolgate_filter_errors_total") == 0


def test_a_tunnel_within_a_tunnel_ends(gate: Gateway, site: Origin) -> None:
    heads = len(site.heads)
    with dial(gate) as connection:
        assert ask_for_tunnel(connection, READ, site.https_port) == 200
        with tls(connection, READ, gate.ca_file) as encrypted:
            encrypted.sendall(
                f"CONNECT {BLOCKED}:443 HTTP/1.1\r\nHost: {BLOCKED}:443\r\n\r\n".encode()
            )
            with suppress(ConnectionResetError, ssl.SSLError):
                assert b" 200 " not in encrypted.recv(4096)
    assert len(site.heads) == heads


# Two devices of one person; the last bits of an address say which worker serves it.
ANN = {
    "laptop": {"address": "127.0.3.9", "user": "ann", "group": "pupils"},
    "tablet": {"address": "127.0.3.10", "user": "ann", "group": "pupils"},
}


@pytest.fixture(scope="module")
def strict(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose clients trust no certificate of it, with the tunnels of a school's machine."""
    directory = tmp_path_factory.mktemp("strict")
    shutil.copytree(ROOT / "config", directory / "config")
    policy = """\
id: guests
extends: uk-baseline
school: Hill School
document: Guests
contact: the office
clauses:
  G-1: {title: Guests are filtered by the names of sites}
  G-2: {title: Attempts are looked at}
inspection:
  mode: needed
  names_only:
    - {clause: G-1, groups: [pupils]}
attempts: {clause: G-2, most: 3, minutes: 5}
"""
    (directory / "config/policies/guests.yaml").write_text(policy)
    people = directory / "people.yaml"
    people.write_text(yaml.safe_dump({"devices": ANN, "neighbours": False}))
    config = gateway.write_config(
        directory,
        policy="guests",
        people=str(people),
        policies_dir=str(directory / "config/policies"),
        proxy=gateway.to_origin(site) | {"tunnel_ports": [443, site.https_port, site.http_port]},
    )
    with gateway.running(config) as running:
        yield running


def test_whoever_trusts_no_certificate_of_ours_is_refused_by_tls(
    strict: Gateway, site: Origin
) -> None:
    """No certificate is shown, so that none was made; what is open is carried unread."""
    heads = len(site.heads)
    refused = strict.metric(r'schoolgate_connections_total\{tls="refuse"\}')
    assert said(strict, BLOCKED, site.https_port, hello(BLOCKED)) == b"\x15\x03\x01\x00\x02\x02\x31"
    assert len(site.heads) == heads
    assert eventually(
        lambda: strict.metric(r'schoolgate_connections_total\{tls="refuse"\}') == refused + 1
    )
    with dial(strict) as connection:
        assert ask_for_tunnel(connection, BLOCKED, site.https_port) == 200
        with pytest.raises(ssl.SSLError, match="ACCESS_DENIED"), tls(connection, BLOCKED):
            pass
    with dial(strict) as connection:
        assert ask_for_tunnel(connection, READ, site.https_port) == 200
        with tls(connection, READ, site.ca_file) as encrypted:
            assert issuer(encrypted) == "schoolgate test origin CA"
    # A mask does not help, since nothing inside is seen.
    first = hello(BLOCKED)
    assert said(strict, READ, site.https_port, first) == b"\x15\x03\x01\x00\x02\x02\x31"
    assert counted(strict, "fronting") == 1


def test_a_tunnel_to_an_odd_port_is_refused(strict: Gateway) -> None:
    with dial(strict) as connection:
        assert ask_for_tunnel(connection, READ, 22) == 403
    # As is one that only the full parser reads.
    with dial(strict) as connection:
        connection.sendall(
            b"CONNECT origin.test:22 HTTP/1.1\r\nHost: origin.test:22\r\nA: b\r\nA: c\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 403")
    assert eventually(lambda: counted(strict, "odd-port") == 2)


def test_many_attempts_raise_one_alert(strict: Gateway) -> None:
    with strict.client(address="127.0.0.9") as client:
        for host in ("nordvpn.com", "www.nordvpn.com", "expressvpn.com", "mullvad.net"):
            assert client.get(f"http://{host}/").status_code == 403

    assert eventually(lambda: bool(alerts(strict, client="127.0.0.9")))
    (alert,) = alerts(strict, client="127.0.0.9")
    assert (alert["theme"], alert["severity"], alert["clause"]) == (
        "circumvention",
        "medium",
        "G-2",
    )
    assert alert["score"] == 3
    assert alert["kinds"] == {"site": 3}
    assert eventually(
        lambda: (
            strict.metric(r'schoolgate_alerts_total\{severity="medium",theme="circumvention"\}')
            == len(alerts(strict))
        )
    )


def alerts(gate: Gateway, **of: str) -> list[dict[str, Any]]:
    """Give the alerts of somebody, or of all."""
    raised = [line for line in gate.journal() if line["event"] == "alert.raised"]
    return [line for line in raised if of.items() <= line.items()]


def test_attempts_of_one_person_are_one_incident_whichever_workers_saw_them(
    strict: Gateway,
) -> None:
    """Two on one device and two on another: no worker has seen three of them."""
    hosts = iter(("protonvpn.com", "surfshark.com", "tunnelbear.com", "windscribe.com"))
    for _ in range(2):
        for device in ANN.values():
            with strict.client(address=device["address"]) as client:
                assert client.get(f"http://{next(hosts)}/").status_code == 403
    assert eventually(lambda: bool(alerts(strict, user="ann")))
    (alert,) = alerts(strict, user="ann")
    assert (alert["score"], alert["kinds"]) == (3, {"site": 3})
    # Each worker writes its own lines, when it comes to it.
    assert eventually(lambda: workers_that_saw(strict, user="ann") == {1, 2})


def workers_that_saw(gate: Gateway, user: str) -> set[int]:
    """Give the workers whose lines of attempts by somebody are written."""
    lines = [line for line in gate.journal() if line["event"] == "circumvention.seen"]
    return {line["worker"] for line in lines if line["user"] == user}
