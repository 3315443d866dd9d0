"""What passes, what is stopped and what is written down, through the real command."""

import contextlib
import http.client
import json
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests import gateway
from tests.gateway import PATIENCE_SECONDS, Gateway, eventually, stay_within_a_day
from tests.origin import Origin

PAGE = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Dest": "document"}


def status(client: httpx.Client, url: str) -> int | None:
    """Give the status of a page; None when it was cut off because the rules changed meanwhile."""
    try:
        return client.get(url).status_code
    except (httpx.RemoteProtocolError, httpx.NetworkError):
        return None


@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_an_allowed_site_opens_over_https(gate: Gateway, site: Origin, http2: bool) -> None:
    with gate.client(http2=http2) as client:
        answer = client.get(f"https://www.bbc.co.uk:{site.https_port}/bitesize")
    assert answer.status_code == 200
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert answer.text == f"origin says hello over HTTP/{'2' if http2 else '1.1'}"


def test_an_allowed_site_opens_over_http(gate: Gateway, site: Origin) -> None:
    with gate.client() as client:
        answer = client.get(f"http://www.bbc.co.uk:{site.http_port}/bitesize")
    assert (answer.status_code, answer.text) == (200, "origin says hello over HTTP/1.1")


def test_an_origin_cannot_lure_browsers_to_http3(gate: Gateway, site: Origin) -> None:
    with gate.client() as client:
        answer = client.get(f"http://origin.test:{site.http_port}/")
    assert "alt-svc" not in answer.headers


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_a_blocked_site_is_never_contacted(
    gate: Gateway, site: Origin, scheme: str, http2: bool
) -> None:
    port = site.https_port if scheme == "https" else site.http_port
    with gate.client(http2=http2) as client:
        answer = client.get(f"{scheme}://www.bet365.com:{port}/", headers=PAGE)
    assert answer.status_code == 403
    assert answer.headers["x-schoolgate-clause"] == "W-6.3.1-gambling"
    assert answer.headers["x-schoolgate-category"] == "gambling"
    assert answer.headers["cache-control"] == "no-store"
    for words in ("Wellstead Primary School", "Gambling", "W-6.3.1-gambling", "www.bet365.com"):
        assert words in answer.text
    assert "www.bet365.com" not in site.hosts


@pytest.mark.parametrize(
    ("headers", "media_type", "body"),
    [
        (PAGE, "text/html; charset=utf-8", b"<!doctype html>"),
        ({"Accept": "*/*"}, "text/html; charset=utf-8", b"<!doctype html>"),
        ({"Sec-Fetch-Dest": "image", "Accept": "image/avif,*/*"}, "image/gif", b"GIF89a"),
        ({"Sec-Fetch-Dest": "empty", "Accept": "*/*"}, "application/json; charset=utf-8", b"{"),
        ({"Accept": "application/json"}, "application/json; charset=utf-8", b"{"),
        ({"Sec-Fetch-Dest": "script", "Accept": "*/*"}, "text/plain; charset=utf-8", b""),
        ({"Sec-Fetch-Dest": "style", "Accept": "text/css"}, "text/plain; charset=utf-8", b""),
    ],
)
def test_the_answer_is_of_the_kind_that_was_asked_for(
    gate: Gateway, headers: dict[str, str], media_type: str, body: bytes
) -> None:
    with gate.client() as client:
        answer = client.get("http://www.bet365.com/x", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(body) if body else answer.content == b""


def test_an_api_call_is_told_in_json_why(gate: Gateway) -> None:
    with gate.client() as client:
        answer = client.get("http://www.bet365.com/x", headers={"Accept": "application/json"})
    assert json.loads(answer.text) == {
        "error": "blocked",
        "school": "Wellstead Primary School",
        "host": "www.bet365.com",
        "clause": "W-6.3.1-gambling",
        "category": "gambling",
        "reason": "category",
    }


@pytest.mark.parametrize(
    ("host_header", "want"),
    [
        ("www.bet365.com", 403),
        ("www.bet365.com:80", 403),
        ("WWW.BET365.COM.", 403),
        ("origin.test", 200),
    ],
)
def test_a_host_header_is_no_mask_for_another_site(
    gate: Gateway, site: Origin, host_header: str, want: int
) -> None:
    with gate.client() as client:
        url = f"http://origin.test:{site.http_port}/"
        assert client.get(url, headers={"Host": host_header}).status_code == want


def test_a_tls_name_is_no_mask_for_another_site(gate: Gateway, site: Origin) -> None:
    with gate.client() as client:
        answer = client.get(
            f"https://origin.test:{site.https_port}/", headers={"Host": "www.bet365.com"}
        )
    assert answer.headers["x-schoolgate-clause"] == "W-6.3.1-gambling"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:1/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fe80::1]/",
        "http://192.168.1.1/",
        "http://0x7f.2/",
        "http://2130706434/",
        "http://0177.0.0.02/",
    ],
)
def test_private_destinations_are_refused(gate: Gateway, url: str) -> None:
    status, clause = asked_plainly(gate, url)
    assert (status, clause) == (403, "gateway-private-destination")


