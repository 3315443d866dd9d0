"""By a host's name alone a connection passes or is refused only where no page of it says otherwise."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.approvals import Grant, Overlay, Role, Suspension
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Decision,
    HostDecision,
    Inspection,
    InspectionMode,
    NamesOnly,
    Need,
    Never,
    PolicyEngine,
    Reason,
    Rule,
    TlsAction,
    Verdict,
    WebRequest,
)
from schoolgate.core.policy.rows import LOCAL_PASS
from schoolgate.core.urls import Url
from tests.core.policy.example import (
    DEFAULT,
    ENDS,
    NOON,
    PUPIL,
    STARTS,
    TEACHER,
    engine,
    grant,
    hosts,
    listed,
    local_allow,
    local_block,
    suspension,
)

NEEDED = Inspection(InspectionMode.NEEDED)
MEDIA = Need("media", "C-M", except_categories=frozenset({"school", "bank"}))


def rule(id_: str, verdict: Verdict = Verdict.BLOCK, **conditions: Any) -> Rule:
    return Rule(id_, f"C-{id_}", verdict, **conditions)


RULES = (
    rule("games", categories=("games",)),
    rule("adult", categories=("adult",)),
    rule("cloud", Verdict.WARN, categories=("cloud",)),
    rule("clips", Verdict.LIMIT, categories=("clips",)),
    rule("forum", Verdict.MONITOR, categories=("forum",)),
)
ALWAYS = (rule("help", Verdict.ALLOW, categories=("help",)),)
VPN = (rule("vpn", categories=("vpn",)),)


def school(*lines: str, inspection: Inspection = NEEDED, **changes: Any) -> PolicyEngine:
    """Give an engine over ``category entry`` lines; ``block`` and ``allow`` are the school's own."""
    entries, local = [], []
    for line in lines:
        category, text = line.split()
        match category:
            case "block":
                local.append(local_block(text))
            case "allow":
                local.append(local_allow(text))
            case _:
                entries.append(listed(text, category))
    steps = {"rules": RULES, "always_reachable": ALWAYS, "circumvention": VPN}
    return engine(entries, local, inspection=inspection, **{**steps, **changes})


def ask(built: PolicyEngine, host: str = "a.example", client: Client = PUPIL) -> HostDecision:
    return built.decide_host(host, client, NOON)


def action(built: PolicyEngine, host: str = "a.example") -> tuple[str, tuple[str, ...]]:
    answer = ask(built, host)
    return answer.action.value, answer.needs


# -- by the name, where it is enough --------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ([], ("pass", ())),
        (["forum a.example"], ("pass", ())),  # monitored by its name
        (["games a.example"], ("refuse", ())),
        (["games example"], ("refuse", ())),
        (["cloud a.example"], ("decrypt", ("warning",))),
        (["clips a.example"], ("decrypt", ("limit",))),
        (["vpn a.example"], ("refuse", ())),
        (["block a.example"], ("refuse", ())),
        (["games a.example", "allow a.example"], ("pass", ())),
        # parts that change the verdict
        (["games a.example/p"], ("decrypt", ("paths",))),
        (["games example/p"], ("decrypt", ("paths",))),
        (["forum a.example/p"], ("decrypt", ("paths",))),
        (["block a.example/p"], ("decrypt", ("paths",))),
        (["games a.example", "help a.example/p"], ("decrypt", ("paths",))),
        (["games a.example", "allow a.example/p"], ("decrypt", ("paths",))),
        (["vpn a.example", "help a.example/p"], ("decrypt", ("paths",))),
        (["adult a.example", "allow example/p"], ("decrypt", ("paths",))),
        (["cloud a.example", "games a.example/p"], ("decrypt", ("warning", "paths"))),
        # parts that change nothing
        (["games b.example/p"], ("pass", ())),
        (["games www.a.example/p"], ("pass", ())),
        (["games =example/p"], ("pass", ())),
        (["games *.a.example/p"], ("pass", ())),
        (["news a.example/p"], ("pass", ())),
        (["help a.example/p"], ("pass", ())),
        (["allow a.example/p"], ("pass", ())),
        (["games a.example", "games a.example/p"], ("refuse", ())),
        (["games a.example", "adult a.example/p"], ("refuse", ())),  # both are blocked
        (["games a.example", "vpn a.example/p"], ("refuse", ())),
        (["games a.example", "cloud a.example/p"], ("refuse", ())),  # a later rule
        (["vpn a.example", "allow a.example/p"], ("refuse", ())),  # a later step
        (["block a.example", "allow a.example/p"], ("refuse", ())),
        (["cloud a.example", "forum a.example/p"], ("decrypt", ("warning",))),
    ],
)
def test_the_name_is_enough_unless_a_part_of_the_host_is_answered_otherwise(
    lines: list[str], want: tuple[str, tuple[str, ...]]
) -> None:
    assert action(school(*lines)) == want


