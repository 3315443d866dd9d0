"""Addresses inside addresses: every reading that a service may have, as the shipped table says."""

import pytest

from schoolgate.core.errors import BadAddressError
from schoolgate.core.policy import Rule, Shape, TlsAction, Verdict, stricter_inside
from schoolgate.core.policy.carriers import Carrier, inner_urls
from schoolgate.core.policy.inspection import INSIDE, Inspection, InspectionMode
from schoolgate.core.urls import parse_url
from schoolgate.settings.carriers_file import load_carriers
from tests.core.policy.example import NOON, PUPIL, ask, engine, hosts
from tests.gateway import ROOT

TABLE = load_carriers(ROOT / "config" / "unfolding.yaml")
BLOCKED = Rule("games", "C-8", Verdict.BLOCK, hosts=hosts("games.example"))
BUILT = engine(rules=(BLOCKED,), carriers=TABLE, inspection=Inspection(InspectionMode.NEEDED))


@pytest.mark.parametrize(
    "url",
    [
        "https://games-example.translate.goog/a?_x_tr_sl=en",
        "https://www-games-example.translate.goog/",
        # A long name begins in the query, and one of another script has a sign before it.
        "https://ames-example.translate.goog/?_x_tr_sl=en&_x_tr_hp=www-g",
        "https://example.translate.goog/?_x_tr_hp=games-",
        "https://0-games-example.translate.goog/?_x_tr_enc=0",
        "https://1-games-example.translate.goog/a",
        "https://es-example.translate.goog/?_x_tr_hp=1-www-gam",
        "https://translate.google.com/translate?sl=en&tl=fr&u=https://games.example/a",
        "https://translate.google.co.uk/translate?u=games.example/a",
        "https://translate.google.com/translate?U=https%3A%2F%2Fgames.example",
        "https://translate.google.com/translate?x=1;u=https%253A%252F%252Fgames.example%252F",
        "https://translate.googleusercontent.com/translate_c?u=http://games.example/",
        "https://www.translatetheweb.com/?from=&to=en&a=https%3A%2F%2Fgames.example%2F",
        "https://www.microsofttranslator.com/bv.aspx?a=http://games.example",
        "https://translate.yandex.com/translate?url=games.example&lang=en-fr",
        "https://translated.turbopages.org/proxy_u/en-fr.fr.1a/https/games.example/x",
        "https://fanyi.baidu.com/transpage?query=http://games.example",
        "https://papago.naver.net/website?url=https://games.example",
        "https://web.archive.org/web/2020/https://games.example/x",
        "https://web.archive.org/web/20200101000000id_/http:/games.example/x",
        "https://web.archive.org/web/*/games.example",
        "https://web.archive.org/save/https://games.example/",
        "https://archive.ph/https://games.example/",
        "https://archive.today/newest/games.example",
        "https://archive.is/o/AbCdE/https://games.example/a",
        "https://webcache.googleusercontent.com/search?q=cache:games.example/&hl=en",
        "https://webcache.googleusercontent.com/search?q=cache:AbCdEfGhIj_0:https://games.example/",
        "https://games-example.cdn.ampproject.org/c/s/games.example/a",
        "https://cdn.ampproject.org/v/s/games.example/a?amp_js_v=1",
        "https://www.google.com/amp/s/games.example/a",
        "https://google.co.uk/amp/games.example/a",
        "https://googleweblight.com/?lite_url=http://games.example",
        "https://r.jina.ai/https://games.example/",
        "https://r.jina.ai/https%3A%2F%2Fgames.example%2F",
        "https://12ft.io/proxy?q=https://games.example",
        "https://12ft.io/https://games.example",
        "https://wsrv.nl/?url=games.example/a.png&w=10",
        "https://images.weserv.nl/?w=10&url=ssl:games.example/a.png".replace("ssl:", "https://"),
        "https://i0.wp.com/games.example/a.png?w=10",
        "https://external-content.duckduckgo.com/iu/?u=https%3A%2F%2Fgames.example%2Fa.png",
        "https://cdn.statically.io/img/games.example/a.png",
        "https://corsproxy.io/?https%3A%2F%2Fgames.example",
        "https://corsproxy.io/?url=https://games.example",
        "https://api.allorigins.win/raw?url=https://games.example",
        # One inside another.
        "https://translate.google.com/translate?u=https://web.archive.org/web/2020/https://games.example/",
        "https://web-archive-org.translate.goog/web/2020/https://games.example/",
    ],
)  # fmt: skip
def test_a_page_is_judged_by_the_address_inside(url: str) -> None:
    request = ask(url)
    decision = BUILT.decide(request, NOON)
    assert decision.verdict.passes
    stricter, inner = stricter_inside(BUILT, decision, BUILT.inside(request), NOON)
    assert stricter.rule == "games"
    assert inner is not None
    assert inner.url.host.endswith("games.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/?u=https://games.example/",
        "https://translate.google.com/?sl=en&tl=fr&text=games.example",
        "https://translate.google.com/translate?u=https://school.example/",
        "https://web.archive.org/",
        "https://web.archive.org/web/2020/https://school.example/",
        "https://www.google.com/search?q=games.example",
        "https://drive.google.com/amp/s/games.example/",
        "https://archive.ph/",
        "https://r.jina.ai/",
        "https://school-example.translate.goog/",
    ],
)
def test_what_is_no_carrier_and_what_leads_elsewhere_stays_open(url: str) -> None:
    request = ask(url)
    decision = BUILT.decide(request, NOON)
    assert decision.verdict.passes
    assert stricter_inside(BUILT, decision, BUILT.inside(request), NOON) == (decision, None)


