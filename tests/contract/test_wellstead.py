"""The shipped policy: every clause of the written one stands in it, and its sites are answered by it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.bootstrap import load_engine
from schoolgate.core.clients import Client
from schoolgate.core.policy import Decision, Enforcement, Verdict, WebRequest
from schoolgate.core.urls import parse_web_url
from schoolgate.settings import load_settings
from tests.data import shared

CONFIG = Path(__file__).parents[2] / "config" / "schoolgate.yaml"
ENGINE = load_engine(load_settings(CONFIG, {}))
POLICY = ENGINE.policy
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
# What the clauses of the written policy are called, so that this is checked without its text too.
CLAUSES = [
    "W-4.3", "W-5.1", "W-6.2.1", "W-6.2.1-age", "W-6.3.1-excessive", "W-6.3.1-withdraw",
    "W-6.3.1-monitor", "W-6.3.1-intercept", "W-6.3.1-stream", "W-6.3.1-broadcast",
    "W-6.3.1-media-download", "W-6.3.1-adult", "W-6.3.1-gambling", "W-6.3.1-alcohol-tobacco",
    "W-6.3.1-drugs", "W-6.3.1-auctions", "W-6.3.1-violence-hate", "W-6.3.1-weapons",
    "W-6.3.1-illegal", "W-6.3.1-filesharing", "W-6.3.1-accident", "W-6.3.1-software",
    "W-6.3.1-bypass", "W-6.3.1-cloud", "W-6.3.1-confidential", "W-6.3.1-copyright",
    "W-6.3.1-arbiter", "W-7.2.4", "W-8",
]  # fmt: skip


def decide(text: str) -> Decision:
    client = Client("10.0.0.7", "staff")
    return ENGINE.decide(WebRequest(parse_web_url(text), client), NOON)


def test_every_clause_stands_in_the_pack_and_no_other() -> None:
    own = [clause.id for clause in POLICY.clauses.values() if clause.level == 0]
    assert sorted(own) == sorted(CLAUSES)


def test_the_written_policy_has_these_clauses() -> None:
    text = shared("policies/CLAUSES.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| (W-\S+) \|", text, re.MULTILINE)) == sorted(CLAUSES)


def test_what_is_not_carried_out_says_what_is_missing() -> None:
    for clause in POLICY.clauses.values():
        assert bool(clause.missing) is (clause.enforcement is not Enforcement.ENFORCED), clause.id


BLOCKED = [
    ("coin-hive.com", "malware", "W-5.1"),
    ("blasze.com", "phishing", "W-5.1"),
    ("bestessays.com", "illegal", "W-6.3.1-illegal"),
    ("pornhub.com", "adult", "W-6.3.1-adult"),
    ("tinder.com", "dating", "W-6.3.1-adult"),
    ("bet365.com", "gambling", "W-6.3.1-gambling"),
    ("majestic.co.uk", "alcohol", "W-6.3.1-alcohol-tobacco"),
    ("vapeclub.co.uk", "tobacco", "W-6.3.1-alcohol-tobacco"),
    ("leafly.com", "drugs", "W-6.3.1-drugs"),
    ("ebay.co.uk", "auctions", "W-6.3.1-auctions"),
    ("bestgore.com", "violence", "W-6.3.1-violence-hate"),
    ("stormfront.org", "hate", "W-6.3.1-violence-hate"),
    ("glock.com", "weapons", "W-6.3.1-weapons"),
    ("123movies.com", "piracy", "W-6.3.1-copyright"),
    ("thepiratebay.org", "filesharing", "W-6.3.1-filesharing"),
    ("netflix.com", "tv-film", "W-6.3.1-broadcast"),
    ("spotify.com", "radio-music", "W-6.3.1-broadcast"),
    ("dazn.com", "live-sport", "W-6.3.1-broadcast"),
    ("twitch.tv", "streaming", "W-6.3.1-broadcast"),
    ("softonic.com", "software-downloads", "W-6.3.1-software"),
    ("nordvpn.com", "circumvention", "W-6.3.1-bypass"),
]


def test_every_blocked_category_is_tried_below() -> None:
    blocked = {
        category
        for rule in POLICY.all_rules
        if rule.verdict is Verdict.BLOCK and rule.level == 0
        for category in rule.categories
    }
    assert {category for _, category, _ in BLOCKED} == blocked


@pytest.mark.parametrize(("domain", "category", "clause"), BLOCKED)
@pytest.mark.parametrize(
    "form", ["https://{}/", "http://www.{}/page?q=1", "{}", "HTTPS://{}:8443/"]
)
def test_a_site_of_a_blocked_category_is_blocked_under_its_clause(
    domain: str, category: str, clause: str, form: str
) -> None:
    decision = decide(form.format(domain))
    assert (decision.verdict, decision.category, decision.clause) == ("block", category, clause)


@pytest.mark.parametrize(("domain", "category", "clause"), BLOCKED)
@pytest.mark.parametrize("form", ["not{}", "{}.example.org", "example.org/{}", "example.org/?u={}"])
def test_a_near_miss_is_not_blocked(domain: str, category: str, clause: str, form: str) -> None:
    decision = decide(form.format(domain))
    assert (decision.verdict, decision.categories) == ("allow", ())


@pytest.mark.parametrize(
    ("url", "want", "clause"),
    [
        # names that hold a word of a blocked one
        ("https://www.essex.gov.uk/", "allow", "W-6.3.1-monitor"),
        ("https://www.sussex.ac.uk/", "allow", "W-6.3.1-monitor"),
        ("https://www.middlesex.ac.uk/", "allow", "W-6.3.1-monitor"),
        ("https://www.scunthorpe-school.example/", "allow", "W-6.3.1-monitor"),
        # the same house, another room
        ("https://www.bbc.co.uk/bitesize", "allow", "W-6.3.1-monitor"),
        ("https://www.google.com/search?q=bet365.com", "allow", "W-6.3.1-monitor"),
        # help is never closed
        ("https://www.childline.org.uk/", "allow", "D-3-essential"),
        ("https://www.nhs.uk/", "allow", "D-3-essential"),
        ("https://www.samaritans.org/", "allow", "D-3-essential"),
        ("http://detectportal.firefox.com/success.txt", "allow", "D-3-essential"),
        # neither closed nor unseen
        ("https://www.facebook.com/", "monitor", "W-4.3"),
        ("https://www.youtube.com/watch?v=x", "limit", "W-6.3.1-stream"),
        ("https://www.dropbox.com/", "warn", "W-6.3.1-cloud"),
        ("https://pastebin.com/", "warn", "W-6.3.1-confidential"),
        ("https://nothing-known.example/", "allow", "W-6.3.1-monitor"),
    ],
)
def test_what_is_not_closed_passes_is_watched_or_is_warned_of(
    url: str, want: str, clause: str
) -> None:
    decision = decide(url)
    assert (decision.verdict, decision.clause) == (want, clause)


# What the name of a host settles; the gate passes what it is told to pass.
@pytest.mark.parametrize(
    ("host", "want", "needs"),
    [
        # correspondence (W-6.3.1-intercept), though parts of google.com are listed
        ("mail.google.com", "pass", ()),
        ("web.whatsapp.com", "pass", ()),
        ("www.barclays.co.uk", "pass", ()),
        ("www.childline.org.uk", "pass", ()),
        ("www.gov.uk", "pass", ()),
        ("update.microsoft.com", "pass", ()),
        ("detectportal.firefox.com", "pass", ()),
        ("www.purplemash.com", "pass", ()),
        ("www.bet365.com", "refuse", ()),
        ("nordvpn.com", "refuse", ()),
        ("www.dropbox.com", "decrypt", ("warning", "programs")),
        ("www.bbc.co.uk", "decrypt", ("paths", "media-downloads")),
        ("scholar.google.com", "decrypt", ("paths",)),
        ("www.youtube.com", "decrypt", ("clips", "live-streams", "media-downloads")),
        ("nothing-known.example", "decrypt", ("uploads", "page-content", "programs")),
    ],
)
def test_the_name_settles_what_no_clause_needs_to_read(
    host: str, want: str, needs: tuple[str, ...]
) -> None:
    answer = ENGINE.decide_host(host, Client("10.0.0.7", "staff"), NOON)
    assert answer.action == want
    assert set(needs) <= set(answer.needs)


def test_a_site_of_no_trusted_category_is_read_for_every_clause_that_asks_for_more_than_a_name() -> (
    None
):
    asked = {need.clause for need in POLICY.inspection.needs}
    assert asked == {
        "W-6.3.1-stream", "W-6.3.1-broadcast", "W-6.3.1-media-download",
        "W-6.3.1-violence-hate", "W-6.3.1-filesharing", "W-6.3.1-software", "W-6.3.1-bypass",
        "W-6.3.1-confidential", "D-3-circumvention",
    }  # fmt: skip
    answer = ENGINE.decide_host("unlisted.example", Client("", "staff"), NOON)
    assert answer.needs == tuple(need.id for need in POLICY.inspection.needs)
    assert all(need.clause in answer.because for need in POLICY.inspection.needs)


def test_every_reference_of_the_pack_is_to_a_clause_that_is_carried_out() -> None:
    cited = {rule.clause for rule in POLICY.all_rules}
    cited |= {rule.need.clause for rule in POLICY.contents}
    cited |= {POLICY.suspension_clause, POLICY.local_clause, POLICY.grant_clause}
    assert {POLICY.clauses[clause].enforcement for clause in cited} <= {
        Enforcement.ENFORCED,
        Enforcement.PARTLY,
    }
