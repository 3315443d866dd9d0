"""Sites that lists know say something of a page that no list knows, and never enough by itself."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import Category, ListEntry
from schoolgate.core.content import SeenSites
from schoolgate.core.index import index_of
from schoolgate.lists import phrases_in_force
from schoolgate.proxy.surroundings import Listing
from tests import gateway, media_origin
from tests.content import corpus
from tests.gateway import ROOT, Gateway, eventually, write_config
from tests.media_origin import MediaOrigin
from tests.origin import certificates

# It has origins and a gateway of its own.
pytestmark = pytest.mark.long

GAMBLING = "W-6.3.1-gambling"
PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Accept-Encoding": "identity"}
LISTED = "www.bet365.com"
HOSTS = [
    LISTED, "plain.test", "assets.test", "links.test", "refresh.test", "leads.test", "first.test",
    "second.test", "hops.test", "late.test", "cert.test", "crowd.test", "journal.test",
    "known.test",
]  # fmt: skip
# 30 points of 36, by phrases that share no word.
FEW = """<title>The harbour</title><h1>Tonight on the water</h1><p>Every new player is greeted with free spins
and a seat at the live casino, where the wheels turn until the morning. Bring a friend along, choose a table
by the window, and let our crew show you how the evening goes. Roulette is on, there is blackjack on the deck,
a slot machine by the door, the lights are low, and another boat is named each week after whoever had the
best odds and jackpots.</p>"""
HELP = next(each for each in corpus.written("innocent") if each.subject == "betting-help").markup()
ASSET = f'<script src="https://{LISTED}/a.js"></script>'
LINK = f'<a href="https://{LISTED}/">the shop</a>'
REFRESH = f'<meta http-equiv="refresh" content="9; url=https://{LISTED}/">'
BODIES = {
    f"/{name}{with_}": ((body + extra).encode(), "text/html; charset=utf-8")
    for name, body in (("few", FEW), ("help", HELP))
    for with_, extra in (("", ""), ("-asset", ASSET), ("-link", LINK), ("-refresh", REFRESH))
}


class Sites:
    """Origins: without TLS, with a certificate for two sites, and with one for many."""

    def __init__(self, plain: MediaOrigin, pair: MediaOrigin, crowd: MediaOrigin) -> None:
        self.plain, self.pair, self.crowd = plain, pair, crowd


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[Path, Path]]]:
    """Give the file of the authorities that the gateway trusts, and two certificates with their keys."""
    directory = tmp_path_factory.mktemp("certificates")
    others = [f"tenant{number}.example" for number in range(9)]
    made = []
    for name, hosts in (("pair", ["cert.test"]), ("crowd", ["crowd.test", *others])):
        (directory / name).mkdir()
        made.append(certificates(directory / name, [*hosts, LISTED]))
    trusted = directory / "trusted.pem"
    trusted.write_bytes(b"".join(ca.read_bytes() for ca, _, _ in made))
    return trusted, [(chain, key) for _, chain, key in made]


@pytest.fixture(scope="module")
def sites(authorities: tuple[Path, list[tuple[Path, Path]]]) -> Iterator[Sites]:
    with ExitStack() as stack:
        made = [
            stack.enter_context(media_origin.running(certificate=each))
            for each in (None, *authorities[1])
        ]
        for each in made:
            each.bodies.update(BODIES)
        yield Sites(*made)


@pytest.fixture(scope="module")
def gate(
    authorities: tuple[Path, list[tuple[Path, Path]]],
    sites: Sites,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateway]:
    proxy = {**gateway.to_here(*HOSTS), "upstream_ca": str(authorities[0])}
    directory = tmp_path_factory.mktemp("surroundings")
    (directory / "state").mkdir()
    (directory / "state" / "seen-sites").write_bytes(SeenSites(["known.test"]).image)
    config = write_config(directory, proxy=proxy)
    with gateway.running(config) as running:
        yield running


@pytest.fixture
def client(gate: Gateway, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Give a client of its own address, which has one worker."""
    number = abs(hash(request.node.nodeid)) % 250**2
    with gate.client(address=f"127.3.{number // 250 + 1}.{number % 250 + 1}") as made:
        yield made


def clause(client: httpx.Client, url: str, **headers: str) -> str:
    """Give the clause under which a page is stopped; empty for the page itself."""
    answer = client.get(url, headers={**PAGE, **headers})
    return str(answer.headers.get("x-schoolgate-clause", ""))


def test_without_a_signal_the_page_says_too_little(client: httpx.Client, sites: Sites) -> None:
    assert clause(client, sites.plain.url("/few", "plain.test")) == ""


@pytest.mark.parametrize(
    ("with_", "host", "want"),
    [
        ("-asset", "assets.test", GAMBLING),
        ("-refresh", "refresh.test", GAMBLING),
        ("-link", "links.test", ""),
    ],
)
def test_what_a_page_fetches_and_where_it_leads_adds_and_a_link_is_worth_little(
    client: httpx.Client, sites: Sites, with_: str, host: str, want: str
) -> None:
    assert clause(client, sites.plain.url(f"/few{with_}", host)) == want
    assert clause(client, sites.plain.url(f"/help{with_}", host)) == ""


