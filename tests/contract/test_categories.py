"""The categories that packs and scripts rely on exist, are filled, and hold no stray entry."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.policy import PolicyEngine, TlsAction, Verdict
from schoolgate.lists import ListPlaces, lint_catalogue, load_catalogue
from schoolgate.services.public_page import Audience, as_text
from schoolgate.services.public_policy import public_policy
from schoolgate.settings import load_policy
from tests.data import shared
from tests.school import NOON

ROOT = Path(__file__).parents[2]
CATEGORIES = ROOT / "categories"
IDS = [
    "adult", "gambling", "games", "alcohol", "tobacco", "drugs", "auctions", "violence", "hate",
    "weapons", "illegal", "malware", "phishing", "piracy", "filesharing", "cloud-storage",
    "streaming", "tv-film", "radio-music", "live-sport", "video-sharing", "social-networks",
    "blogs-forums", "messaging", "dating", "circumvention", "translate-cache", "free-hosting",
    "software-downloads", "webmail", "paste-transfer", "chat-ai", "shopping", "news", "search",
    "education", "health-advice", "banking", "government", "system-updates", "probes",
]  # fmt: skip
CATALOGUE = load_catalogue(ListPlaces([CATEGORIES], ROOT / "no-state"), NOON, keep=False)
POLICY = load_policy(ROOT / "config/policies/wellstead.yaml", CATALOGUE.categories)
BLOCKED = sorted(
    {
        category
        for rule in POLICY.all_rules
        if rule.verdict is Verdict.BLOCK
        for category in rule.categories
    }
)


def test_every_category_of_the_contract_exists_and_no_other() -> None:
    assert sorted(CATALOGUE.categories) == sorted(IDS)


def test_the_contract_lists_these_categories() -> None:
    text = shared("CONTRACT.md").read_text(encoding="utf-8")
    listed = re.sub(
        r"\([^)]*\)", "", text.partition("## Category ids\n")[2].partition(". A pack")[0]
    )
    assert [name.strip() for name in listed.split(",")] == IDS


def test_the_linter_finds_no_fault() -> None:
    assert [str(fault) for fault in lint_catalogue([CATEGORIES], BLOCKED)] == []


@pytest.mark.parametrize("category", BLOCKED)
def test_each_blocked_category_names_at_least_forty_sites(category: str) -> None:
    assert CATALOGUE.sites.counts[category] >= 40


@pytest.mark.parametrize("category", IDS)
def test_each_category_says_what_it_is_in_a_sentence(category: str) -> None:
    kept = CATALOGUE.categories[category]
    assert kept.title[0].isupper()
    assert kept.description.endswith(".")


@pytest.mark.parametrize("category", ["health-advice", "probes", "education", "government"])
def test_what_must_never_be_blocked_by_mistake_is_protected(category: str) -> None:
    assert CATALOGUE.categories[category].protected


# What makers say fails when it is read, but for the shop of programs, on which a policy has a say.
UNREAD = [
    "albert.apple.com", "gs.apple.com", "humb.apple.com", "static.ips.apple.com", "tbsc.apple.com",
    "captive.apple.com", "deviceenrollment.apple.com", "gdmf.apple.com", "identity.apple.com",
    "iprofiles.apple.com", "mdmenrollment.apple.com", "axm-app.apple.com", "1-courier.push.apple.com",
    "a.appattest.apple.com", "setup.icloud.com", "vpp.itunes.apple.com", "a.business.apple.com",
    "ws.school.apple.com", "ws-ee-maidsvc.icloud.com", "api.edu.apple.com", "api.ent.apple.com",
    "idmsa.apple.com", "appleid.cdn-apple.com", "is1.mzstatic.com", "appldnld.apple.com",
    "swcdn.apple.com", "swscan.apple.com", "updates.apple.com", "updates.cdn-apple.com",
    "a.windowsupdate.microsoft.com", "sls.update.microsoft.com", "fe2.update.microsoft.com",
    "a.windowsupdate.com", "download.windowsupdate.com", "download.microsoft.com",
    "a.dl.delivery.mp.microsoft.com", "tsfe.trafficshaping.dsp.mp.microsoft.com", "wustat.windows.com",
    "ntservicepack.microsoft.com", "manage.microsoft.com", "enterpriseregistration.windows.net",
    "device.login.microsoftonline.com", "a.dsx.mp.microsoft.com", "displaycatalog.mp.microsoft.com",
    "a.wdcp.microsoft.com", "wdcpalt.microsoft.com", "accounts.gstatic.com", "accounts.youtube.com",
    "chromeos-ca.gstatic.com", "chromeosquirksserver-pa.googleapis.com", "clients2.google.com",
    "clients2.googleusercontent.com", "commondatastorage.googleapis.com",
    "connectivitycheck.gstatic.com", "cros-omahaproxy.appspot.com", "dl.google.com",
    "edgedl.me.gvt1.com", "m.google.com", "pack.google.com", "policies.google.com",
    "printerconfigurations.googleusercontent.com", "safebrowsing.google.com",
    "safebrowsing.googleapis.com", "enterprise-safebrowsing.googleapis.com", "ssl.gstatic.com",
    "tools.google.com", "aratea-pa.googleapis.com", "cloudsearch.googleapis.com",
    "youtubeeducation.com", "accounts.google.com", "mtalk.google.com", "aus5.mozilla.org",
]  # fmt: skip


ENGINE = PolicyEngine(POLICY, CATALOGUE)


@cache
def published() -> frozenset[str]:
    """Give the words of the public page."""
    page = as_text(public_policy(ENGINE, Audience.PARENTS, NOON.date()))
    return frozenset(page.replace(",", " ").split())


@pytest.mark.parametrize("host", UNREAD)
def test_what_fails_when_it_is_read_passes_and_is_published(host: str) -> None:
    assert ENGINE.decide_host(host, Client("10.0.0.7", "staff"), NOON).action is TlsAction.PASS
    assert published() & {host.split(".", n)[-1] for n in range(host.count("."))}


def test_every_entry_is_a_site_that_reference_lists_know_or_that_says_why_not() -> None:
    data = shared("lists/popular_all.tsv.xz").parents[1]
    ended = subprocess.run(
        [sys.executable, str(CATEGORIES / "verify.py"), "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ended.stderr == ""
    total = ended.stdout.splitlines()[-1].split()
    assert (total[0], total[-1]) == ("total", "0"), ended.stdout
    assert ended.returncode == 0
