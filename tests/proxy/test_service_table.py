"""Every service of the shipped table, asked through a real gateway: what arrives is what the policy wants.

Each row is what a client writes and what the service gets, in the place where the service looks for it.
"""

from collections.abc import Iterator

import pytest
import yaml

from schoolgate.settings.services_file import load_services
from tests import gateway, origin
from tests.gateway import ROOT, Gateway, eventually
from tests.origin import Origin

TABLE = ROOT / "config" / "services.yaml"
STAFF, PUPIL = "127.0.1.1", "127.0.2.1"
TENANTS = """\
id: hill
extends: uk-baseline
school: Hill School
document: Acceptable use
contact: the office
clauses:
  H-1: {title: School business from school accounts}
devices: {chromebook: Chromebooks}
searches:
  - {clause: H-1, groups: [pupils]}
obligations:
  - id: accounts
    clause: H-1
    services:
      google-workspace: school
      google-cloud: school
      microsoft-365: school
      microsoft-personal: none
      slack: school
      dropbox: school
      webex: school
      asana: school
      chatgpt: school
      claude: school
    values:
      domains: hill.example,trust.example
      resources: organizations/1
      tenants: hill.example
      directory: 00000000-0000-0000-0000-000000000001
      workspace: T1
      workspaces: T1,T2
      teams: "7"
      domain_ids: "8"
      requester: "9"
      organisations: org-1
"""
DIRECTORY = "00000000-0000-0000-0000-000000000001"
TENANT = "sec-restrict-tenant-access-policy"