def asked_plainly(gate: Gateway, url: str) -> tuple[int, str | None]:
    """Ask for a URL in just these characters; a client library would rewrite some hosts."""
    host, _, port = gate.proxy.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", url, headers={"Host": urlsplit(url).netloc})
        answer = connection.getresponse()
        return answer.status, answer.headers["X-Schoolgate-Clause"]
    finally:
        connection.close()


def test_a_name_that_leads_into_the_gateway_is_refused(own_config: Path, site: Origin) -> None:
    """`localhost` and names with a private address are judged by the address."""
    text = own_config.read_text().replace("127.0.0.1/32", "10.99.0.0/16")
    own_config.write_text(text)
    with gateway.running(own_config) as closed, closed.client() as client:
        for host in ("localhost", "origin.test"):
            answer = client.get(f"http://{host}:{site.http_port}/")
            assert answer.headers.get("x-schoolgate-clause") == "gateway-private-destination"


def test_a_tunnel_to_a_dns_port_is_refused(gate: Gateway) -> None:
    pattern = r'^schoolgate_circumvention_total{kind="dns"}'
    before = gate.metric(pattern)
    with gate.client() as client, pytest.raises(httpx.ProxyError, match="403"):
        client.get("https://origin.test:853/")
    assert gate.metric(pattern) == before + 1


def test_every_decision_is_in_the_journal_and_in_the_metrics(gate: Gateway, site: Origin) -> None:
    marker = "/journal-marker"
    pattern = (
        r'^schoolgate_requests_total{category="auctions",group="pupils",period="",verdict="block"}'
    )
    before = gate.metric(pattern)
    with gate.client() as client:
        client.get(f"http://www.ebay.co.uk{marker}?secret=1")
        client.get(f"http://origin.test:{site.http_port}{marker}?secret=1")

    def lines() -> list[dict[str, object]]:
        return [line for line in gate.journal() if str(line.get("url")).endswith(marker)]

    assert eventually(lambda: len(lines()) == 2)
    blocked, allowed = lines()
    want = {
        "event": "request.decided",
        "client": "127.0.0.1",
        "group": "pupils",
        "method": "GET",
        "scheme": "http",
        "host": "www.ebay.co.uk",
        "url": f"http://www.ebay.co.uk{marker}",
        "verdict": "block",
        "reason": "category",
        "clause": "W-6.3.1-auctions",
        "category": "auctions",
        "entry": "ebay.co.uk",
        "feed": "curated",
        "rule": "auctions",
        "policy": "wellstead",
        "status": 403,
    }
    assert {key: blocked[key] for key in want} == want
    assert (allowed["verdict"], allowed["status"], allowed["bytes_down"]) == ("allow", 200, 31)
    assert gate.metric(pattern) == before + 1
    assert gate.metric(r"^schoolgate_decision_seconds_count") > 0
    assert gate.metric(r'^schoolgate_list_domains{category="gambling"}') >= 40


def test_of_illegal_sites_nothing_is_kept_but_who_when_and_where(gate: Gateway) -> None:
    """W-7.2.4."""
    with gate.client() as client:
        assert client.get("http://www.99papers.com/order?name=x").status_code == 403

    def lines() -> list[dict[str, object]]:
        return [line for line in gate.journal() if line["host"] == "www.99papers.com"]

    assert eventually(lambda: len(lines()) == 1)
    assert lines()[0]["clause"] == "W-6.3.1-illegal"
    assert set(lines()[0]) == {
        *("ts", "id", "gateway", "worker", "event", "client", "device", "user", "group"),
        *("device_kind", "also", "network"),
        *("host", "verdict", "clause", "category", "policy"),
    }


