"""Signs of harm raise alerts through the real gateway, blocked or not, and the page waits for nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from schoolgate.proxy.pages import HELPLINES
from tests.gateway import Gateway, eventually, running, stay_within_a_day, to_origin, write_config
from tests.origin import Origin

ENGINE, EVERYDAY, CLOSED = "www.bing.com", "www.example.org", "www.leafly.com"
PAGE = {"accept": "text/html"}

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def gateway(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    proxy = to_origin(site, [ENGINE, EVERYDAY, CLOSED])
    directory = tmp_path_factory.mktemp("signs")
    with running(write_config(directory, policy="twiss-green", proxy=proxy)) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def _away_from_midnight() -> None:
    stay_within_a_day()


def alerts(gateway: Gateway, **wanted: Any) -> list[dict[str, Any]]:
    lines = [line for line in gateway.journal() if line["event"] == "alert.raised"]
    return [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]


def test_a_search_that_is_let_through_raises_an_alert_once(gateway: Gateway, site: Origin) -> None:
    with gateway.client() as client:
        for _ in range(3):
            url = f"http://{ENGINE}:{site.http_port}/search?q=i+want+to+kill+myself"
            assert client.get(url, headers=PAGE).status_code == 200
    assert eventually(lambda: bool(alerts(gateway, theme="self-harm")))
    (line,) = alerts(gateway, theme="self-harm")
    assert (line["severity"], line["kind"], line["clause"]) == ("danger", "search", "T-5-cpoms")
    assert line["search"] == "i want to kill myself"
    assert line["url"] == f"http://{ENGINE}:{site.http_port}/search"
    assert all(each.startswith("self-harm/en/") for each in line["phrase_ids"])
    counted = r'schoolgate_alerts_total\{severity="danger",theme="self-harm"\}'
    assert eventually(lambda: gateway.metric(counted) == 1)


def test_a_blocked_site_of_a_kind_raises_one(gateway: Gateway, site: Origin) -> None:
    with gateway.client() as client:
        url = f"http://{CLOSED}:{site.http_port}/"
        assert client.get(url, headers=PAGE).status_code == 403
    assert eventually(lambda: bool(alerts(gateway, theme="drugs")))
    (line,) = alerts(gateway, theme="drugs")
    assert (line["kind"], line["category"], line["verdict"]) == ("category", "drugs", "block")
    assert line["search"] is None


def test_a_blocked_page_of_somebody_in_need_names_those_who_help(
    gateway: Gateway, site: Origin
) -> None:
    with gateway.client() as client:
        address = f"http://{CLOSED}:{site.http_port}"
        page = client.get(f"{address}/i-want-to-kill-myself", headers=PAGE)
        other = client.get(f"{address}/weather", headers=PAGE)
    assert (page.status_code, other.status_code) == (403, 403)
    for name, number, link, _ in HELPLINES:
        assert name in page.text
        assert number in page.text
        assert link in page.text
        assert name not in other.text


def test_what_says_nothing_raises_none(gateway: Gateway, site: Origin) -> None:
    """A picture on a page of a kind, a near miss, and what a request holds that is no search."""
    with gateway.client() as client:
        client.get(f"http://{ENGINE}:{site.http_port}/search?q=great+tit+nesting+box", headers=PAGE)
        client.get(f"http://{EVERYDAY}:{site.http_port}/?q=how+to+make+a+pipe+bomb", headers=PAGE)
        client.get(
            f"http://{EVERYDAY}:{site.http_port}/pro-ana/1.png", headers={"accept": "image/*"}
        )
        client.get(f"http://{EVERYDAY}:{site.http_port}/pro-ana/tips/", headers=PAGE)
    assert eventually(lambda: bool(alerts(gateway, theme="eating-disorders")))
    assert not alerts(gateway, theme="sexual")
    assert not alerts(gateway, theme="violence")
    (line,) = alerts(gateway, theme="eating-disorders")
    assert (line["kind"], line["severity"]) == ("address", "caution")
    assert line["url"].endswith("/pro-ana/tips/")
