"""The engine answers as a plain chain of questions does, which compiles nothing."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.core.approvals import (
    OPENING,
    Acceptance,
    Grant,
    Overlay,
    Role,
    Signed,
    SiteBlock,
    Suspension,
)
from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Declaration,
    Group,
    LessonAllowance,
    Lock,
    Policy,
    PolicyEngine,
    Reason,
    Roles,
    Rule,
    UntilSigned,
    Verdict,
    WebRequest,
    explain,
    extend,
)
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK
from schoolgate.core.urls import parse_url
from tests.core.policy.example import (
    DEFAULT,
    ENDS,
    LESSONS,
    LESSONS_END,
    NOON,
    STARTS,
    catalogue,
    grant,
    hosts,
    listed,
    policy,
    suspension,
)

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class World:
    """Everything that a decision depends on."""

    own: Policy
    above: Policy | None
    entries: tuple[ListEntry, ...]
    local: tuple[ListEntry, ...]
    overlay: Overlay
    request: WebRequest
    now: datetime

    def policy(self) -> Policy:
        return extend(self.own, self.above) if self.above else self.own

    def engine(self) -> PolicyEngine:
        return PolicyEngine(self.policy(), catalogue(self.entries), self.local, self.overlay)


_PLACES = ["com", "example.com", "www.example.com", "example.com/a", "notexample.com", "b.example"]
_CATEGORIES = ["adult", "games", "news"]
_SUBJECTS = ["everyone", "group:pupils", "group:chess-club", "user:xyz", "10.0.0.7"]
_GROUPS = {
    "pupils": Group("pupils", "Pupils"),
    "year-4": Group("year-4", "Year 4", within="pupils"),
    "staff": Group("staff", "Staff"),
    "chess-club": Group("chess-club", "Chess club"),
}
_CLIENTS = [
    Client("10.0.0.7", "year-4", "abc", also=frozenset({"chess-club"})),
    Client("10.0.0.7", "pupils", "abc", network="wifi"),
    Client("10.0.0.8", "staff", "xyz", device="d1", device_kind="tablet"),
]


# What a section of a policy file may say.
_VERDICTS = {
    "locked": [Verdict.BLOCK],
    "always": [Verdict.ALLOW],
    "circumvention": [Verdict.BLOCK],
}


_FIRMNESS = [Lock.SCHOOL, Lock.RULES, Lock.NONE]


def _few(*values: str) -> st.SearchStrategy[frozenset[str]]:
    """Mostly no condition."""
    none = st.just(frozenset[str]())
    return st.one_of(none, none, none, st.frozensets(st.sampled_from(values), min_size=1))


def _rules(section: str) -> st.SearchStrategy[tuple[Rule, ...]]:
    one = st.builds(
        Rule,
        id=st.just(""),
        clause=st.just(f"clause-{section}"),
        verdict=st.sampled_from(_VERDICTS.get(section.partition("-")[2], list(Verdict))),
        categories=st.lists(st.sampled_from(_CATEGORIES), max_size=3, unique=True).map(tuple),
        hosts=st.lists(st.sampled_from(_PLACES[2:]), max_size=1).map(lambda names: hosts(*names)),
        groups=_few("pupils", "year-4", "staff", "chess-club"),
        networks=_few("wifi", "wired"),
        devices=_few("tablet"),
        periods=_few("lessons", "none"),
        methods=_few("POST"),
        lock=st.sampled_from([Lock.NONE, Lock.NONE, Lock.RULES, Lock.SCHOOL]),
    )
    # A rule without category and host answers for everything and hides all after it: rare.
    kept = one.filter(lambda rule: bool(rule.categories or rule.hosts))
    most = 3 if section.endswith("rule") else 1
    return st.lists(st.one_of(kept, kept, kept, kept, one), min_size=most // 2, max_size=most).map(
        lambda made: tuple(replace(rule, id=f"{section}-{n}") for n, rule in enumerate(made))
    )


def _some[T](
    one: st.SearchStrategy[T], most: int, least: int = 0
) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(one, min_size=most // 2, max_size=most).map(tuple)


def _numbered[T: (Grant, Suspension)](items: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(replace(item, id=number) for number, item in enumerate(items, start=1))


def _policies(name: str) -> st.SearchStrategy[Policy]:
    return st.builds(
        policy,
        id=st.just(name),
        groups=st.just(_GROUPS),
        timetable=st.just(LESSONS),
        locked=_rules(f"{name}-locked"),
        always_reachable=_rules(f"{name}-always"),
        circumvention=_rules(f"{name}-circumvention"),
        # As a policy file has them: the firmest first.
        rules=_rules(f"{name}-rule").map(
            lambda rules: tuple(sorted(rules, key=lambda rule: _FIRMNESS.index(rule.lock)))
        ),
        default=st.sampled_from([DEFAULT, Rule("otherwise", "C-otherwise", Verdict.BLOCK)]),
        lessons=st.sampled_from([None, LessonAllowance("C-L", frozenset({"games"}), 3, 60)]),
        roles=st.sampled_from([None, None, Roles(bypass=(Role.DEPUTY, Role.SLT))]),
        declaration=st.sampled_from(
            [
                None,
                None,
                *(
                    Declaration("C-D", "2", until, frozenset({group}))
                    for until in UntilSigned
                    for group in ("pupils", "staff")
                ),
            ]
        ),
    )


def _any_of[T](*values: T) -> st.SearchStrategy[frozenset[T]]:
    return st.frozensets(st.sampled_from(values))


_GRANTS = _some(
    st.builds(
        grant,
        st.sampled_from([*_PLACES, "=example.com", "=www.example.com/a"]),
        st.sampled_from(_SUBJECTS),
        st.sampled_from(Role),
        page=st.sampled_from(["", "", "", "/a/b"]),
        periods=_few("lessons", "none"),
        networks=_few("wifi"),
    ),
    2,
).map(_numbered)
_BLOCKS = _some(
    st.builds(
        SiteBlock,
        st.just(1),
        st.sampled_from(["example.com", "=example.com", "b.example"]).map(listed),
        st.just("reported"),
    ),
    1,
)
_SUSPENSIONS = _some(st.builds(suspension, st.sampled_from(_SUBJECTS[1:])), 1)
WORLDS = st.builds(
    World,
    own=_policies("own"),
    above=st.one_of(st.none(), _policies("above")),
    entries=_some(st.builds(listed, st.sampled_from(_PLACES), st.sampled_from(_CATEGORIES)), 4, 2),
    local=_some(
        st.builds(listed, st.sampled_from(_PLACES), st.sampled_from([LOCAL_BLOCK, LOCAL_ALLOW])), 1
    ),
    overlay=st.builds(
        Overlay,
        st.just(1),
        _GRANTS,
        _SUSPENSIONS,
        acceptances=_any_of(
            Acceptance("user:abc", "declaration:2", "2026-11-23"),
            Acceptance("user:abc", "declaration:2", "2026-11-22"),
        ),
        signed=_any_of(Signed("abc", "1"), Signed("xyz", "2")),
        blocks=_BLOCKS,
    ),
    request=st.builds(
        WebRequest,
        st.sampled_from([*_PLACES, *["www.example.com/a/b"] * 6, "a.test"]).map(
            lambda place: parse_url(f"https://{place}")
        ),
        st.sampled_from(_CLIENTS),
        st.sampled_from(["GET", "POST", "PURGE"]),
    ),
    now=st.sampled_from(
        [STARTS - INSTANT, STARTS, NOON, LESSONS_END - INSTANT, LESSONS_END, ENDS - INSTANT, ENDS]
    ),
)


def _covers(entry: ListEntry, request: WebRequest) -> bool:
    if entry.reach is Reach.HOST and request.url.host != entry.host:
        return False
    host, path = "." + request.url.host, request.url.path.rstrip("/") + "/"
    return host.endswith("." + entry.host) and path.startswith(entry.path.rstrip("/") + "/")


def naive(world: World) -> tuple[Reason, Verdict, str, int | None]:
    """Answer by the order of precedence; a warning is in front of what is open."""
    reason, verdict, rule, grant_id = chain(world)
    is_open = verdict is not Verdict.BLOCK and reason is not Reason.ALWAYS_REACHABLE
    if is_open and _unsigned(world) is UntilSigned.WARN:
        accepted = {each.day for each in world.overlay.acceptances if each.who == "user:abc"}
        if world.request.client.user != "abc" or "2026-11-23" not in accepted:
            return Reason.DECLARATION, Verdict.WARN, "declaration:2", None
    return reason, verdict, rule, grant_id


def _unsigned(world: World) -> UntilSigned | None:
    declaration = world.policy().declaration
    client = world.request.client
    if declaration is None or (client.user, declaration.version) in world.overlay.signed:
        return None
    group = "staff" if client.group == "staff" else "pupils"
    return declaration.until_signed if group in declaration.groups else None


def _stopped(
    world: World, groups: frozenset[str]
) -> tuple[Reason, Verdict, str, int | None] | None:
    for stop in world.overlay.suspensions:
        concerned = stop.subject.concerns(world.request.client, groups)
        if stop.starts <= world.now < stop.ends and concerned:
            return Reason.SUSPENDED, Verdict.BLOCK, "suspension", None
    if _unsigned(world) is UntilSigned.HOLD:
        return Reason.DECLARATION, Verdict.BLOCK, "declaration:2", None
    return None


def chain(world: World) -> tuple[Reason, Verdict, str, int | None]:  # noqa: PLR0912 - one question after the other
    """Answer as one chain of questions."""
    own, above, request = world.own, world.above, world.request
    client = request.client
    categories = {entry.category for entry in world.entries if _covers(entry, request)}
    local = {entry.category for entry in world.local if _covers(entry, request)}
    groups = {client.group, *client.also} | ({"pupils"} if client.group == "year-4" else set())
    period = "lessons" if STARTS <= world.now < LESSONS_END else "none"

    def matching(rules: tuple[Rule, ...], page: set[str] = categories) -> Rule | None:
        for rule in rules:
            if rule.groups and not rule.groups & groups:
                continue
            if rule.networks and client.network not in rule.networks:
                continue
            if rule.devices and client.device_kind not in rule.devices:
                continue
            if rule.periods and period not in rule.periods:
                continue
            if rule.methods and request.method not in rule.methods:
                continue
            if not rule.categories and not rule.hosts:
                return rule
            if page & set(rule.categories):
                return rule
            if any(_covers(entry, request) for entry in rule.hosts):
                return rule
        return None

    def above_with(*locks: Lock) -> tuple[Rule, ...]:
        return tuple(rule for rule in above.rules if rule.lock in locks) if above else ()

    def in_own_words(rule: Rule | None) -> Rule | None:
        mine = matching(own.rules)
        return mine if rule and mine and mine.verdict is rule.verdict else rule

    def by_rules(page: set[str] = categories) -> Rule | None:
        locked = matching(above_with(Lock.RULES, Lock.SCHOOL), page)
        return locked or matching(own.rules, page) or matching(above_with(Lock.NONE), page)

    lock = matching(above_with(Lock.SCHOOL))

    bound = matching(above_with(Lock.RULES, Lock.SCHOOL))

    around_above = matching(above.circumvention) if above else None

    def of_section(mine: tuple[Rule, ...], theirs: tuple[Rule, ...]) -> Rule | None:
        kept = tuple(
            rule
            for rule in mine
            if all(above_ is None or rule.verdict is above_.verdict for above_ in (lock, bound))
        )
        return matching(kept) or matching(theirs)

    if locked := of_section(own.locked, above.locked if above else ()):
        return Reason.LOCKED, locked.verdict, locked.id, None
    helping = () if around_above else own.always_reachable
    if always := of_section(helping, above.always_reachable if above else ()):
        return Reason.ALWAYS_REACHABLE, always.verdict, always.id, None
    if stopped := _stopped(world, frozenset(groups)):
        return stopped
    if lock and (said := in_own_words(lock)):
        return Reason.PARENT, said.verdict, said.id, None

    around = of_section(own.circumvention, above.circumvention if above else ())
    lessons = own.lessons or (above.lessons if above else None)
    otherwise = by_rules(categories - (lessons.categories if lessons else set())) or own.default
    closed = any(_covers(block.entry, request) for block in world.overlay.blocks)
    in_lessons = (
        lessons is not None
        and bool(lessons.categories & categories)
        and not local
        and not closed
        and otherwise.verdict in (Verdict.ALLOW, Verdict.MONITOR)
    )
    roles = own.roles or (above.roles if above else None)
    bypass = roles.bypass if roles else (Role.HEADTEACHER,)
    deciding = {*OPENING, Role.CHAIR_OF_GOVERNORS}
    for given_ in world.overlay.grants:
        in_time = given_.starts <= world.now < given_.ends
        permitted = around is None or given_.decided_by in bypass
        may_open = given_.decided_by in deciding and permitted
        if given_.decided_by is Role.TEACHER:
            may_open = around is None and in_lessons
        concerned = (
            given_.subject.concerns(client, frozenset(groups))
            and (not given_.periods or period in given_.periods)
            and (not given_.networks or client.network in given_.networks)
            and given_.page in ("", request.url.path)
        )
        if in_time and may_open and concerned and _covers(given_.entry, request):
            return Reason.GRANT, Verdict.ALLOW, "grant", given_.id
    if around:
        return Reason.CIRCUMVENTION, around.verdict, around.id, None
    if closed:
        return Reason.LOCAL_BLOCK, Verdict.BLOCK, "site-block", None
    if LOCAL_BLOCK in local:
        return Reason.LOCAL_BLOCK, Verdict.BLOCK, LOCAL_BLOCK, None
    if LOCAL_ALLOW in local:
        return Reason.LOCAL_ALLOW, Verdict.ALLOW, LOCAL_ALLOW, None
    if rule := in_own_words(by_rules()):
        if categories & set(rule.categories):
            return Reason.CATEGORY, rule.verdict, rule.id, None
        return Reason.HOST if rule.hosts else Reason.RULE, rule.verdict, rule.id, None
    return Reason.DEFAULT, own.default.verdict, own.default.id, None


@settings(max_examples=500)
@given(WORLDS)
def test_the_engine_answers_as_a_plain_chain_of_questions_does(world: World) -> None:
    decision = world.engine().decide(world.request, world.now)
    got = (decision.reason, decision.verdict, decision.rule, decision.grant)
    assert got == naive(world)


_ABOVE = st.one_of(_policies("above"), st.builds(extend, _policies("above"), _policies("top")))


@settings(max_examples=500)
@given(WORLDS, _ABOVE)
def test_what_a_policy_above_has_locked_no_policy_below_weakens(
    world: World, above: Policy
) -> None:
    """Not by its rules; and what is locked against the school not by lists and grants either."""
    world = replace(world, above=above)
    sites = catalogue(world.entries)
    bare = replace(above, declaration=None)
    bound = PolicyEngine(bare, sites).decide(world.request, world.now)
    lock = next((rule.lock for rule in above.rules if rule.id == bound.rule), Lock.NONE)
    rules = replace(world.policy(), declaration=None)
    by_rules = PolicyEngine(rules, sites).decide(world.request, world.now)
    by_hand = world.engine().decide(world.request, world.now)
    if bound.reason is Reason.LOCKED:
        assert by_rules.verdict is by_hand.verdict is Verdict.BLOCK
    if lock is not Lock.NONE:
        assert by_rules.verdict is bound.verdict
    if lock is Lock.SCHOOL:
        stopped = by_hand.reason in (Reason.SUSPENDED, Reason.DECLARATION)
        assert by_hand.verdict is bound.verdict or stopped


@given(WORLDS)
def test_an_overlay_swapped_in_answers_as_one_given_from_the_start(world: World) -> None:
    whole = world.engine()
    bare = PolicyEngine(world.policy(), catalogue(world.entries), world.local)
    bare.decide(world.request, world.now)
    swapped = bare.with_overlay(world.overlay)
    assert swapped.decide(world.request, world.now) == whole.decide(world.request, world.now)


@given(WORLDS)
def test_the_same_object_answers_the_same_request_again(world: World) -> None:
    built = world.engine()
    first = built.decide(world.request, world.now)
    assert built.decide(world.request, world.now) is first


_NUMBERS = {
    Reason.LOCKED: 1,
    Reason.ALWAYS_REACHABLE: 2,
    Reason.SUSPENDED: 3,
    Reason.DECLARATION: 3,
    Reason.PARENT: 4,
    Reason.GRANT: 5,
    Reason.CIRCUMVENTION: 6,
    Reason.LOCAL_BLOCK: 7,
    Reason.LOCAL_ALLOW: 7,
    Reason.CATEGORY: 8,
    Reason.HOST: 8,
    Reason.RULE: 8,
    Reason.DEFAULT: 9,
}


@given(WORLDS)
def test_an_explanation_ends_with_the_one_step_that_decided(world: World) -> None:
    built = world.engine()
    decision = built.decide(world.request, world.now)
    steps = explain(built, world.request, world.now)
    assert [step.decided for step in steps] == [False] * (len(steps) - 1) + [True]
    numbers = [step.number for step in steps]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == _NUMBERS[decision.reason]
    verdict = decision.verdict.value.capitalize()
    assert steps[-1].answer.startswith(f"{verdict} under {decision.clause}")
    assert f"(rule {decision.rule})." in steps[-1].answer


@given(WORLDS)
def test_the_evidence_covers_the_page_and_fits_the_reason(world: World) -> None:
    built = world.engine()
    decision = built.decide(world.request, world.now)
    entry = built.evidence(world.request, decision)
    assert entry is None or _covers(entry, world.request)
    if decision.reason in (Reason.GRANT, Reason.LOCAL_BLOCK, Reason.LOCAL_ALLOW):
        assert entry is not None
    elif decision.category is not None:
        assert entry is not None
        assert entry.category == decision.category