@pytest.mark.parametrize("size", [0, 10, 65_536, 65_537, 1_000_000])
def test_bodies_arrive_whole_both_ways(gate: Gateway, site: Origin, size: int) -> None:
    before = site.received
    with gate.client() as client:
        up = client.post(f"https://origin.test:{site.https_port}/", content=b"y" * size)
        down = client.get(f"https://origin.test:{site.https_port}/bytes/{size}")
    assert (up.status_code, site.received - before) == (200, size)
    assert len(down.content) == size


def test_a_large_upload_to_a_blocked_site_does_not_reach_it(gate: Gateway, site: Origin) -> None:
    """The client finds the connection closed or the page; the origin sees nothing."""
    before = site.received
    with gate.client() as client:
        try:
            answer = client.post(
                f"http://www.bet365.com:{site.http_port}/", content=b"y" * 5_000_000
            )
        except httpx.HTTPError:
            pass
        else:
            assert answer.status_code == 403
    assert site.received == before


def websocket(gate: Gateway, url: str) -> ClientConnection:
    """Open a WebSocket through the proxy."""
    context = ssl.create_default_context(cafile=str(gate.ca_file))
    return connect(url, proxy=gate.proxy, ssl=context, open_timeout=PATIENCE_SECONDS)


def test_a_websocket_to_an_allowed_site_works(gate: Gateway, site: Origin) -> None:
    with websocket(gate, f"wss://origin.test:{site.https_port}/ws") as socket:
        for text in ("one", "two"):
            socket.send(text)
            assert socket.recv(timeout=PATIENCE_SECONDS) == text


def test_a_websocket_to_a_blocked_site_is_refused(gate: Gateway, site: Origin) -> None:
    with pytest.raises(InvalidStatus) as raised:
        websocket(gate, f"wss://www.bet365.com:{site.https_port}/ws")
    assert raised.value.response.status_code == 403


def test_a_suspension_cuts_what_is_open_and_its_end_lets_it_go_on(
    gate: Gateway, site: Origin
) -> None:
    """A WebSocket, a download and a kept connection of one client; another client goes on."""
    url = f"https://origin.test:{site.https_port}"
    with (
        gate.client(address="127.0.0.77") as kept,
        gate.client(address="127.0.0.78") as other,
        kept.stream("GET", f"{url}/endless") as download,
    ):
        chunks = download.iter_raw()
        assert next(chunks)
        assert kept.get(f"{url}/").status_code == 200
        done = gate.run("suspend", "127.0.0.77", "--until", "1h", "--reason", "See the office")
        assert done.returncode == 0, done.stderr
        # The origin would never stop: that this ends is the cut.
        with contextlib.suppress(httpx.HTTPError):
            for _ in chunks:
                pass
        answer = kept.get(f"{url}/", headers=PAGE)
        assert answer.status_code == 403
        assert answer.headers["x-schoolgate-clause"] == "W-6.3.1-withdraw"
        assert "See the office" in answer.text
        assert other.get(f"{url}/").status_code == 200
        assert gate.run("unsuspend", "127.0.0.77").returncode == 0
        assert eventually(lambda: status(kept, f"{url}/") == 200)


def test_a_suspension_ends_a_websocket(gate: Gateway, site: Origin) -> None:
    with websocket(gate, f"wss://origin.test:{site.https_port}/ws") as socket:

        def spoken(text: str) -> str | bytes:
            socket.send(text)
            return socket.recv(timeout=PATIENCE_SECONDS)

        assert spoken("one") == "one"
        gate.run("suspend", "127.0.0.1", "--until", "1h", "--reason", "See the office")
        try:
            with pytest.raises(ConnectionClosed):
                eventually(lambda: spoken("two") != "two")
        finally:
            gate.run("unsuspend", "127.0.0.1")
    # The tests that follow come from this address, too.
    with gate.client() as client:
        assert eventually(lambda: status(client, f"http://origin.test:{site.http_port}/") == 200)