def test_every_row_of_the_table_leads_inside() -> None:
    """Each service with each of its places gives what it is asked for."""
    for carrier in TABLE:
        host = carrier.hosts[0].host
        asked = [f"https://{host}/x?{name}=https://games.example/" for name in carrier.query]
        asked += [
            f"https://{host}{path.replace('{any}', 'x').replace('{scheme}', 'https')}games.example/a"
            for path in carrier.paths
        ]
        asked += [f"https://games-example.{host}/"] * carrier.labels
        assert asked, carrier.id
        for url in asked:
            inside = {inner.host for inner in carrier.inner(parse_url(url))}
            assert "games.example" in inside, url


def test_addresses_deeper_than_anybody_needs_are_closed() -> None:
    url = "https://games.example/"
    for _ in range(4):
        url = f"https://r.jina.ai/{url}"
    (inner,) = BUILT.inside(ask(url))
    assert inner.shapes == (Shape.NESTED,)
    assert BUILT.decide(inner, NOON).verdict is Verdict.BLOCK


def test_an_address_inside_that_does_not_parse_is_refused() -> None:
    with pytest.raises(BadAddressError):
        BUILT.inside(ask("https://r.jina.ai/https://games.example:99999999/"))


def test_an_endless_address_ends() -> None:
    """Each layer may hold several; what is looked at has an end."""
    many = "&".join(f"u=https://r.jina.ai/https://s{n}.example/" for n in range(100))
    carriers = {"r.jina.ai": TABLE[-4], "a.example": Carrier("a", "A", (), frozenset({"u"}))}

    def carriers_of(host: str) -> tuple[Carrier, ...]:
        return (carriers[host],) if host in carriers else ()

    assert inner_urls(parse_url(f"https://a.example/?{many}"), carriers_of) is None


def test_a_carrier_is_read() -> None:
    """Its name says nothing of the page that it shows."""
    answer = BUILT.decide_host("wsrv.nl", PUPIL, NOON)
    assert (answer.action, answer.needs) == (TlsAction.DECRYPT, (INSIDE,))
    assert BUILT.decide_host("example.com", PUPIL, NOON).action is TlsAction.PASS
