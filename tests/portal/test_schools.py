"""The portal of a trust: whoever has a school sees and decides there as its rules say, and nowhere else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from schoolgate.core.approvals import Role, State
from schoolgate.portal.house import House
from schoolgate.services.trust_overview import Overview, Seen
from schoolgate.storage import ApprovalStore, AuditTrail
from schoolgate.storage.gateway_states import GatewayState, GatewayStates
from schoolgate.storage.migrations import REVISIONS
from schoolgate.storage.school_glance import Glance, SchoolView
from tests.portal import trust
from tests.portal.asking import Asking, read
from tests.portal.hostile import STRINGS, harm_of
from tests.portal.requested import DECISION, signed
from tests.portal.test_hostile import WORST
from tests.portal.test_pages import check, pages
from tests.portal.trust import ELM, HOST, MINE, SECRET, THEIRS, Scene
from tests.school import NOON

pytestmark = pytest.mark.long

type Somebody = Callable[..., Any]
IT, HEAD = "it@trust.example", "head@trust.example"


@pytest.fixture(scope="module")
def made(
    database: tuple[House, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    with trust.running(database[0], tmp_path_factory.mktemp("schools")) as scene:
        yield scene


@pytest.fixture
def scene(made: Scene, here: House) -> Iterator[Scene]:
    with override_settings(SCHOOLGATE_HOUSE=made.house):
        yield made
    assignments = made.house.trust.assignments  # type: ignore[union-attr]
    for each in assignments.running():
        assignments.end(each.id, IT, made.house.now())


@pytest.fixture
def give(scene: Scene, somebody: Somebody) -> Callable[..., Asking]:
    """Give somebody roles in a school, and a browser in which they are signed in."""

    def to(school: str, *roles: Role, email: str = HEAD) -> Asking:
        assert scene.house.trust is not None
        for role in roles:
            scene.house.trust.assignments.give(email, school, role, IT, scene.house.now())
        browser = Asking(somebody(email=email))
        browser.has_proved_again()
        return browser

    return to


@pytest.fixture
def central(scene: Scene, somebody: Somebody) -> Asking:
    """Of central IT: a technician of the centre."""
    browser = Asking(somebody(Role.TECHNICIAN, email=IT))
    browser.has_proved_again()
    return browser


def texts(answer: Any) -> str:
    return str(answer.content.decode())


def request_of(scene: Scene, school: str) -> Any:
    with ApprovalStore(scene.schools[school]).reading() as kept:
        return kept.request(scene.numbers[school])


def test_each_page_of_a_school_is_not_there_for_who_has_another(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    """A headteacher of one asks for every page of the other: none answers, none says a word of it."""
    browser = give(MINE, *Role)
    asked = 0
    for page, _ in pages():
        if "<str:school>" not in page.path:
            continue
        number = str(scene.numbers[THEIRS])
        path = "/" + page.path.replace("<int:number>", number).replace("<str:school>", THEIRS)
        for method in page.methods:
            answer = browser.ask(method, path)
            assert answer.status_code == 404, (method, path)
            assert SECRET[THEIRS] not in texts(answer)
            asked += 1
    assert asked > 15
    assert request_of(scene, THEIRS).state is State.SUBMITTED


def test_no_page_at_all_says_anything_of_another_school(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    """Every page of the table, asked for with the other school in each question, never names its data."""
    browser = give(MINE, *Role)
    question = f"?school={THEIRS}&from={THEIRS}:0&part=waiting&site=chess.example"
    for page, path in pages():
        if "GET" in page.methods:
            answer = browser.get(path + question)
            if not answer.streaming:
                said = texts(answer) if "text" in answer.get("content-type", "") else ""
                # A link may carry back what was asked; a name of its own it is not.
                assert SECRET[THEIRS] not in said, path
                assert "chess.example" not in said.replace(question, "").replace(
                    'value="chess.example"', ""
                ), path


@pytest.mark.parametrize("school", ["nowhere", "centre", "public", "HERMITAGE", "hermitage.portal"])
def test_a_school_that_is_none_is_not_there(
    scene: Scene, central: Asking, give: Callable[..., Asking], school: str
) -> None:
    assert central.get(f"/schools/at/{school}/").status_code == 404
    head = give(school, Role.HEADTEACHER)
    assert head.get(f"/schools/at/{school}/").status_code == 404
    assert head.get(f"/schools/at/{school}/requests/1/").status_code == 404


def test_a_number_of_another_school_is_none_of_this_one(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    assert scene.numbers[ELM] != scene.numbers[MINE]
    browser = give(MINE, Role.HEADTEACHER)
    assert browser.get(f"/schools/at/{MINE}/requests/{scene.numbers[ELM]}/").status_code == 404


def test_whoever_has_no_school_sees_none(scene: Scene, somebody: Somebody) -> None:
    """Also a headteacher of the centre's own: the roles there are not those in schools."""
    browser = Asking(somebody(Role.HEADTEACHER))
    assert "No school is yours to see" in texts(browser.get("/schools/"))
    assert browser.get(f"/schools/at/{MINE}/").status_code == 404


