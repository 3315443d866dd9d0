"""Opening and closing by hand: what is checked before anything is kept."""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime

import pytest

from schoolgate.core.approvals import Grant, Role, Subject, Suspension, Told
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import RefusedError
from schoolgate.core.locked import LockedLists
from schoolgate.core.people import Device, People, SignInSettings
from schoolgate.core.policy import Lock, PolicyEngine, Roles, Rule, Verdict
from schoolgate.core.urls import parse_web_url
from schoolgate.services import opening
from tests.core.locked.test_lists import locked
from tests.core.policy.example import ENDS, NOON, PUPIL, STARTS, engine, hosts

EVERYONE = Subject.parse("everyone")


class Kept:
    """Keeps decisions in memory, and reads an entry again as the store does."""

    def __init__(self) -> None:
        self.grants: list[Grant] = []
        self.suspensions: list[Suspension] = []
        self.actors: list[str] = []
        self.told: list[Told] = []

    def add_grant(
        self,
        entry: ListEntry,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        decided_by: Role,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> Grant:
        number = len(self.grants) + 1
        self.grants.append(Grant(number, entry, subject, starts, ends, decided_by, reason))
        self.actors.append(f"{actor} at {now:%H:%M}")
        return self.grants[-1]

    def suspend(
        self,
        subject: Subject,
        starts: datetime,
        ends: datetime,
        reason: str,
        actor: str,
        *,
        now: datetime,
        told: Iterable[Told] = (),
    ) -> Suspension:
        self.told += told
        number = len(self.suspensions) + 1
        self.suspensions.append(Suspension(number, subject, starts, ends, reason))
        self.actors.append(f"{actor} at {now:%H:%M}")
        return self.suspensions[-1]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def school() -> PolicyEngine:
    locked = Rule("core", "C-8", Verdict.BLOCK, hosts=hosts("locked.example", "part.example/bad"))
    return engine(locked=(locked,))


def open_site(kept: Kept, school: PolicyEngine, site: str, subject: Subject = EVERYONE) -> Grant:
    return opening.open_site(
        kept, school, site, subject, STARTS, ENDS, Role.SLT, reason="fair", actor="a.jones", now=NOON
    )  # fmt: skip


def test_what_was_asked_is_kept_as_it_was_asked(kept: Kept, school: PolicyEngine) -> None:
    made = open_site(kept, school, "ebay.co.uk", Subject.parse("group:staff"))
    entry = ListEntry("ebay.co.uk", "/", "grant", "grant")
    staff = Subject.parse("group:staff")
    assert kept.grants == [made] == [Grant(1, entry, staff, STARTS, ENDS, Role.SLT, "fair")]
    assert kept.actors == ["a.jones at 12:00"]


@pytest.mark.parametrize(
    ("site", "want"),
    [
        ("ebay.co.uk", "ebay.co.uk"),
        ("EBAY.co.uk.", "ebay.co.uk"),
        ("https://www.ebay.co.uk/itm/5", "www.ebay.co.uk/itm/5"),
        ("http://ebay.co.uk:8080/a?b=c#d", "ebay.co.uk/a"),
        ("https://user:secret@ebay.co.uk/", "ebay.co.uk"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("me.github.io", "me.github.io"),
        ("part.example", "part.example"),
        ("part.example/good", "part.example/good"),
        ("notlocked.example", "notlocked.example"),
    ],
)
def test_a_site_is_a_host_a_part_of_one_or_a_url(
    kept: Kept, school: PolicyEngine, site: str, want: str
) -> None:
    assert open_site(kept, school, site).entry.text == want


@pytest.mark.parametrize("site", ["93.184.215.14", "https://[2606:2800::1]/a"])
def test_a_bare_address_is_opened_by_the_headteacher_alone(
    kept: Kept, school: PolicyEngine, site: str
) -> None:
    with pytest.raises(RefusedError, match="gets round the filter"):
        open_site(kept, school, site)


@pytest.mark.parametrize("page", ["a.example/x/", "a.example/two%20words", "a.example/é"])
def test_what_is_opened_covers_the_page_that_was_asked_for(
    kept: Kept, school: PolicyEngine, page: str
) -> None:
    made = open_site(kept, school, page)
    url = parse_web_url(page)
    assert made.in_force(PUPIL, frozenset({"pupils"}), url.host, url.path, NOON)


@pytest.mark.parametrize(
    ("site", "want"),
    [
        ("", "is not a URL"),
        ("a b", "is not a URL"),
        ("ftp://a.example/", "is not the address of a web page"),
        ("*.example", "is no single site"),
        ("a.example/what%3F", "can be read in several ways"),
        ("a.example/c%23", "can be read in several ways"),
        ("com", "com is no single site: everybody's sites are below it"),
        ("uk", "uk is no single site"),
        ("co.uk", "co.uk is no single site"),
        ("https://github.io/me", "github.io is no single site"),
        ("sch.uk", "sch.uk is no single site"),
        ("localhost", "localhost is no single site"),
        ("locked.example", "locked.example is locked: nobody here can open it"),
        ("www.locked.example/page", "www.locked.example/page is locked"),
        ("part.example/bad/worse", "part.example/bad/worse is locked"),
    ],
)
def test_what_is_no_single_site_or_is_locked_is_refused(
    kept: Kept, school: PolicyEngine, site: str, want: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        open_site(kept, school, site)
    assert want in str(caught.value)
    assert kept.grants == []


@pytest.mark.parametrize("whom", ["everyone", "group:staff", "user:abc", "device:d1", "10.0.0.7"])
def test_access_is_withdrawn_from_now_on(kept: Kept, school: PolicyEngine, whom: str) -> None:
    subject = Subject.parse(whom)
    made = opening.suspend(kept, school, subject, ENDS, reason="misuse", actor="a.jones", now=NOON)
    assert kept.suspensions == [made] == [Suspension(1, subject, NOON, ENDS, "misuse")]
    [told] = kept.told
    assert told.roles == (Role.HEADTEACHER, Role.DSL)


def test_a_group_that_does_not_exist_is_refused_with_those_that_do(
    kept: Kept, school: PolicyEngine
) -> None:
    nobody = Subject.parse("group:staf")
    want = "there is no group 'staf'; there are: pupils, staff"
    with pytest.raises(RefusedError, match=want):
        open_site(kept, school, "a.example", nobody)
    with pytest.raises(RefusedError, match=want):
        opening.suspend(kept, school, nobody, ENDS, reason="r", actor="a", now=NOON)
    assert (kept.grants, kept.suspensions) == ([], [])


def test_what_a_policy_above_has_locked_nobody_here_opens(kept: Kept) -> None:
    locked = Rule(
        "top", "C-8", Verdict.BLOCK, hosts=hosts("example.com"), lock=Lock.SCHOOL, level=1
    )
    with pytest.raises(RefusedError, match=r"example\.com is locked: nobody here can open it"):
        opening.open_site(
            kept, engine(rules=(locked,)), "example.com", EVERYONE, STARTS, ENDS, Role.HEADTEACHER,
            reason="r", actor="t", now=NOON,
        )  # fmt: skip
    assert kept.grants == []


@pytest.mark.parametrize(
    ("role", "opened"),
    [(Role.HEADTEACHER, 1), (Role.DEPUTY, 1), (Role.TECHNICIAN, 0), (Role.SLT, 0)],
)
def test_a_site_is_opened_by_whom_the_policy_names(kept: Kept, role: Role, opened: int) -> None:
    rules = engine(roles=Roles(decides=(Role.HEADTEACHER,), deputises=(Role.DEPUTY,)))
    with (
        nullcontext()
        if opened
        else pytest.raises(
            RefusedError, match="at this school it is decided by: headteacher, deputy"
        )
    ):
        opening.open_site(
            kept,
            rules,
            "example.com",
            EVERYONE,
            STARTS,
            ENDS,
            role,
            reason="r",
            actor="t",
            now=NOON,
        )
    assert len(kept.grants) == opened


@pytest.mark.parametrize(
    ("bypass", "role", "want"),
    [
        ((Role.SLT,), Role.SLT, ""),
        (
            (Role.SLT,),
            Role.HEADTEACHER,
            "example.com gets round the filter: only the slt can open it",
        ),
        ((Role.HEADTEACHER, Role.SLT), Role.DEPUTY, "only the headteacher or the slt can open it"),
        ((), Role.HEADTEACHER, "nobody can open it"),
        (None, Role.HEADTEACHER, ""),
        (None, Role.SLT, "only the headteacher can open it"),
    ],
)
def test_what_gets_round_the_filter_is_opened_by_whom_the_policy_names_for_it(
    kept: Kept, bypass: tuple[Role, ...] | None, role: Role, want: str
) -> None:
    # Whoever may decide on other sites is somebody else.
    roles = None if bypass is None else Roles(decides=(Role.DEPUTY,), bypass=bypass)
    around = Rule("vpn", "C-6", Verdict.BLOCK, hosts=hosts("example.com"))
    rules = engine(roles=roles, circumvention=(around,))
    with pytest.raises(RefusedError, match=want) if want else nullcontext():
        opening.open_site(
            kept, rules, "example.com", EVERYONE, STARTS, ENDS, role,
            reason="r", actor="t", now=NOON,
        )  # fmt: skip
    assert len(kept.grants) == (0 if want else 1)


PEOPLE = People(
    devices=(Device("library-3"),), sign_in=SignInSettings(domains=("school.example", "SCHOOL"))
)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("user:J.Smith", "user:j.smith"),
        ("user:j.smith@school.example", "user:j.smith"),
        ("user:SCHOOL\\j.smith", "user:j.smith"),
        ("device:library-3", "device:library-3"),
        ("group:staff", "group:staff"),
    ],
)
def test_somebody_is_meant_by_the_name_that_clients_are_known_by(text: str, want: str) -> None:
    assert str(opening.known_subject(Subject.parse(text), PEOPLE)) == want


def test_a_device_that_nobody_wrote_down_concerns_nobody_and_is_refused() -> None:
    with pytest.raises(
        RefusedError, match=r"there is no device 'library-4' in people\.yaml; there are: lib"
    ):
        opening.known_subject(Subject.parse("device:library-4"), PEOPLE)


@pytest.mark.parametrize("site", ["bad.example/a?x=5", "https://BAD.example/%61/?x=5&y=1"])
def test_what_a_locked_list_names_is_opened_by_nobody(kept: Kept, site: str) -> None:
    school = engine().with_locked(LockedLists((locked("bad.example/a?x=5"),)))
    with pytest.raises(
        RefusedError, match=r"^bad\.example is locked there: nobody here can open it$"
    ):
        open_site(kept, school, site)
    assert open_site(kept, school, "bad.example/a?x=6").entry.text == "bad.example/a"