def test_a_rule_that_names_a_part_of_a_host_has_it_read() -> None:
    named = rule("named", hosts=hosts("a.example/p"))
    assert action(school(rules=(named,))) == ("decrypt", ("paths",))
    assert action(school(rules=(named,)), "b.example") == ("pass", ())
    assert action(school(rules=(named,), default=replace(DEFAULT, verdict=Verdict.BLOCK))) == (
        "refuse", ()
    )  # fmt: skip


def test_a_part_matters_to_the_groups_alone_whose_rules_ask_for_it() -> None:
    for_pupils = rule("games", categories=("games",), groups=frozenset({"pupils"}))
    built = school("games a.example/p", rules=(for_pupils,))
    assert ask(built, client=PUPIL).action is TlsAction.DECRYPT
    assert ask(built, client=TEACHER).action is TlsAction.PASS


def test_the_decision_is_the_engines_on_the_start_page() -> None:
    built = school("games a.example")
    start_page = WebRequest(Url("https", "a.example", 443, "/"), PUPIL)
    assert ask(built).decision is built.decide(start_page, NOON)
    assert ask(built) is ask(built)


# -- never, needs and the mode ---------------------------------------------------------------------

MAIL = Never("C-P", categories=frozenset({"mail"}), hosts=hosts("post.example", "=one.example"))


@pytest.mark.parametrize("mode", list(InspectionMode))
@pytest.mark.parametrize(
    ("lines", "host", "want"),
    [
        (["mail a.example"], "a.example", ("pass", ())),
        (["mail a.example", "news a.example", "forum a.example"], "a.example", ("pass", ())),
        (["mail a.example", "games a.example/p"], "a.example", ("pass", ())),
        (["mail a.example", "block example/p"], "a.example", ("pass", ())),
        ([], "www.post.example", ("pass", ())),
        ([], "one.example", ("pass", ())),
        (["mail a.example", "games a.example"], "a.example", ("refuse", ())),
        (["mail a.example", "block a.example"], "a.example", ("refuse", ())),
        (["mail a.example", "games a.example", "allow a.example"], "a.example", ("pass", ())),
        # what is warned of or blocked must be let through first
        (["mail a.example", "cloud a.example"], "a.example", ("decrypt", ("warning",))),
        (["mail a.example", "cloud a.example", "games a.example/p"], "a.example",
         ("decrypt", ("warning",))),
        (["mail a.example", "games a.example", "help a.example/p"], "a.example",
         ("decrypt", ("paths",))),
    ],
)  # fmt: skip
def test_what_is_never_decrypted_passes_in_both_modes_when_it_is_allowed(
    mode: InspectionMode, lines: list[str], host: str, want: tuple[str, tuple[str, ...]]
) -> None:
    inspection = Inspection(mode, never=(MAIL,), needs=(MEDIA,))
    assert action(school(*lines, inspection=inspection), host) == want


def test_what_is_below_a_host_or_a_part_of_it_in_mail_is_not_mail() -> None:
    built = school("mail a.example/mail", inspection=replace(NEEDED, never=(MAIL,), needs=(MEDIA,)))
    assert action(built) == ("decrypt", ("media",))
    assert action(built, "www.one.example") == ("decrypt", ("media",))


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ([], True),  # in no category
        (["news a.example"], True),
        (["school a.example"], False),
        (["school a.example", "bank a.example"], False),
        (["school a.example", "news a.example"], True),  # trusted by one list alone
        (["school a.example", "news a.example/p"], True),  # the part is not trusted
        (["school a.example", "bank a.example/p"], False),
        (["school a.example/p"], True),
        (["news trusted.example"], True),
    ],
)
def test_a_need_reaches_all_but_sites_of_trusted_categories_alone(
    lines: list[str], want: bool
) -> None:
    built = school(*lines, inspection=replace(NEEDED, needs=(MEDIA,)))
    assert action(built) == (("decrypt", ("media",)) if want else ("pass", ()))