type Row = tuple[str, str, dict[str, str], str, str, dict[str, str | None]]
# host, what is asked for, fields of the client, its address; the query and the fields that arrive.
SEARCHES: list[Row] = [
    ("www.google.com", "/search?q=a", {}, PUPIL, "q=a&safe=active", {}),
    ("www.google.com", "/search?q=a&safe=off", {}, STAFF, "q=a&safe=active", {}),
    ("google.co.uk", "/search?safe=images&q=a", {}, PUPIL, "q=a&safe=active", {}),
    ("images.google.com", "/images?q=a&s%61fe=0", {}, PUPIL, "q=a&safe=active", {}),
    ("www.bing.com", "/search?q=a&adlt=off", {"Cookie": "a=b; SRCHHPGUSR=ADLT=OFF&NRSLT=10"}, PUPIL,
     "q=a&adlt=strict", {"cookie": "a=b; SRCHHPGUSR=ADLT=STRICT"}),
    ("edgeservices.bing.com", "/search?q=a", {}, PUPIL, "q=a&adlt=strict",
     {"cookie": "SRCHHPGUSR=ADLT=STRICT"}),
    ("duckduckgo.com", "/?q=a&kp=-2", {}, PUPIL, "q=a&kp=1", {}),
    ("duckduckgo.com", "/?q=%21safeoff+a", {}, PUPIL, "q=%21safeoff+a&kp=1", {}),
    ("start.duckduckgo.com", "/?q=a", {}, PUPIL, "q=a&kp=1", {}),
    ("search.brave.com", "/search?q=a&safesearch=off", {"Cookie": "safesearch=off"}, PUPIL,
     "q=a&safesearch=strict", {"cookie": "safesearch=strict"}),
    ("search.yahoo.com", "/search?p=a&vm=p", {}, PUPIL, "p=a&vm=r", {}),
    ("uk.search.yahoo.com", "/search?p=a", {}, PUPIL, "p=a&vm=r", {}),
]  # fmt: skip
VIDEOS: list[Row] = [
    (host, "/watch?v=1", {"youtube-RESTRICT": "None"}, address, "v=1", {"youtube-restrict": mode})
    for host in (
        "www.youtube.com", "m.youtube.com", "youtube.com", "www.youtube-nocookie.com",
        "youtube-nocookie.com", "youtubei.googleapis.com", "youtube.googleapis.com",
    )
    for address, mode in ((PUPIL, "Strict"), (STAFF, "Moderate"))
]  # fmt: skip
ACCOUNTS: list[Row] = [
    (host, "/", dict.fromkeys(want, "forged.example"), STAFF, "", {k.lower(): v for k, v in want.items()})
    for hosts, want in (
        (("accounts.google.com", "mail.google.com", "drive.google.com", "docs.googleusercontent.com"),
         {"X-GoogApps-Allowed-Domains": "hill.example,trust.example"}),
        (("storage.googleapis.com", "console.cloud.google.com"),
         {"X-Goog-Allowed-Resources": "organizations/1"}),
        (("login.microsoftonline.com", "login.microsoft.com", "login.windows.net"),
         {"Restrict-Access-To-Tenants": "hill.example", "Restrict-Access-Context": DIRECTORY}),
        (("login.live.com",), {"sec-Restrict-Tenant-Access-Policy": "restrict-msa"}),
        (("hill.slack.com",),
         {"X-Slack-Allowed-Workspaces-Requester": "T1", "X-Slack-Allowed-Workspaces": "T1,T2"}),
        (("www.dropbox.com",), {"X-Dropbox-allowed-Team-Ids": "7"}),
        (("identity.webex.com", "idbroker.webex.com"),
         {"CiscoSpark-Allowed-Domains": "hill.example,trust.example"}),
        (("app.asana.com",),
         {"Asana-Allowed-Domain-Ids": "8", "Asana-Allowed-Domains-Requester-Id": "9"}),
        (("chatgpt.com", "chat.openai.com"), {"ChatGPT-Allowed-Workspace-Id": "T1"}),
        (("claude.ai",), {"anthropic-allowed-org-ids": "org-1"}),
    )
    for host in hosts
]  # fmt: skip
# What lies beside a service gets nothing.
BESIDE: list[Row] = [
    ("www.bbc.co.uk", "/search?q=a&safe=off", {}, STAFF, "q=a&safe=off",
     {"youtube-restrict": None, "x-googapps-allowed-domains": None, TENANT: None}),
    ("www.notgoogle.com", "/search?q=a", {}, STAFF, "q=a", {"x-googapps-allowed-domains": None}),
    # It takes certificates of devices; whatever reads it breaks it, and nothing is written there.
    ("enterpriseregistration.windows.net", "/", {}, STAFF, "", {"restrict-access-to-tenants": None}),
]  # fmt: skip
ROWS = [*SEARCHES, *VIDEOS, *ACCOUNTS, *BESIDE]
COUNTRIES = [
    "ad", "ae", "al", "am", "as", "at", "az", "ba", "be", "bf", "bg", "bi", "bj", "bs", "bt", "by",
    "ca", "cd", "cf", "cg", "ch", "ci", "cl", "cm", "cn", "cv", "cz", "de", "dj", "dk", "dm", "dz",
    "ee", "es", "fi", "fm", "fr", "ga", "ge", "gg", "gl", "gm", "gr", "gy", "hn", "hr", "ht", "hu",
    "ie", "im", "iq", "is", "it", "je", "jo", "kg", "ki", "kz", "la", "li", "lk", "lt", "lu", "lv",
    "md", "me", "mg", "mk", "ml", "mn", "mu", "mv", "mw", "ne", "nl", "no", "nr", "nu", "pl", "pn",
    "ps", "pt", "ro", "rs", "ru", "rw", "sc", "se", "sh", "si", "sk", "sm", "sn", "so", "sr", "st",
    "td", "tg", "tl", "tm", "tn", "to", "tt", "vu", "ws", "co.ao", "co.bw", "co.ck", "co.cr", "co.id",
    "co.il", "co.in", "co.jp", "co.ke", "co.kr", "co.ls", "co.ma", "co.mz", "co.nz", "co.th", "co.tz",
    "co.ug", "co.uk", "co.uz", "co.ve", "co.vi", "co.za", "co.zm", "co.zw", "com.af", "com.ag",
    "com.ar", "com.au", "com.bd", "com.bh", "com.bn", "com.bo", "com.br", "com.bz", "com.co", "com.cu",
    "com.cy", "com.do", "com.ec", "com.eg", "com.et", "com.fj", "com.gh", "com.gi", "com.gt", "com.hk",
    "com.jm", "com.kh", "com.kw", "com.lb", "com.ly", "com.mm", "com.mt", "com.mx", "com.my", "com.na",
    "com.ng", "com.ni", "com.np", "com.om", "com.pa", "com.pe", "com.pg", "com.ph", "com.pk", "com.pr",
    "com.py", "com.qa", "com.sa", "com.sb", "com.sg", "com.sl", "com.sv", "com.tj", "com.tr", "com.tw",
    "com.ua", "com.uy", "com.vc", "com.vn", "com", "cat",
]  # fmt: skip


