"""Each way round the filter, tried from the device as programs do it: closed, counted, written down.

Over IPv4 and IPv6, redirected and through the proxy; what is tried reaches the internet when it is not.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.trying import (
    BLOCKED,
    BYPASS,
    DNS_QUERY,
    GAMBLING,
    NUMBERS,
    READ,
    WAYS_IN,
    Town,
    asked2,
    closed,
    every_way_in,
    page,
    redirected,
    tried,
)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with tried(tmp_path_factory.mktemp("ways")) as running:
        yield running


def test_the_gateway_filters_and_the_internet_answers(town: Town) -> None:
    """What is closed below is closed by the filter."""
    for family, is_explicit in WAYS_IN:
        found = town.tries(family, is_explicit=is_explicit, host=READ, sni=READ, lines=page(READ))
        assert (found["status"], found["is_origin"]) == (200, True)
        found = town.tries(
            family, is_explicit=is_explicit, host=READ, sni=READ, alpn="h2", asks=[asked2(READ)]
        )
        assert (found["status"], found["is_origin"]) == (200, True)
        # The origin says where else it is, and clients do not hear it.
        assert "alt-svc" not in found["fields"]


# -- by name: VPNs, proxies, Tor, encrypted DNS, relays ----------------------------------------------


@every_way_in
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("www.nordvpn.com", id="a VPN"),
        pytest.param("www.torproject.org", id="Tor"),
        pytest.param("www.croxyproxy.com", id="a proxy"),
        pytest.param("anonymouse.org", id="an anonymiser"),
        pytest.param("dns.google", id="DNS over HTTPS"),
        pytest.param("one.one.one.one", id="DNS over HTTPS at an address with a name"),
        pytest.param("mask.icloud.com", id="Private Relay"),
        pytest.param("mask-h2.icloud.com", id="Private Relay by HTTP/2"),
        pytest.param("cloudflare-ech.com", id="the outer name of encrypted hellos"),
    ],
)
def test_sites_that_get_round_the_filter_show_why_they_are_closed(
    town: Town, family: int, is_explicit: bool, host: str
) -> None:
    # The names of Private Relay are answered with none; whoever has an address tries it.
    at = {} if is_explicit else {"at": NUMBERS[family]}
    with closed(town, "site"):
        found = town.tries(
            family, is_explicit=is_explicit, host=host, sni=host, lines=page(host), **at
        )
    assert (found["status"], found["clause"]) == (403, BYPASS)
    assert town.has_seen("site", host, family)


@every_way_in
@pytest.mark.parametrize("host", [BLOCKED, "www.nordvpn.com"])
def test_a_blocked_site_is_never_connected_to(
    town: Town, family: int, is_explicit: bool, host: str
) -> None:
    reached = town.reached()
    for alpn in ("http/1.1", "h2"):
        found = town.tries(family, is_explicit=is_explicit, host=host, sni=host, alpn=alpn,
                           at=NUMBERS[family], lines=page(host))  # fmt: skip
        assert found["status"] == 403
    assert town.reached() == reached


# -- by shape -------------------------------------------------------------------------------------------


DNS_MESSAGE = "application/dns-message"


@every_way_in
@pytest.mark.parametrize(
    ("target", "fields", "method"),
    [
        pytest.param(f"/dns-query?dns={DNS_QUERY}", {}, "GET", id="GET"),
        pytest.param("/dns-query", {"accept": DNS_MESSAGE}, "GET", id="asked for by type"),
        pytest.param("/", {"content-type": DNS_MESSAGE}, "POST", id="POST"),
        pytest.param(
            "/a", {"content-type": "Application/DNS-Message"}, "POST", id="POST, in capitals"
        ),
        pytest.param("/a", {"accept": f"text/html, {DNS_MESSAGE}"}, "GET", id="among other types"),
        pytest.param(f"/a?d%6Es={DNS_QUERY}", {}, "GET", id="with an escape"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_dns_over_https_to_an_open_site_is_closed_by_its_shape(
    town: Town,
    family: int,
    is_explicit: bool,
    target: str,
    fields: dict[str, str],
    method: str,
    version: int,
) -> None:
    sent: dict[str, Any] = (
        {"lines": page(READ, target, *(f"{n}: {v}" for n, v in fields.items()), method=method)}
        if version == 1
        else {"alpn": "h2", "asks": [asked2(READ, target, *fields.items(), method=method)]}
    )
    with closed(town, "doh"):
        found = town.tries(family, is_explicit=is_explicit, host=READ, sni=READ, **sent)
    assert (found["status"], found["clause"]) == (403, BYPASS)
    assert town.has_seen("doh", READ, family)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("is_tls", [True, False], ids=["https", "http"])
def test_an_address_in_the_place_of_a_name_is_closed_at_the_proxy(
    town: Town, family: int, is_tls: bool
) -> None:
    place = {4: "8.8.8.8", 6: "2001:4860:4860::8888"}[family]
    host = f"[{place}]" if family == 6 else place
    sent: dict[str, Any] = (
        {"sni": "", "lines": page(host, "/dns-query")}
        if is_tls
        else {"port": 80, "is_plain": True, "lines": page(host, f"http://{host}/dns-query")}
    )
    with closed(town, "address"):
        found = town.tries(family, is_explicit=True, host=place, **sent)
    assert (found["status"], found["clause"]) == (403, BYPASS)
    assert town.has_seen("address", place, family)


@redirected
def test_an_address_in_the_place_of_a_name_is_closed_where_it_is_redirected(
    town: Town, family: int
) -> None:
    """Without a name in its hello nobody can say what it is; with one, the address counts for nothing."""
    place = {4: "8.8.8.8", 6: "2001:4860:4860::8888"}[family]
    with closed(town, "tunnel"):
        found = town.tries(family, is_explicit=False, host=place, sni="", lines=page(place))
    assert "status" not in found
    assert town.has_seen("tunnel", place, family)
    with closed(town, "address"):
        host = f"[{place}]" if family == 6 else place
        found = town.tries(family, is_explicit=False, host=place, port=80, lines=page(host))
    assert found["status"] == 403


# -- addresses inside addresses -------------------------------------------------------------------------


@every_way_in
@pytest.mark.parametrize(
    ("host", "target"),
    [
        pytest.param("www-bet365-com.translate.goog", "/?_x_tr_sl=en", id="Google Translate"),
        pytest.param(
            "et365-com.translate.goog", "/?_x_tr_sl=en&_x_tr_hp=www-b", id="with a prefix elsewhere"
        ),
        pytest.param(
            "translate.google.com", f"/translate?sl=en&u=https://{BLOCKED}/", id="by its address"
        ),
        pytest.param(
            "www.translatetheweb.com", f"/?from=&to=en&a=https%3A%2F%2F{BLOCKED}%2F", id="Bing"
        ),
        pytest.param("web.archive.org", f"/web/2020/https://{BLOCKED}/", id="an archive"),
        pytest.param("archive.ph", f"/newest/https://{BLOCKED}/", id="another archive"),
        pytest.param("webcache.googleusercontent.com", f"/search?q=cache:{BLOCKED}/", id="a cache"),
        pytest.param("cdn.ampproject.org", f"/c/s/{BLOCKED}/a", id="AMP"),
        pytest.param("www.google.com", f"/amp/s/{BLOCKED}/a", id="AMP of a search engine"),
        pytest.param("r.jina.ai", f"/https://{BLOCKED}/", id="a reader"),
        pytest.param("12ft.io", f"/https://{BLOCKED}/", id="another reader"),
        pytest.param("wsrv.nl", f"/?url={BLOCKED}/a.png", id="an image proxy"),
        pytest.param("i0.wp.com", f"/{BLOCKED}/a.png", id="another image proxy"),
        pytest.param("corsproxy.io", f"/?https%3A%2F%2F{BLOCKED}", id="a proxy for scripts"),
    ],
)
def test_a_page_within_another_service_is_judged_by_its_own_address(
    town: Town, family: int, is_explicit: bool, host: str, target: str
) -> None:
    with closed(town, "inner-address"):
        found = town.tries(
            family, is_explicit=is_explicit, host=host, sni=host, lines=page(host, target)
        )
    assert (found["status"], found["clause"]) == (403, GAMBLING)
    assert town.has_seen("inner-address", host, family)