def test_a_need_may_except_hosts_and_bind_some_groups_alone() -> None:
    trusting = Need("media", "C-M", except_hosts=hosts("a.example"))
    for_staff = Need("programs", "C-S", groups=frozenset({"staff"}))
    built = school("news a.example", inspection=replace(NEEDED, needs=(trusting, for_staff)))
    assert ask(built, "www.a.example", PUPIL).needs == ()
    assert ask(built, "b.example", PUPIL).needs == ("media",)
    assert ask(built, "b.example", TEACHER).needs == ("media", "programs")


def test_a_blocked_site_is_refused_whatever_must_be_read_of_others() -> None:
    for inspection in (replace(NEEDED, needs=(MEDIA,)), Inspection(InspectionMode.ALL)):
        assert action(school("games a.example", inspection=inspection)) == ("refuse", ())


def test_in_mode_all_every_allowed_site_is_decrypted_and_so_it_is_without_a_word_of_it() -> None:
    for inspection in (Inspection(), Inspection(InspectionMode.ALL, needs=(MEDIA,))):
        built = school("school a.example", "cloud b.example", inspection=inspection)
        assert action(built) == ("decrypt", ("everything",))
        assert action(built, "b.example") == ("decrypt", ("warning", "everything"))


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        (["games a.example"], "It is blocked by its name under C-games, with all that is on it."),
        (["mail a.example"], "It is never decrypted, under C-P."),
        (["mail a.example", "games a.example/p"],
         "It is never decrypted, under C-P; what is listed of its parts is not carried out."),
        (["school a.example"], "Its name is enough: no rule needs to read more."),
        ([], "It must be read because of media (C-M)."),
        (["games a.example/p"],
         "It must be read because of parts of it that are decided otherwise and media (C-M)."),
        (["cloud a.example", "games a.example/p"],
         ("It must be read because of the page of the warning (C-cloud), "
          "parts of it that are decided otherwise and media (C-M).")),
    ],
)  # fmt: skip
def test_the_answer_says_why_in_a_sentence(lines: list[str], want: str) -> None:
    inspection = replace(NEEDED, never=(MAIL,), needs=(MEDIA,))
    assert ask(school(*lines, inspection=inspection)).because == want


# -- what was decided by hand ----------------------------------------------------------------------

HEAD = Role.HEADTEACHER


@pytest.mark.parametrize(
    ("lines", "grants", "want"),
    [
        (["games a.example"], [grant("a.example")], ("pass", ())),
        (["games a.example"], [grant("example")], ("pass", ())),
        (["games a.example"], [grant("b.example")], ("refuse", ())),
        (["games a.example"], [grant("www.a.example")], ("refuse", ())),
        (["games a.example"], [grant("a.example/p")], ("decrypt", ("grants",))),
        (["games a.example"], [grant("example/p")], ("decrypt", ("grants",))),
        (["games a.example"], [grant("a.example/p", "group:staff")], ("refuse", ())),
        (["games a.example"], [grant("a.example"), grant("a.example/p", number=2)], ("pass", ())),
        (["cloud a.example"], [grant("a.example/p")], ("decrypt", ("warning", "grants"))),
        (["news a.example"], [grant("a.example/p")], ("pass", ())),
        (["mail a.example"], [grant("a.example/p")], ("pass", ())),
        (["mail a.example", "games a.example"], [grant("a.example/p")], ("decrypt", ("grants",))),
        (["mail a.example", "games a.example"], [grant("a.example")], ("pass", ())),
        # circumvention is opened by the headteacher alone
        (["vpn a.example"], [grant("a.example/p")], ("refuse", ())),
        (["vpn a.example"], [grant("a.example/p", decided_by=HEAD)], ("decrypt", ("grants",))),
        (["vpn a.example/p"], [grant("a.example")], ("decrypt", ("paths",))),
        (["vpn a.example/p"], [grant("a.example", decided_by=HEAD)], ("pass", ())),
        # a site opened whole is open in its parts
        (["games a.example", "adult a.example/p"], [grant("a.example")], ("pass", ())),
        (["games a.example/p"], [grant("a.example")], ("pass", ())),
    ],
)
def test_grants_count_as_they_do_on_pages(
    lines: list[str], grants: list[Grant], want: tuple[str, tuple[str, ...]]
) -> None:
    built = school(*lines, inspection=replace(NEEDED, never=(MAIL,)))
    assert action(built.with_overlay(Overlay(1, tuple(grants)))) == want


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ([], ("refuse", ())),
        (["mail a.example"], ("refuse", ())),
        (["cloud a.example"], ("refuse", ())),
        (["forum a.example/p"], ("refuse", ())),
        (["help a.example"], ("pass", ())),
        (["help a.example/p"], ("decrypt", ("paths",))),
    ],
)
def test_who_is_suspended_reaches_what_is_always_reachable(
    lines: list[str], want: tuple[str, tuple[str, ...]]
) -> None:
    built = school(*lines, inspection=replace(NEEDED, never=(MAIL,)))
    assert action(built.with_overlay(Overlay(1, (), (suspension("client:10.0.0.7"),)))) == want
    assert ask(built.with_overlay(Overlay(1, (), (suspension("group:staff"),)))) is ask(built)


