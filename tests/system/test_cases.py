"""Every case of every policy, asked through a real gateway at the hour that the case names.

`schoolgate policy cases` asks the policy; here each case is two requests, plain and over TLS, of a client
of its own, whose address `people.yaml` knows as the case says. Verdict and clause are what the client
gets and what the journal keeps.
"""

import datetime as dt
import http.client
import itertools
import json
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from schoolgate.bootstrap import load_casebooks, load_engine
from schoolgate.core.approvals import Subject
from schoolgate.core.categories import ListEntry
from schoolgate.core.policy import Case, Reason, TlsAction
from schoolgate.services import comparison
from schoolgate.services.casebook import Casebook, Outcome, run_case
from schoolgate.settings import load_settings
from schoolgate.storage import DecisionStore, open_database
from tests import origin
from tests.gateway import (
    COMMAND,
    PATIENCE_SECONDS,
    ROOT,
    Gateway,
    eventually,
    put,
    running,
    to_origin,
    write_config,
)
from tests.origin import Origin
from tests.system.test_clock import clock_of

pytestmark = pytest.mark.long

BOOKS = {
    book.policy.id: book
    for book in load_casebooks(load_settings(ROOT / "config" / "schoolgate.yaml", {}))
}
HOSTS = sorted({str(urlsplit(case.url).hostname) for book in BOOKS.values() for case in book.cases})
A_DAY = dt.timedelta(days=1)
# The certificates are looked at by a gateway that lives at the hour of a case.
ALWAYS = dt.timedelta(days=20 * 365)
X509_V_FLAG_NO_CHECK_TIME = 0x200000

# Policy and URL of the cases of which the clause cannot be seen over TLS: the connection passes unread by
# its host, and something else than the host is what the case is about.
NOT_SEEN: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class Asked:
    """A case with the client that asks it."""

    case: Case
    outcome: Outcome
    scheme: str
    address: str
    group: str

    @property
    def user(self) -> str:
        """The person, if any: another for each, since a signature is a person's."""
        return f"{self.case.user}-{self.address}" if self.case.user else ""

    @property
    def is_by_lists(self) -> bool:
        """Whether the school's own lists decide it."""
        return self.outcome.decision.reason in (Reason.LOCAL_ALLOW, Reason.LOCAL_BLOCK)

    @property
    def is_unread(self) -> bool:
        """Whether the connection passes as it is."""
        return self.scheme == "https" and self.outcome.connection.action is TlsAction.PASS


@dataclass(frozen=True)
class Seen:
    """What a client got."""

    status: int
    verdict: str
    clause: str
    body: bytes
    by_origin: bool


def everybody(book: Casebook) -> list[Asked]:
    """Give each case twice; strangers to all networks have addresses below 127.16."""
    networks = ["", *book.policy.networks]
    free = {name: itertools.count(1) for name in networks}
    asked = []
    # What an answer is, or says, is tried in tests/proxy/test_contents.py and test_texts.py.
    cases = [
        case
        for case in book.cases
        if case.content is None and case.clip_seconds is None and not case.text
    ]
    for case, scheme in itertools.product(cases, ("http", "https")):
        number = next(free[case.network])
        address = f"127.{16 + networks.index(case.network)}.{number // 250}.{number % 250 + 1}"
        outcome = run_case(book.policy, book.catalogue, case)
        group = case.group or book.policy.default_group
        asked.append(Asked(case, outcome, scheme, address, group))
    return asked


def people(book: Casebook, asked: Sequence[Asked]) -> dict[str, Any]:
    """Give the people.yaml in which every client is who its case says."""
    ranges = enumerate(book.policy.networks, start=17)
    devices = {}
    for each in asked:
        case = each.case
        said = {"group": case.group, "user": each.user, "kind": case.device, "also": [*case.also]}
        known = {key: value for key, value in said.items() if value}
        if known:
            devices[f"d-{each.address.replace('.', '-')}"] = {"address": each.address, **known}
    return {
        "networks": {name: {"ranges": [f"127.{n}.0.0/16"]} for n, name in ranges},
        "devices": devices,
        "neighbours": False,
    }