def test_a_site_that_the_school_knows_is_suspected_less(client: httpx.Client, sites: Sites) -> None:
    # Loaded beside the traffic, soon after the start; what was stopped until then is another address.
    numbers = iter(range(10_000))
    assert eventually(
        lambda: clause(client, sites.plain.url(f"/few-asset?n={next(numbers)}", "known.test")) == ""
    )


def test_a_site_that_redirected_to_a_listed_one_is_known_by_it(
    client: httpx.Client, sites: Sites
) -> None:
    few = sites.plain.url("/few?again=1", "leads.test")
    assert clause(client, few) == ""
    client.get(sites.plain.url(f"/help?to=http://{LISTED}/", "leads.test"), headers=PAGE)
    assert clause(client, few) == GAMBLING
    assert clause(client, sites.plain.url("/help", "leads.test")) == ""


def test_a_redirect_of_a_picture_says_nothing(client: httpx.Client, sites: Sites) -> None:
    picture = {"Accept": "image/*", "Sec-Fetch-Dest": "image"}
    client.get(sites.plain.url(f"/help?to=http://{LISTED}/", "plain.test"), headers=picture)
    assert clause(client, sites.plain.url("/few", "plain.test")) == ""


def test_every_site_of_a_chain_is_known_by_its_end(client: httpx.Client, sites: Sites) -> None:
    second = sites.plain.url(f"/help?to=http://{LISTED}/", "second.test")
    client.get(sites.plain.url(f"/help?to={second.partition('?')[0]}", "first.test"), headers=PAGE)
    client.get(second, headers=PAGE)
    assert clause(client, sites.plain.url("/few", "first.test")) == GAMBLING
    assert clause(client, sites.plain.url("/few", "second.test")) == GAMBLING


@pytest.mark.parametrize(
    ("host", "by_hand", "want"), [("hops.test", False, GAMBLING), ("late.test", True, "")]
)
def test_a_page_whose_script_goes_on_is_known_by_where_to_and_what_people_click_says_nothing(
    client: httpx.Client, sites: Sites, host: str, by_hand: bool, want: str
) -> None:
    assert clause(client, sites.plain.url("/help", host)) == ""
    fields = {"Referer": f"http://{host}/", "Sec-Fetch-Mode": "navigate"}
    clicked = {"Sec-Fetch-User": "?1"} if by_hand else {}
    assert clause(client, sites.plain.url("/help", LISTED), **fields, **clicked) == GAMBLING
    assert clause(client, sites.plain.url("/few", host)) == want


def test_one_certificate_for_a_page_and_a_listed_site_adds(
    client: httpx.Client, sites: Sites
) -> None:
    assert clause(client, sites.pair.url("/few", "cert.test")) == GAMBLING
    assert clause(client, sites.pair.url("/help", "cert.test")) == ""


def test_a_certificate_of_many_says_nothing(client: httpx.Client, sites: Sites) -> None:
    assert clause(client, sites.crowd.url("/few", "crowd.test")) == ""


def test_the_journal_names_the_signal_and_no_other_site(
    gate: Gateway, client: httpx.Client, sites: Sites
) -> None:
    assert clause(client, sites.plain.url("/few-asset", "journal.test")) == GAMBLING

    def ids() -> list[str]:
        found = [
            each
            for each in gate.journal()
            if each["event"] == "page.judged" and each["host"] == "journal.test"
        ]
        return list(found[0]["phrase_ids"]) if found else []

    assert eventually(lambda: bool(ids()))
    assert "asset:gambling" in ids()
    assert not any(LISTED in each for each in ids())


LISTS = Catalogue(
    {
        "gambling": Category("gambling", "Gambling", ""),
        "search": Category("search", "Search", ""),
        "health": Category("health", "Health", "", protected=True),
    },
    index_of(
        [
            ListEntry("bets.test", "/", "gambling", "curated"),
            ListEntry("search.test", "/", "search", "curated"),
            ListEntry("help.test", "/", "gambling", "a feed"),
            ListEntry("help.test", "/", "health", "curated"),
        ]
    ),
    "1",
)


@pytest.mark.parametrize(
    ("host", "judged", "is_listed"),
    [
        ("www.bets.test", ("gambling",), True),
        ("search.test", (), None),
        ("help.test", (), None),
        ("nobody.test", (), False),
    ],
)
def test_what_lists_say_of_a_host_where_trusted_ones_say_nothing(
    host: str, judged: tuple[str, ...], is_listed: bool | None
) -> None:
    listing = Listing(LISTS, phrases_in_force([ROOT / "categories"]))
    assert listing.judged(host) == judged
    assert listing.is_listed(host) is is_listed