def test_a_headteacher_sees_their_school_alone_in_overview_register_and_file(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    browser = give(MINE, Role.HEADTEACHER)
    for path in ("/schools/", "/schools/waiting/", "/schools/register/", "/schools/register/file/"):
        said = texts(browser.get(path))
        assert MINE in said, path
        assert THEIRS not in said, path
        assert ELM not in said, path


def test_central_it_sees_how_every_school_stands_and_decides_in_none(
    scene: Scene, central: Asking
) -> None:
    said = texts(central.get("/schools/register/"))
    assert all(name in said for name in (MINE, THEIRS, ELM))
    for name, number in scene.numbers.items():
        assert central.get(f"/schools/at/{name}/").status_code == 200
        assert central.get(f"/schools/at/{name}/requests/{number}/").status_code == 404


def test_a_decision_is_made_as_in_the_school_s_own_portal(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    """Signed, by who decides there, into that school's requests, grants and audit trail."""
    number = trust.ask(scene.house, scene.schools[THEIRS], THEIRS)
    head = give(THEIRS, Role.HEADTEACHER)
    path = f"/schools/at/{THEIRS}/requests/{number}/"
    shown = head.get(path)
    assert SECRET[THEIRS] in texts(shown)
    assert f"{path}approve/" in texts(shown)
    fields = {**DECISION, "version": "1"}
    unsigned = head.post(f"{path}approve/", **{**fields, "signature": "Another"})
    assert "That is not the name of your account" in texts(unsigned)
    done = signed(head, f"{path}approve/", **fields)
    assert (done.status_code, done["location"]) == (302, path)
    with ApprovalStore(scene.schools[THEIRS]).reading() as kept:
        request = kept.request(number)
        assert kept.grant_of(number) is not None
    assert request.state is State.APPROVED
    assert request.decision is not None
    assert request.decision.by == "head@trust.example"
    [(_, beside)] = AuditTrail(scene.schools[THEIRS]).told(limit=1, action="request.approved")
    assert beside is not None
    assert beside["actor"] == "account:head@trust.example"
    assert "chess.example</a>" in texts(head.get("/schools/register/?part=open"))


def test_who_does_not_decide_by_the_school_s_rules_is_refused(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    number = scene.numbers[MINE]
    browser = give(MINE, Role.DSL)
    path = f"/schools/at/{MINE}/requests/{number}/"
    assert browser.get(path).status_code == 200
    assert browser.post(f"{path}approve/", **DECISION, version="1").status_code == 403
    assert request_of(scene, MINE).state is State.SUBMITTED


def test_two_who_decide_on_one_version_make_one_decision(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    number = trust.ask(scene.house, scene.schools[ELM], ELM)
    head = give(ELM, Role.HEADTEACHER)
    path = f"/schools/at/{ELM}/requests/{number}/decline/"
    fields = {"reasons": "No.", "signature": "Sam Body", "version": "1"}
    assert signed(head, path, **fields).status_code == 302
    assert head.post(path, **fields).status_code == 409


def head_of_two(scene: Scene, give: Callable[..., Asking], other: str) -> Asking:
    """Give the browser of a headteacher of MINE and another school."""
    browser = give(MINE, Role.HEADTEACHER)
    assert scene.house.trust is not None
    scene.house.trust.assignments.give(HEAD, other, Role.HEADTEACHER, IT, scene.house.now())
    return browser


def test_what_waits_in_more_schools_than_a_page_has_is_on_the_next(
    scene: Scene, give: Callable[..., Asking], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolgate.portal.views.schools.MOST_SCHOOLS", 1)
    browser = head_of_two(scene, give, THEIRS)
    first = texts(browser.get("/schools/waiting/"))
    assert f"?from={THEIRS}" in first
    assert HOST[THEIRS] not in first
    assert HOST[MINE] in first
    further = texts(browser.get(f"/schools/waiting/?from={THEIRS}"))
    assert HOST[THEIRS] in further
    assert "Further schools" not in further


def test_what_waits_for_somebody_in_all_their_schools_is_on_one_page(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    """The oldest first, each with the way to it; gone once decided; of other schools nothing."""
    browser = head_of_two(scene, give, ELM)
    number = trust.ask(scene.house, scene.schools[ELM], ELM, NOON + timedelta(minutes=1))
    assert scene.house.trust is not None
    scene.house.trust.overview.look(ELM)
    text = texts(browser.get("/schools/waiting/"))
    paths = [
        f"/schools/at/{MINE}/requests/{scene.numbers[MINE]}/",
        f"/schools/at/{ELM}/requests/{number}/",
    ]
    places = [text.index(path) for path in paths]
    assert places == sorted(places)
    assert HOST[THEIRS] not in text
    declined = signed(
        browser, f"{paths[1]}decline/", reasons="No.", signature="Sam Body", version="1"
    )
    assert declined.status_code == 302
    text = texts(browser.get("/schools/waiting/"))
    assert [path in text for path in paths] == [True, False]


def test_what_waits_is_for_who_acts_on_it_and_for_nobody_else(
    scene: Scene, give: Callable[..., Asking], central: Asking
) -> None:
    assert "Nothing waits for you" in texts(give(MINE, Role.GOVERNOR).get("/schools/waiting/"))
    assert "Nothing waits for you" in texts(central.get("/schools/waiting/"))


def test_a_school_that_cannot_be_decided_for_is_named_beside_what_waits_in_others(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    browser = head_of_two(scene, give, THEIRS)
    policy = scene.copies / MINE / "policies" / "hill.yaml"
    kept = policy.read_text()
    policy.write_text(kept + "\n# changed\n")
    try:
        text = texts(browser.get("/schools/waiting/"))
    finally:
        policy.write_text(kept)
    assert "another policy is in force there" in text
    assert HOST[MINE] not in text
    assert f"/schools/at/{THEIRS}/requests/{scene.numbers[THEIRS]}/" in text


def test_without_the_rules_that_are_in_force_there_nothing_is_decided(
    scene: Scene, give: Callable[..., Asking]
) -> None:
    """No copy, a copy that is at fault, a copy of another policy: each is refused, and says so."""
    head = give(MINE, Role.HEADTEACHER)
    path = f"/schools/at/{MINE}/requests/{scene.numbers[MINE]}/"
    policy = scene.copies / MINE / "policies" / "hill.yaml"
    kept = policy.read_text()
    try:
        for text, word in (
            (kept + "\n# changed\n", "another policy is in force there"),
            ("id: [", "hill.yaml"),
            (None, "hill.yaml"),
        ):
            policy.unlink() if text is None else policy.write_text(text)
            answer = head.get(path)
            assert answer.status_code == 409
            assert word in texts(answer)
            assert SECRET[MINE] not in texts(answer)
    finally:
        policy.write_text(kept)
    assert head.get(path).status_code == 200


def test_a_broken_school_is_not_readable_and_spoils_no_other(
    scene: Scene, central: Asking, give: Callable[..., Asking]
) -> None:
    assert scene.house.trust is not None
    head = give(ELM, Role.HEADTEACHER)
    number = scene.numbers[ELM]
    with scene.schools[ELM].begin() as school:
        school.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    try:
        scene.house.trust.overview.round()
        said = texts(central.get("/schools/"))
        assert "1 cannot be read" in said
        assert MINE in said
        assert f"Not readable</strong> and not shown: {ELM}" in texts(
            central.get("/schools/register/")
        )
        assert f"{ELM},,could not be read" in texts(central.get("/schools/register/file/"))
        assert "of version 9999" in texts(central.get(f"/schools/at/{ELM}/"))
        assert "of version 9999" not in texts(head.get(f"/schools/at/{ELM}/"))
        assert head.get(f"/schools/at/{ELM}/requests/{number}/").status_code == 409
    finally:
        with scene.schools[ELM].begin() as school:
            school.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{REVISIONS[-1]}'")
        scene.house.trust.overview.round()


def test_a_role_that_is_taken_back_ends_with_the_next_page(
    scene: Scene, give: Callable[..., Asking], central: Asking
) -> None:
    head = give(MINE, Role.HEADTEACHER)
    assert head.get(f"/schools/at/{MINE}/").status_code == 200
    assert scene.house.trust is not None
    [each] = scene.house.trust.assignments.running()
    assert central.post(f"/schools/people/{each.id}/end/").status_code == 302
    assert head.get(f"/schools/at/{MINE}/").status_code == 404


def test_what_is_given_stands_in_both_audit_trails_and_the_school_is_told(
    scene: Scene, central: Asking, somebody: Somebody
) -> None:
    somebody(email="ruth@trust.example")
    given = {"person": "ruth@trust.example", "school": MINE, "role": "headteacher"}
    assert central.post("/schools/people/", **given).status_code == 302
    for trail in (scene.house.trail, AuditTrail(scene.schools[MINE])):
        [(_, beside)] = trail.told(limit=1, action="trust.assigned")
        assert beside is not None
        assert beside["actor"] == f"account:{IT}"
        assert beside["subject"] == "account:ruth@trust.example"
    with psycopg.connect(scene.owner) as owner:
        query = f'SELECT audience FROM "{MINE}".outbox WHERE subject LIKE %s'
        told = owner.execute(query.encode(), ["Somebody of the trust was given%"]).fetchall()
    assert {audience for (audience,) in told} >= {"role:headteacher"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"person": IT}, "Nobody gives themselves a school"),
        ({"school": "nowhere"}, "Select a valid choice"),
        ({"role": "teacher"}, "Select a valid choice"),
        ({"person": "stranger@trust.example"}, "Select a valid choice"),
        ({}, "headteacher of hermitage already"),
    ],
)
def test_what_cannot_be_given_is_refused(
    scene: Scene, central: Asking, give: Callable[..., Asking], changed: dict[str, str], said: str
) -> None:
    give(MINE, Role.HEADTEACHER)
    given = {"person": "head@trust.example", "school": MINE, "role": "headteacher", **changed}
    answer = central.post("/schools/people/", **given)
    assert answer.status_code == 200
    assert said in texts(answer)
    assert scene.house.trust is not None
    assert len(scene.house.trust.assignments.running()) == 1


def test_the_overview_of_500_schools_asks_as_little_as_that_of_three(
    scene: Scene, central: Asking
) -> None:
    """No school is asked, and the centre's own database as often as before."""
    assert scene.house.trust is not None
    names = [f"school-{number:03}" for number in range(500)]

    def nobody(school: str) -> SchoolView:
        raise AssertionError(school)

    many = Overview(lambda: names, nobody, scene.house.now)
    seen = {name: Seen(name, NOON, Glance(2, NOON, 1, 3)) for name in names}
    many._seen = seen
    large = replace(scene.house, trust=replace(scene.house.trust, overview=many, view=nobody))
    asked = []
    for house in (scene.house, large):
        with (
            override_settings(SCHOOLGATE_HOUSE=house),
            CaptureQueriesContext(connection) as queries,
        ):
            said = texts(central.get("/schools/"))
        asked.append(len(queries))
    assert "500 schools, 1000 requests waiting" in said
    assert asked[0] == asked[1] < 10


def test_gateways_are_shown_to_central_it_as_those_of_the_school_that_they_are_in(
    scene: Scene, central: Asking, give: Callable[..., Asking]
) -> None:
    """One that was taken over calls itself another school's: it is shown as its own."""
    assert scene.house.trust is not None
    state = GatewayState(THEIRS, "gw1", "0.1", NOON, workers_wanted=2, workers_up=1)
    GatewayStates(scene.schools[MINE]).write(state, lambda: NOON)
    scene.house.trust.overview.round()
    said = texts(central.get("/schools/gateways/"))
    assert f"<strong>{MINE}/gw1</strong>: has 1 of 2 workers" in said
    assert f"{THEIRS}/gw1" not in said
    assert give(MINE, Role.HEADTEACHER).get("/schools/gateways/").status_code == 403


def test_only_central_it_gives(scene: Scene, give: Callable[..., Asking]) -> None:
    head = give(MINE, *Role)
    given = {"person": "head@trust.example", "school": THEIRS, "role": "headteacher"}
    assert head.post("/schools/people/", **given).status_code == 403
    assert "/schools/people/" not in read(head.get("/schools/")).links


def test_every_page_is_made_as_pages_are(
    scene: Scene, central: Asking, give: Callable[..., Asking]
) -> None:
    head = give(MINE, *Role)
    number = scene.numbers[MINE]
    for browser in (central, head):
        for page, _ in pages():
            if not page.path.startswith("schools/") or "GET" not in page.methods:
                continue
            path = "/" + page.path.replace("<int:number>", str(number))
            answer = browser.get(path.replace("<str:school>", MINE))
            if answer.status_code == 200 and "html" in answer["content-type"]:
                check_any_school(path, answer)


def check_any_school(path: str, answer: Any) -> None:
    """Within a school the title ends in that school's name, which is the same here."""
    if "/page/" not in path:
        check(path, answer)


@pytest.mark.parametrize(
    "text", [WORST, STRINGS["script"], STRINGS["longest number"], STRINGS["deep"], STRINGS["path"]]
)
def test_what_people_who_mean_harm_send_is_refused_or_shown_and_nothing_more(
    scene: Scene, central: Asking, give: Callable[..., Asking], text: str
) -> None:
    head = give(MINE, *Role)
    number = scene.numbers[MINE]
    asked = quote(text[:3_000])
    for browser in (central, head):
        for name in ("part", "school", "from"):
            for path in ("/schools/register/", "/schools/register/file/"):
                assert harm_of(browser.get(f"{path}?{name}={asked}")) == []
        named = quote(text[:200], safe="")
        for path in (f"/schools/at/{named}/", f"/schools/at/{named}/requests/{number}/"):
            answer = browser.get(path)
            assert answer.status_code in (400, 404)
            assert harm_of(answer) == []
    for field in ("person", "school", "role"):
        given = {"person": "head@trust.example", "school": THEIRS, "role": "dsl", field: text}
        assert harm_of(central.post("/schools/people/", **given)) == []
    for field in ("reasons", "signature", "version", "until"):
        path = f"/schools/at/{MINE}/requests/{number}/approve/"
        assert harm_of(head.post(path, **{**DECISION, "version": "9", field: text})) == []
    assert request_of(scene, MINE).state is State.SUBMITTED


def test_the_menu_leads_there_at_a_centre_alone(
    made: Scene, here: House, somebody: Somebody
) -> None:
    person = somebody(Role.TECHNICIAN)
    assert "/schools/" not in read(Asking(person).get("/")).links
    assert Asking(person).get("/schools/").status_code == 403
    with override_settings(SCHOOLGATE_HOUSE=made.house):
        assert "/schools/" in read(Asking(person).get("/")).links