@pytest.fixture(scope="module")
def hill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Origin]]:
    """A gateway with every account mode in force, for which all services are at an origin of the test's."""
    directory = tmp_path_factory.mktemp("services")
    names = sorted({row[0] for row in ROWS})
    countries = [f"{w}google.{country}" for country in COUNTRIES for w in ("", "www.")]
    policies = directory / "config" / "policies"
    policies.mkdir(parents=True)
    for file in (ROOT / "config").rglob("*.yaml"):
        target = directory / file.relative_to(ROOT)
        target.write_text(file.read_text())
    (policies / "hill.yaml").write_text(TENANTS)
    people = {"networks": {"wired": {"ranges": ["127.0.1.0/24"], "group": "staff"}}}
    (directory / "people.yaml").write_text(yaml.safe_dump({**people, "neighbours": False}))
    (policies / "hill.yaml").write_text(TENANTS + "networks: {wired: Wired}\n")
    with origin.running(directory, names) as site:
        config = gateway.write_config(
            directory,
            policy="hill",
            policies_dir=str(policies),
            people=str(directory / "people.yaml"),
            proxy=gateway.to_origin(site, [*names, *countries]),
        )
        with gateway.running(config) as running:
            yield running, site


@pytest.mark.parametrize("row", ROWS, ids=[f"{r[0]} {r[1]} {r[3]}" for r in ROWS])
def test_what_arrives_is_what_the_policy_wants(hill: tuple[Gateway, Origin], row: Row) -> None:
    gate, site = hill
    host, target, fields, address, query, want = row
    # What lies beside the services is carried unread over TLS.
    is_plain = row in BESIDE
    scheme, port = ("http", site.http_port) if is_plain else ("https", site.https_port)
    with gate.client(address=address) as client:
        answer = client.get(f"{scheme}://{host}:{port}{target}", headers=fields)
    assert answer.status_code == 200
    _, arrived, found = site.heads[-1]
    assert arrived.decode() == query
    for name, value in want.items():
        assert found.get(name.encode(), b"").decode() == (value or "")


def test_every_google_of_a_country_searches_safely(hill: tuple[Gateway, Origin]) -> None:
    gate, site = hill
    missed = []
    with gate.client(address=PUPIL) as client:
        for country in COUNTRIES:
            for host in (f"www.google.{country}", f"google.{country}"):
                client.get(f"http://{host}:{site.http_port}/search?q=a&safe=off")
                if site.heads[-1][1] != b"q=a&safe=active":
                    missed.append(host)
    assert missed == []


def test_what_pupils_search_for_is_kept_and_of_nobody_else(hill: tuple[Gateway, Origin]) -> None:
    gate, site = hill
    for address in (PUPIL, STAFF):
        with gate.client(address=address) as client:
            for target in (
                "/search?q=how+do+whales%20sleep&hl=en",
                "/complete/search?q=how+do+wha",
                "/maps?q=whales",
            ):
                client.get(f"https://www.google.com:{site.https_port}{target}")

    def kept() -> list[tuple[str, str | None]]:
        return [
            (line["client"], line["search"])
            for line in gate.journal()
            if line["event"] == "request.decided" and "whales sleep" in str(line["search"])
        ]

    assert eventually(lambda: kept() == [(PUPIL, "how do whales sleep")])
    assert eventually(lambda: sum("/maps" in (x.get("url") or "") for x in gate.journal()) == 2)
    lines = [line for line in gate.journal() if "search" in line]
    assert not [line for line in lines if "wha" in f"{line['url']}"]
    others = [line for line in lines if line["client"] == STAFF or "/complete" in line["url"]]
    assert {line["search"] for line in others} == {None}


def test_every_service_and_mode_has_a_row(hill: tuple[Gateway, Origin]) -> None:
    """But those that are asked for by name, whose addresses `test_destinations` follows."""
    asked = {row[0] for row in ROWS}
    without = set()
    for id_, service in load_services(TABLE).items():
        by_name = all(mode.dns for mode in service.modes.values())
        hosts = {entry.host for entry in service.hosts}
        if not by_name and not any(
            host == name or host.endswith(f".{name}") for host in asked for name in hosts
        ):
            without.add(id_)
    assert without == set()


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("www.ecosia.org", "strict-safe-search.ecosia.org"),
        ("pixabay.com", "safesearch.pixabay.com"),
        ("yandex.com", "familysearch.yandex.ru"),
        ("www.yandex.com.tr", "familysearch.yandex.ru"),
        ("yandex.kz", "familysearch.yandex.ru"),
    ],
)
def test_services_that_are_asked_by_name_are_led_to_the_other_name(name: str, want: str) -> None:
    modes = [
        service.modes["strict"]
        for service in load_services(TABLE).values()
        if any(entry.host == name for entry in service.hosts)
    ]
    assert [mode.dns for mode in modes] == [want]