def decide_by_hand(state: Path, asked: Sequence[Asked]) -> None:
    """Put into the store what people decided before a case."""
    state.mkdir(parents=True)
    database = open_database(f"sqlite:///{state / 'schoolgate.db'}")
    store = DecisionStore(database)
    for each in asked:
        given, at = each.case.given, each.case.at
        who, span = Subject.parse(each.address), (at - A_DAY, at + A_DAY)
        if given.granted:
            entry = ListEntry.parse(given.granted, "grant", "grant")
            store.add_grant(entry, who, *span, given.by, reason="case", actor="test", now=at)
        if given.suspended:
            store.suspend(who, *span, "case", "test", now=at)
        if given.signed:
            store.sign(each.user, given.signed, "test", now=at)
    database.dispose()


def by_circumstances(asked: Sequence[Asked]) -> Iterator[tuple[tuple[Any, ...], list[Asked]]]:
    """Give what can be asked together: under the same lists of the school, at the same time."""

    def key(each: Asked) -> tuple[Any, ...]:
        return each.case.given.local_allow, each.case.given.local_block, each.case.at

    for circumstances, group in itertools.groupby(sorted(asked, key=key), key):
        yield circumstances, list(group)


def set_clock(file: Path, at: dt.datetime) -> None:
    """Have the clock stand still at a time."""
    put(file, f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}\n")


class School:
    """A gateway, and the lists of its school."""

    def __init__(self, gateway: Gateway, site: Origin) -> None:
        self.gateway = gateway
        self._lists: dict[str, tuple[str, ...]] = {}
        self._ports = {"http": site.http_port, "https": site.https_port}
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for authority in (site.ca_file, gateway.ca_file):
            self._tls.load_verify_locations(str(authority))
        self._tls.verify_flags |= X509_V_FLAG_NO_CHECK_TIME

    def put_lists(self, allow: tuple[str, ...], block: tuple[str, ...]) -> None:
        """Put other lists of the school in force."""
        local = self.gateway.config.parent / "local"
        # One after the other: of two that change at once, either could be in force alone for a while.
        for name, entries in (("allow", allow), ("block", block)):
            if entries != self._lists.get(name, ()):
                self._lists[name], before = entries, self._reloads()
                put(local / f"{name}.txt", "".join(f"{entry}\n" for entry in entries))
                assert eventually(lambda before=before: self._reloads() > before)  # type: ignore[misc]

    def _reloads(self) -> int:
        return sum("school's own are in force" in line for line in self.gateway.lines)

    def ask(self, each: Asked) -> Seen:
        """Ask as the client of a case."""
        url = urlsplit(each.case.url)
        port = self._ports[each.scheme]
        proxy = urlsplit(self.gateway.proxy)
        place, source = (str(proxy.hostname), int(proxy.port or 0)), (each.address, 0)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection: http.client.HTTPConnection
        if each.scheme == "https":
            connection = http.client.HTTPSConnection(
                *place, timeout=PATIENCE_SECONDS, source_address=source, context=self._tls
            )
            connection.set_tunnel(str(url.hostname), port)
            target = path
        else:
            connection = http.client.HTTPConnection(
                *place, timeout=PATIENCE_SECONDS, source_address=source
            )
            target = f"http://{url.hostname}:{port}{path}"
        try:
            connection.request(each.case.method, target, headers={"Accept": "text/html"})
            by_origin = _is_by_origin(connection.sock)
            answer = connection.getresponse()
            clause, verdict = (
                answer.headers.get(f"x-schoolgate-{name}", "") for name in ("clause", "verdict")
            )
            return Seen(answer.status, verdict, clause, answer.read(), by_origin)
        finally:
            connection.close()


