"""What is answered in the place of sites when only the filter is tested."""

import json

import pytest
from mitmproxy.test import tflow, tutils

from schoolgate.core import canaries
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Decision,
    Obligation,
    Reason,
    Service,
    Verdict,
    WebRequest,
    Writing,
)
from schoolgate.core.urls import parse_url
from schoolgate.proxy import canary_sites, transactions
from schoolgate.proxy.transactions import Transaction
from tests.core.policy.example import NOON, engine, listed

SEARCH = "https://search.example/find?q=a&safe=off"
SERVICE = Service("s", "S", (listed("search.example", "search"),))
STRICT = Obligation("o", "C-1", SERVICE, "strict", Writing(query=(("safe", "active"),)))
OPEN = f"http://{canaries.OPEN}/"


def transaction(url: str, *, is_synthetic: bool) -> Transaction:
    client = Client("100::1", "pupils", is_synthetic=is_synthetic)
    decision = Decision(Verdict.ALLOW, Reason.DEFAULT, "C-1", "r", obligations=(STRICT,))
    return Transaction(WebRequest(parse_url(url), client), decision, engine(), NOON, 0, 0, 0)


@pytest.mark.parametrize(
    ("url", "is_synthetic", "want"),
    [(SEARCH, True, True), (OPEN, False, True), (OPEN, True, True), (SEARCH, False, False)],
)
def test_what_is_a_test(url: str, is_synthetic: bool, want: bool) -> None:
    assert transaction(url, is_synthetic=is_synthetic).is_test is want


def test_who_is_nobody_is_told_what_the_site_would_have_got() -> None:
    flow = tflow.tflow(
        req=tutils.treq(
            scheme=b"https", host="search.example", port=443, path=b"/find?q=a&safe=off",
            headers=((b"host", b"search.example"),),
        )
    )  # fmt: skip
    canary_sites.answer(flow, transaction(SEARCH, is_synthetic=True))
    assert transactions.is_answered(flow)
    assert flow.response is not None
    assert "alt-svc" not in flow.response.headers
    said = json.loads(flow.response.content or b"")
    assert said["url"] == "https://search.example/find?q=a&safe=active"
    assert said["written"] == ["s:strict"]
    assert said["connects_to"] == "search.example"


def test_people_see_that_a_test_site_is_open() -> None:
    flow = tflow.tflow(req=tutils.treq(host=canaries.OPEN))
    canary_sites.answer(flow, transaction(OPEN, is_synthetic=False))
    assert flow.response is not None
    assert flow.response.headers["content-type"] == "image/svg+xml"
    assert b"Not blocked" in (flow.response.content or b"")
