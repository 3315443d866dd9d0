"""What is settled by a host's name is compared with what every page of it is answered."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.approvals import Overlay, Role, Suspension
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Decision,
    Inspection,
    InspectionMode,
    Need,
    Never,
    PolicyEngine,
    Reason,
    Rule,
    TlsAction,
    Verdict,
    WebRequest,
)
from schoolgate.core.urls import Url
from tests.core.policy.example import (
    DEFAULT,
    NOON,
    PUPIL,
    TEACHER,
    engine,
    grant,
    suspension,
)

_CATEGORIES = ["a", "b", "c", "d"]
_HOSTS = ["x.example", "y.x.example", "example", "z.example"]
# So many that no two entries share one, and none is below another.
_PATHS = [f"/{n}" for n in range(12)]
_VERDICTS = st.sampled_from(list(Verdict))
_GROUPS = st.sampled_from([frozenset(), frozenset({"pupils"}), frozenset({"staff"})])
_SOME = st.lists(st.sampled_from(_CATEGORIES), max_size=2, unique=True)
_SUBJECTS = ["everyone", "group:pupils", "user:abc", "client:10.0.0.8"]
_REACHES = st.sampled_from(list(Reach))


@st.composite
def _entries(draw: st.DrawFn, categories: list[str], paths: list[str]) -> list[ListEntry]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        in_part = draw(st.booleans())
        path = paths.pop() if paths and in_part else "/"
        host, category = draw(st.sampled_from(_HOSTS)), draw(st.sampled_from(categories))
        found.append(ListEntry(host, path, category, "curated", draw(_REACHES)))
    return found


@st.composite
def _rules(draw: st.DrawFn, step: str, paths: list[str]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            f"{step}-{n}",
            "C-8",
            draw(_VERDICTS),
            tuple(draw(st.lists(st.sampled_from(_CATEGORIES), min_size=1, max_size=2))),
            tuple(draw(_entries([""], paths))),
            draw(_GROUPS),
        )
        for n in range(draw(st.integers(0, 2)))
    )


@st.composite
def _inspections(draw: st.DrawFn) -> Inspection:
    return Inspection(
        draw(st.sampled_from(InspectionMode)),
        never=(Never("C-P", frozenset(draw(_SOME)), tuple(draw(_entries([""], [])))),),
        needs=tuple(
            Need(
                f"n{n}", "C-M", frozenset(draw(_SOME)), tuple(draw(_entries([""], []))), draw(_GROUPS)
            )
            for n in range(draw(st.integers(0, 2)))
        ),
    )  # fmt: skip


@st.composite
def _overlays(draw: st.DrawFn, paths: list[str]) -> Overlay:
    """Grants on sites, or on parts that `paths` gives, each once; perhaps a suspension."""
    grants = []
    for number in range(draw(st.integers(0, 3))):
        site = draw(st.sampled_from(_HOSTS))
        in_part = draw(st.booleans())
        if paths and in_part:
            site += paths.pop()
        subject, role = draw(st.sampled_from(_SUBJECTS)), draw(st.sampled_from(list(Role)))
        grants.append(grant(site, subject, role, number))
    stopped: tuple[Suspension, ...] = ()
    if draw(st.integers(0, 3)) == 0:
        stopped = (suspension(draw(st.sampled_from(_SUBJECTS))),)
    return Overlay(1, tuple(grants), stopped)


@st.composite
def _schools(draw: st.DrawFn, *, by_hand: bool, apart: bool = True) -> PolicyEngine:
    """A school; what is decided by hand is about parts of their own, or about any (not `apart`)."""
    paths = list(_PATHS)
    built = engine(
        draw(_entries(_CATEGORIES, paths)),
        [replace(e, category=draw(st.sampled_from(["local-block", "local-allow"])))
         for e in draw(_entries([""], paths))],
        locked=draw(_rules("locked", paths)),
        always_reachable=draw(_rules("always", paths)),
        circumvention=draw(_rules("around", paths)),
        rules=draw(_rules("rule", paths)),
        default=replace(DEFAULT, verdict=draw(_VERDICTS)),
        inspection=draw(_inspections()),
    )  # fmt: skip
    parts = paths if apart else draw(st.permutations(_PATHS[-4:]))
    return built.with_overlay(draw(_overlays(parts))) if by_hand else built


def decisions_on(built: PolicyEngine, host: str, client: Client) -> list[Decision]:
    """Ask for every page there is: the start page first."""
    return [
        built.decide(WebRequest(Url("https", host, 443, path), client), NOON)
        for path in ["/", "/other", *_PATHS, *(f"{path}/below" for path in _PATHS)]
    ]


def covered(entries: Iterable[ListEntry], host: str) -> bool:
    return any(
        (host == entry.host and entry.reach is not Reach.BELOW)
        or (host.endswith("." + entry.host) and entry.reach is not Reach.HOST)
        for entry in entries
    )


def check_against_every_page(built: PolicyEngine, *, exactly: bool = True) -> None:
    """Compare by asking for every page; `exactly`: nothing is read without cause either."""
    inspection = built.policy.inspection
    for host in (*_HOSTS, "w.y.x.example", "none.test"):
        categories = built.catalogue.sites.categories(built.catalogue.sites.get(host))
        for client in (PUPIL, TEACHER):
            answer = built.decide_host(host, client, NOON)
            decisions = decisions_on(built, host, client)
            every = [decision.verdict for decision in decisions]
            one, changes = every[0], len(set(every)) > 1
            locked = any(d.reason is Reason.LOCKED and d.verdict is not one for d in decisions)
            never = not locked and any(
                n.categories & set(categories) or covered(n.hosts, host) for n in inspection.never
            )
            assert answer.decision.verdict is one
            if answer.action is TlsAction.REFUSE:
                assert set(every) == {Verdict.BLOCK}
            if answer.action is TlsAction.PASS:
                assert one.passes
                assert never or not changes
            # And it is read for its parts only where a part really is answered otherwise.
            by_parts = bool({"paths", "grants"} & set(answer.needs))
            if not exactly:
                continue
            assert by_parts is (changes and not (never and one is not Verdict.BLOCK))
            if one is Verdict.BLOCK:
                assert answer.action is (TlsAction.DECRYPT if changes else TlsAction.REFUSE)
            elif never:
                assert answer.action is (TlsAction.PASS if one.passes else TlsAction.DECRYPT)
            elif not one.passes or inspection.mode is InspectionMode.ALL:
                assert answer.action is TlsAction.DECRYPT


@given(_schools(by_hand=False))
def test_no_page_contradicts_what_was_settled_by_the_name(built: PolicyEngine) -> None:
    check_against_every_page(built)


@given(_schools(by_hand=True))
def test_no_page_contradicts_it_whatever_was_decided_by_hand(built: PolicyEngine) -> None:
    check_against_every_page(built)


@given(_schools(by_hand=True, apart=False))
def test_no_page_contradicts_it_where_a_grant_and_a_list_name_the_same_part(
    built: PolicyEngine,
) -> None:
    check_against_every_page(built, exactly=False)