def test_what_was_decided_by_hand_begins_and_ends_on_time() -> None:
    built = school("games a.example").with_overlay(Overlay(1, (grant("a.example"),)))
    instant = timedelta(microseconds=1)
    answers = [
        built.decide_host("a.example", PUPIL, now).action
        for now in (STARTS - instant, STARTS, ENDS - instant, ENDS)
    ]
    assert answers == ["refuse", "pass", "pass", "refuse"]


def test_an_answer_under_one_overlay_is_not_given_under_another() -> None:
    built = school("games a.example")
    opened = built.with_overlay(Overlay(1, (grant("a.example"),)))
    closed = opened.with_overlay(Overlay(2, (grant("a.example/p"),)))
    actions = [ask(opened).action, ask(closed).action, ask(built).action, ask(opened).action]
    assert actions == ["pass", "decrypt", "refuse", "pass"]
    assert ask(opened) is ask(opened)


# -- against a naive twin --------------------------------------------------------------------------

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


ONLY = (NamesOnly("C-N", networks=frozenset({"byod"})),)
GUEST = Client("10.0.0.9", "pupils", network="byod")


@pytest.mark.parametrize(
    ("host", "want", "says"),
    [
        ("school.example", TlsAction.PASS, "Nothing is decrypted here, under C-N."),
        ("games.example", TlsAction.REFUSE, "It is blocked under C-games"),
        ("cloud.example", TlsAction.REFUSE, "It is open only after a page of ours"),
        # What only reading could carry out is said to be lost.
        ("unknown.example", TlsAction.PASS, "not carried out is media"),
        ("part.example", TlsAction.PASS, "not carried out is paths"),
        ("93.184.215.14", TlsAction.REFUSE, "gateway-address"),
    ],
)
def test_who_trusts_no_certificate_of_ours_is_settled_by_name(
    host: str, want: TlsAction, says: str
) -> None:
    lists = [
        listed("games.example"),
        listed("cloud.example", "cloud"),
        listed("school.example", "school"),
        listed("part.example", "school"),
        listed("part.example/games", "games"),
    ]
    inspection = Inspection(InspectionMode.NEEDED, needs=(MEDIA,), names_only=ONLY)
    built = engine(lists, rules=RULES, inspection=inspection)
    answer = built.decide_host(host, GUEST, NOON)
    assert (answer.action, answer.by_alert) == (want, True)
    assert says in answer.because
    # The same people elsewhere trust the gateway.
    elsewhere = built.decide_host(host, replace(GUEST, network="wired"), NOON)
    assert not elsewhere.by_alert


def test_a_grant_opens_a_site_for_whom_nothing_is_read() -> None:
    inspection = Inspection(InspectionMode.ALL, names_only=ONLY)
    built = engine(
        [listed("games.example")],
        rules=RULES,
        inspection=inspection,
        overlay=Overlay(grants=(grant("games.example"),)),
    )
    assert built.decide_host("games.example", GUEST, NOON).action is TlsAction.PASS


@pytest.mark.parametrize(
    ("local", "want"),
    [
        ([], TlsAction.DECRYPT),
        (["=unknown.example"], TlsAction.PASS),
        (["example"], TlsAction.PASS),
        (["=other.example"], TlsAction.DECRYPT),
    ],
)
def test_what_the_school_passes_unread_passes(local: list[str], want: TlsAction) -> None:
    passed = [listed(text, LOCAL_PASS, "pass.txt") for text in local]
    built = engine(rules=RULES, local=passed, inspection=Inspection(InspectionMode.ALL))
    assert built.decide_host("unknown.example", PUPIL, NOON).action is want
    assert [entry.text for entry in built.passed] == local


def test_what_is_blocked_is_not_opened_by_passing_it() -> None:
    passed = [listed("games.example", LOCAL_PASS, "pass.txt")]
    built = engine([listed("games.example")], passed, rules=RULES)
    assert built.decide_host("games.example", PUPIL, NOON).action is TlsAction.REFUSE