def _is_by_origin(connection: Any) -> bool:
    """Tell if a certificate is the site's own."""
    if not isinstance(connection, ssl.SSLSocket):
        return False
    certificate: Any = connection.getpeercert()
    return "test origin" in str(certificate["issuer"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with origin.running(tmp_path_factory.mktemp("origin"), HOSTS, ALWAYS) as running_origin:
        yield running_origin


def problem(each: Asked, seen: Seen, lines: Sequence[dict[str, Any]]) -> str:
    """Say what is wrong with what came of a case; nothing where all is as it says."""
    if each.outcome.problem:
        return each.outcome.problem
    decision, over_tls = each.outcome.decision, each.scheme == "https"
    got: tuple[Any, ...] = seen.status, seen.clause, seen.verdict
    want: tuple[Any, ...] = 403, decision.clause, decision.verdict.value
    if decision.verdict.is_open:
        got, want = (*got, seen.body[:11]), (200, "", "", b"origin says")
    if (*got, seen.by_origin) != (*want, each.is_unread):
        return f"wanted {want} (by the site: {each.is_unread}), got {got} ({seen.by_origin})"
    # Of the illegal kinds the journal keeps who, when and where, and not how (W-7.2.4).
    says_how = over_tls and "illegal" not in decision.categories
    told = [
        tuple(line.get(key) for key in ("event", "verdict", "clause", "tls", "group", "user"))
        for line in lines
    ]
    line = (
        "tls.decided" if each.is_unread else "request.decided",
        decision.verdict.value,
        each.outcome.connection.decision.clause if each.is_unread else decision.clause,
        each.outcome.connection.action.value if says_how else None,
        each.group,
        each.user or None,
    )
    return "" if told == [line] else f"wanted {line} in the journal, got {told}"


def replayed(config: Path, journal: Sequence[dict[str, Any]]) -> int:
    """Ask the policy alone what the journal says was asked; give how many answers are others."""
    for name in ("allow", "block"):
        (config.parent / f"local/{name}.txt").unlink(missing_ok=True)
    engine = load_engine(load_settings(config, {}))
    found = comparison.replay(engine, map(json.dumps, journal))
    assert (found.unreadable, found.asked > 0) == (0, True)
    return found.changed


@pytest.mark.parametrize("pack", BOOKS)
def test_the_gateway_does_what_the_cases_of_a_policy_say(
    pack: str, site: Origin, tmp_path: Path
) -> None:
    book = BOOKS[pack]
    asked = everybody(book)
    (tmp_path / "people.yaml").write_text(yaml.safe_dump(people(book, asked)))
    config = write_config(
        tmp_path,
        policy=pack,
        people=str(tmp_path / "people.yaml"),
        proxy={**to_origin(site, HOSTS), "workers": 1},
    )
    decide_by_hand(tmp_path / "state", asked)
    clock = tmp_path / "clock"
    set_clock(clock, min(each.case.at for each in asked))
    # The times of files are this machine's: the gateway sees by them that a list has changed.
    command = ["env", "NO_FAKE_STAT=1", *clock_of(list(COMMAND), clock)]
    seen: dict[str, Seen] = {}
    with running(config, command) as gateway:
        school = School(gateway, site)
        for (allow, block, at), together in by_circumstances(asked):
            school.put_lists(allow, block)
            set_clock(clock, at)
            seen |= {each.address: school.ask(each) for each in together}
        # A tunnel is told of when both of its ends are closed.
        assert eventually(lambda: len({line["client"] for line in gateway.journal()}) == len(asked))
        journal = gateway.journal()
    assert replayed(config, journal) == sum(each.is_by_lists for each in asked)
    problems = []
    for each in asked:
        lines = [
            line
            for line in journal
            if line["client"] == each.address and line["event"].endswith(".decided")
        ]
        if wrong := problem(each, seen[each.address], lines):
            case = each.case
            problems.append(f"{pack}:{case.line} {case.clause} {each.scheme}: {wrong}")
    assert problems == []


def test_what_cannot_be_seen_is_known() -> None:
    """A plain request shows every verdict and clause; a connection that passes shows no path."""
    unseen = {
        (pack, each.case.url)
        for pack, book in BOOKS.items()
        for each in everybody(book)
        if each.is_unread
        and each.outcome.connection.decision.clause != each.outcome.decision.clause
    }
    assert unseen == NOT_SEEN