def test_a_grant_opens_and_its_revocation_closes_on_a_kept_connection(
    gate: Gateway, site: Origin
) -> None:
    url = f"https://www.ebay.co.uk:{site.https_port}/"
    with gate.client() as client:
        assert client.get(url).status_code == 403
        added = gate.run(
            "grants", "add", "ebay.co.uk", "--until", "1h", "--decided-by", "headteacher",
            "--reason", "pricing lesson",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        number = added.stdout.split()[1].rstrip(":")
        assert eventually(lambda: status(client, url) == 200)
        assert gate.run("grants", "revoke", number).returncode == 0
        assert eventually(lambda: status(client, url) == 403)


def test_circumvention_is_opened_by_the_headteacher_only(gate: Gateway, site: Origin) -> None:
    url = f"http://www.nordvpn.com:{site.http_port}/"
    grant = ("grants", "add", "nordvpn.com", "--until", "1h", "--reason", "a talk on safety")
    refused = gate.run(*grant, "--decided-by", "slt")
    assert refused.returncode == 1
    assert "only the headteacher can open it" in refused.stderr
    number = gate.run(*grant, "--decided-by", "headteacher").stdout.split()[1].rstrip(":")
    with gate.client() as client:
        assert eventually(lambda: status(client, url) == 200)
        assert gate.metric(r"^schoolgate_grants_active ") == 1
        gate.run("grants", "revoke", number)
        assert eventually(lambda: status(client, url) == 403)
    assert eventually(lambda: gate.metric(r"^schoolgate_grants_active ") == 0)


def test_a_warning_is_clicked_through_once_a_day(gate: Gateway, site: Origin) -> None:
    stay_within_a_day()
    url = f"https://www.dropbox.com:{site.https_port}"
    with gate.client(address="127.0.0.88") as client, gate.client(address="127.0.0.89") as other:
        page = client.get(f"{url}/home?x=1", headers=PAGE)
        assert page.status_code == 403
        assert page.headers["x-schoolgate-verdict"] == "warn"
        assert page.headers["x-schoolgate-clause"] == "W-6.3.1-cloud"
        link = page.text.partition('action="')[2].partition('"')[0].replace("&amp;", "&")

        assert other.post(url + link).status_code == 403, "a link is signed for one client"
        assert client.post(url + link[:-1] + "x").status_code == 403, "a forged link does nothing"
        assert client.get(url + link).status_code == 403, "only a click counts, no GET"

        click = client.post(url + link)
        assert (click.status_code, click.headers["location"]) == (303, "/home?x=1")
        assert client.get(f"{url}/home?x=1").status_code == 200
        assert other.get(f"{url}/").status_code == 403
    assert eventually(lambda: any(line["event"] == "warning.accepted" for line in gate.journal()))


def test_help_lines_stay_open(gate: Gateway, site: Origin) -> None:
    with gate.client() as client:
        answer = client.get(f"http://www.childline.org.uk:{site.http_port}/")
    assert answer.status_code == 200


def test_the_schools_own_lists_come_into_force_without_a_restart(
    own_config: Path, site: Origin
) -> None:
    """A broken one does not, and the last good ones stay."""
    local = own_config.parent / "local"
    with gateway.running(own_config) as own, own.client() as client:
        url = f"http://origin.test:{site.http_port}/"
        assert client.get(url).status_code == 200
        (local / "block.txt").write_text("origin.test  # a reason\n")
        assert eventually(lambda: status(client, url) == 403)
        assert client.get(url).headers["x-schoolgate-clause"] == "W-6.3.1-arbiter"
        (local / "block.txt").write_text("not a host\n")
        errors = r"^schoolgate_reload_errors_total"
        assert eventually(lambda: own.metric(errors) == gateway.WORKERS)
        assert client.get(url).status_code == 403
        (local / "block.txt").unlink()
        assert eventually(lambda: status(client, url) == 200)


def test_health_and_metrics_answer(gate: Gateway) -> None:
    health = gate.get("health")
    assert (health.status_code, health.text) == (200, "ok\n")
    assert gate.metric(r'^schoolgate_worker_up{worker="1"}') == 1
    assert gate.metric(r"^schoolgate_worker_up{") == gateway.WORKERS
    assert gate.metric(r"^schoolgate_worker_restarts_total") == 0
    assert gate.metric(r"^schoolgate_filter_errors_total") == 0
