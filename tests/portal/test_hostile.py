"""What people who mean harm send to each page of the table: refused, or shown and nothing more."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from schoolgate.core.approvals import Actor, AskBack, Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import RefusedError
from schoolgate.portal.house import House
from tests.portal.asking import PASSWORD, Asking
from tests.portal.hostile import EVIL, HUGE, NUL, STRINGS, fields_of, harm_of, is_here
from tests.portal.requested import DECISION, FORM, REVIEW, asked
from tests.portal.test_pages import EVERYBODY, rows

type Somebody = Callable[..., Any]
HEAD = Actor("head@hill.example", frozenset({Role.HEADTEACHER}))
SECRET = "Zebras of year 4"
# Of pages that show no form, and those that a page of ours may come to read.
GUESSED = ("version", "note", "state", "binding", "reason", "next", "number", "name", "id")
ASKED = (
    "site",
    "ticket",
    "ended",
    "journal",
    "next",
    "page",
    "day",
    "person",
    "code",
    "state",
    "since",
    "until",
)
# All at once, for every run; each by itself for the long one.
WORST = "".join(
    STRINGS[name] for name in ("tag", "out of an attribute", "template", "right to left")
)
ENDS_SESSION = ("account_logout", "usersessions_list", "account_change_password")


class School:
    """A request, a report, a grant and an absence of other people, made anew when they are used up."""

    def __init__(self, here: House, somebody: Somebody) -> None:
        self.here = here
        self.ann = somebody(Role.TEACHER, email="ann@hill.example")
        self.deputy = somebody(Role.DEPUTY, email="deputy@hill.example")
        self.all = somebody(*Role, email="all@hill.example")
        self.key = self._key(self.ann)
        # Who is closed, opened and given roles over and over.
        self.other = somebody(Role.TEACHER, email="other@hill.example")
        self.numbers: dict[str, int] = {"people": self.other.pk}

    def _key(self, owner: Any) -> int:
        from allauth.mfa.models import Authenticator

        data = {"name": SECRET, "credential": {}}
        made = Authenticator.objects.create(user=owner, type="webauthn", data=data)
        return int(made.pk)

    def renew(self, page: Any = None) -> None:
        """Make everything anew, or what one page is about alone."""
        made = {
            "requests": self._request,
            "reports": self._report,
            "grants": self._grant,
            "absence": self._absence,
        }
        for name, make in made.items():
            if page is None or page.path.startswith(f"{name}/<int:"):
                self.numbers[name] = make()

    def _request(self) -> int:
        return int(asked(Asking(self.ann), reasons=SECRET).split("/")[2])

    def _report(self) -> int:
        Asking().post("/report/", url="https://games.example/", words="Vile.")
        return self.here.approvals.reports(HEAD)[-1].id

    def _grant(self) -> int:
        now = self.here.now()
        entry = ListEntry.parse("play.example", "grant", "grant")
        return self.here.decisions.add_grant(
            entry, Subject.parse("group:staff"), now, now + timedelta(days=1), Role.HEADTEACHER,
            reason="By hand.", actor="test", now=now,
        ).id  # fmt: skip

    def _absence(self) -> int:
        deputy = Actor(self.deputy.email, frozenset({Role.DEPUTY}))
        now = self.here.now()
        end = now + timedelta(days=1)
        return self.here.approvals.delegate(deputy, now, end, "A course.", HEAD, now).id

    def path(self, page: Any) -> str:
        """Give where a page is, of what others have."""
        number = self.numbers.get(page.path.partition("/")[0], 1)
        path = page.path.replace("<int:number>", str(number)).replace("<int:pk>", str(self.key))
        for part, value in (("token", "t"), ("key", "k"), ("provider", "x")):
            path = path.replace(f"<str:{part}>", value)
        return f"/{path}"

    def browser(self, page: Any) -> Asking:
        """Give somebody who may do what a page is for, with what it needs."""
        number = self.numbers["requests"]
        person = self.all if page.access.signed_in else None
        if page.name == "answer_request":
            self.here.approvals.act(number, 1, AskBack("Which year?"), HEAD, self.here.now())
            person = self.ann
        elif page.name == "withdraw_request":
            person = self.ann
        browser = Asking(person)
        if person is not None:
            browser.has_proved_again()
        if page.name == "revoke_request":
            path = f"/requests/{number}/approve/"
            assert browser.post(path, version="1", **SIGNED).status_code == 302
        return browser


SIGNED = DECISION | {"wider_because": "", "signature": "Sam Body"}


@pytest.fixture
def school(here: House, somebody: Somebody, monkeypatch: pytest.MonkeyPatch) -> School:
    from django.conf import settings

    # Whoever sends so much is held up; here it is to arrive.
    monkeypatch.setattr(settings, "ACCOUNT_RATE_LIMITS", False)
    return School(here, somebody)


def pages(method: str) -> list[Any]:
    from schoolgate.portal.pages import PAGES

    return [page for page in PAGES if method in page.methods]


# -- what is typed into forms ----------------------------------------------------------------------


def sweep(school: School, strings: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Type each string into each field of each page; give what came of it that must not."""
    school.renew()
    for page in pages("POST"):
        school.renew(page)
        browser = school.browser(page)
        path = school.path(page)
        shown = browser.get(path)
        sent = fields_of(shown) if shown.status_code == 200 else dict.fromkeys(GUESSED, "1")
        for field in sent or GUESSED:
            for name, string in strings.items():
                answer = browser.post(path, **(sent | {field: string}))
                harm = harm_of(answer)
                if harm:
                    yield f"{page.name}.{field}: {name}", harm
                if answer.status_code == 302 or page.name in ENDS_SESSION:
                    # It was done, or one was signed out: there is nothing more to do it with.
                    school.renew(page)
                    browser, path = school.browser(page), school.path(page)


def shown_after(school: School) -> Iterator[tuple[str, list[str]]]:
    """Look at every page with what was kept."""
    browser = Asking(school.all)
    browser.has_proved_again()
    for page in pages("GET"):
        if page.name not in ENDS_SESSION:
            harm = harm_of(browser.get(school.path(page)))
            if harm:
                yield page.name, harm


def too_long() -> list[str]:
    """Give the tables in which something is kept that no form may hold."""
    return [name for name, held in rows().items() if any(len(str(row)) > 60_000 for row in held)]


@pytest.mark.long
def test_whatever_is_typed_is_refused_or_shown_as_it_is(school: School) -> None:
    assert dict(sweep(school, {"worst": WORST, "formula": STRINGS["formula"]})) == {}
    assert dict(shown_after(school)) == {}
    table = Asking(school.all).get("/grants/file/?ended=yes").content.decode()
    assert not any(line.startswith(("=", '"=', ",=")) for line in table.splitlines())


@pytest.mark.long
@pytest.mark.parametrize("name", STRINGS)
def test_so_is_each_of_many_things(school: School, name: str) -> None:
    assert dict(sweep(school, {name: STRINGS[name]})) == {}
    assert dict(shown_after(school)) == {}
    assert too_long() == []


@pytest.mark.long
@pytest.mark.parametrize("string", [HUGE, HUGE[:900_000] + f"<{EVIL}>"], ids=["x", "tag"])
def test_so_is_a_megabyte(school: School, string: str) -> None:
    assert dict(sweep(school, {"a megabyte": string})) == {}
    assert too_long() == []


@pytest.mark.long
def test_what_is_no_text_goes_nowhere(school: School) -> None:
    school.renew()
    before = kept()
    for page in pages("POST"):
        browser = Asking(school.all)
        browser.has_proved_again()
        for field in GUESSED:
            answer = browser.post(school.path(page), **{field: NUL})
            assert answer.status_code == 400, (page.name, field)
    for page in pages("GET"):
        assert Asking(school.all).get(f"{school.path(page)}?site=a%00b").status_code == 400
    assert kept() == before


def kept() -> dict[str, list[Any]]:
    """Give every row that is more than a trace of somebody's visit."""
    found = rows()
    del found["portal_limits"]
    # Without the time of the last sign-in.
    found["accounts_person"] = [(*row[:2], *row[3:]) for row in found["accounts_person"]]
    return found


@pytest.mark.long
def test_whatever_is_asked_for_is_refused_or_shown_as_it_is(school: School) -> None:
    school.renew()
    for string in (WORST, STRINGS["header"], STRINGS["deep"][:4000], STRINGS["longest number"]):
        for page in pages("GET"):
            browser = Asking(school.all)
            answer = browser.get(school.path(page), data=dict.fromkeys(ASKED, string))
            assert harm_of(answer) == [], page.name


@pytest.mark.parametrize(
    "number",
    [
        "9" * 18,
        *(
            pytest.param(number, marks=pytest.mark.long)
            for number in ("0", "9" * 10, "9" * 30, "9" * 5000, "-1", "1.0", "%D9%A1", "1e3")
        ),
    ],
)
def test_numbers_of_nothing_lead_nowhere(school: School, number: str) -> None:
    from schoolgate.portal.pages import PAGES

    before = kept()
    browser = Asking(school.all)
    browser.has_proved_again()
    for page in PAGES:
        if "<int:" in page.path:
            path = "/" + page.path.replace("<int:number>", number).replace("<int:pk>", number)
            for method in page.methods:
                answer = browser.ask(method, path)
                assert harm_of(answer) == [], path
                assert answer.status_code not in (200, 201), path
    assert kept() == before


# -- what belongs to others ------------------------------------------------------------------------


def may_see(school: School, person: Any) -> bool:
    """Ask the service, which is where it is decided."""
    actor = Actor(person.email, person.held_roles())
    try:
        school.here.approvals.offer(school.numbers["requests"], actor, school.here.now())
    except RefusedError:
        return False
    return True


@pytest.mark.parametrize(
    "role", [pytest.param(role, marks=[] if role is None else [pytest.mark.long])
             for role in EVERYBODY]
)  # fmt: skip
def test_what_belongs_to_others_is_neither_shown_nor_changed(
    school: School, somebody: Somebody, role: Role | None
) -> None:
    school.renew()
    eve = somebody(role, email="eve@hill.example") if role else None
    sees = eve is not None and may_see(school, eve)
    roles = frozenset({role}) if role else None
    fields = FORM | REVIEW | SIGNED | dict.fromkeys(("version", "state", "note", "reason"), "1")
    for method in ("GET", "POST"):
        for page in pages(method):
            if page.name in ENDS_SESSION:
                continue
            browser = Asking(eve)
            if eve is not None:
                browser.has_proved_again()
            before, path = kept(), school.path(page)
            answer = browser.get(path) if method == "GET" else browser.post(path, **fields)
            assert answer.status_code < 500, path
            assert sees or SECRET.encode() not in answer.content, path
            mine = page.path.startswith("requests/<") and not sees
            if "<int:" in page.path and (
                mine or "<int:pk>" in page.path or not page.access.admits(roles)
            ):
                assert kept() == before, path
                assert answer.status_code in (302, 403, 404), path


def test_sessions_of_others_are_ended_by_nobody(here: House, somebody: Somebody) -> None:
    from allauth.usersessions.models import UserSession

    for name in ("ann", "eve"):
        somebody(Role.TECHNICIAN, email=f"{name}@hill.example")
    ann, eve = Asking(), Asking()
    for name, browser in (("ann", ann), ("eve", eve)):
        browser.post("/account/sign-in/", login=f"{name}@hill.example", password=PASSWORD)
    [theirs] = UserSession.objects.filter(user__email="ann@hill.example")
    for field in ("session", "id", "pk", "session_key", "user"):
        eve.post("/account/sessions/", **{field: str(theirs.pk)})
    assert ann.get("/account/").status_code == 200


# -- forms and frames of others ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        *(
            pytest.param(headers, marks=pytest.mark.long)
            for headers in (
                {"origin": "null"},
                {"origin": "https://schoolgate.internal.evil.example"},
                {"origin": "http://schoolgate.internal"},
                {"referer": "https://evil.example/schoolgate.internal"},
                {},
            )
        ),
    ],
)
def test_forms_of_others_do_nothing(school: School, headers: dict[str, str]) -> None:
    school.renew()
    browser = Asking(school.all, csrf=True)
    browser.has_proved_again()
    token = browser.get("/ask/").cookies["schoolgate_form"].value
    before = kept()
    for page in pages("POST"):
        answer = browser.ask(
            "POST", school.path(page), f"csrfmiddlewaretoken={token}&version=1",
            content_type="application/x-www-form-urlencoded", headers=headers,
        )  # fmt: skip
        assert answer.status_code == 403, page.name
    assert kept() == before


@pytest.mark.long
def test_no_answer_can_be_framed_or_taken_for_something_else(school: School) -> None:
    school.renew()
    browser = Asking(school.all)
    for path, headers in (
        *((school.path(page), {}) for page in pages("GET")),
        ("/nowhere", {}),
        ("/nowhere%00", {}),
        ("/", {"host": "evil.example"}),
        ("/static/portal/portal.css", {}),
        ("/static/nothing", {}),
        ("/ask", {}),
    ):
        for method in ("GET", "POST", "PUT", "TRACE"):
            answer = browser.ask(method, path, headers=headers)
            assert answer.status_code < 500, path
            answer.close()
            assert answer["x-frame-options"] == "DENY", (method, path)
            assert answer["x-content-type-options"] == "nosniff", (method, path)
            assert "frame-ancestors 'none'" in answer["content-security-policy"], (method, path)
            assert answer["referrer-policy"] == "same-origin", (method, path)
            if "evil" in headers.get("host", ""):
                assert answer.status_code == 400
                assert b"evil.example" not in answer.content


# -- where one is led -------------------------------------------------------------------------------

ELSEWHERE = (
    "//evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example",
    "\\\\evil.example", "/\\evil.example", "\\/evil.example", "javascript:alert(1)",
    "\tjavascript:alert(1)", "data:text/html,x", "//evil.example\\@schoolgate.internal",
    "https://schoolgate.internal@evil.example", "https://schoolgate.internal.evil.example",
    "//evil\u3002example", "\uff0f\uff0fevil.example", "http://evil.example", "/\t/evil.example",
    "/\n/evil.example", "////evil.example", "%2f%2fevil.example", "https://evil.example/\r\nX: y",
)  # fmt: skip
NEXT = ("next", "redirect_to", "return", "url", "continue", "callback")


@pytest.mark.long
@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_elsewhere(school: School, target: str) -> None:
    school.renew()
    for page in pages("GET"):
        for person in (None, school.all):
            answer = Asking(person).get(school.path(page), data=dict.fromkeys(NEXT, target))
            assert answer.status_code != 302 or is_here(answer["location"]), page.name
            assert harm_of(answer) == [], page.name
    named = dict.fromkeys(NEXT, target)
    mail = school.ann.email
    for path, fields in (
        ("/account/sign-in/", {"login": mail, "password": PASSWORD}),
        ("/account/sign-out/", {}),
        ("/account/again/", {"password": PASSWORD}),
        ("/account/sessions/", {}),
    ):
        from allauth.mfa.models import Authenticator

        Authenticator.objects.all().delete()
        answer = Asking(None if "in" in path else school.ann).post(path, **(fields | named))
        assert answer.status_code == 302, path
        assert is_here(answer["location"]), path


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//evil.example", "/\\evil.example", "/%2fevil/.."]
)
def test_an_address_that_looks_like_another_leads_nowhere(school: School, path: str) -> None:
    for secure in (True, False):
        answer = Asking(school.all, secure=secure).ask("GET", path)
        location = answer.get("location", "/")
        assert is_here(location), location


# -- how a request is written -----------------------------------------------------------------------


FORGED = {
    "x-forwarded-for": "10.9.0.99", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https",
    "x-real-ip": "10.9.0.99", "forwarded": "for=10.9.0.99;host=evil.example", "client-ip": "10.9.0.99",
    "x-schoolgate-client": "10.9.0.99", "x-original-url": "/sign-ins/", "x-rewrite-url": "/sign-ins/",
}  # fmt: skip


def test_headers_that_say_otherwise_are_not_read(school: School) -> None:
    from allauth.usersessions.models import UserSession

    browser = Asking(address="10.9.0.7")
    fields = f"login={school.deputy.email}&password={PASSWORD}".replace(" ", "+")
    kind = "application/x-www-form-urlencoded"
    answer = browser.ask("POST", "/account/sign-in/", fields, content_type=kind, headers=FORGED)
    assert answer["location"] == "/"
    assert [one.ip for one in UserSession.objects.all()] == ["10.9.0.7"]
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        school.renew()
        path = f"/requests/{school.numbers['requests']}/withdraw/"
        assert Asking(school.ann).get(path, headers={name: "POST"}).status_code == 405
        body = Asking(school.ann).ask("GET", path, "_method=POST", content_type=kind)
        assert body.status_code == 405


MULTIPART = "multipart/form-data; boundary=x"
PART = '--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("kind", "data", "want"),
    [
        (MULTIPART, PART.format(name="url", more="", value="x"), (200,)),
        (MULTIPART, PART.format(name="url", more='; filename="../../a.html"', value="x"), (200,)),
        (MULTIPART, PART.format(name="url", more='; filename="a.svg"', value=f"<{EVIL}>"), (200,)),
        (MULTIPART, "--x\r\n", (200, 400)),
        ("multipart/form-data", "x", (400,)),
        ("multipart/form-data; boundary=" + "x" * 500, "x", (200, 400)),
        *((f"{MULTIPART}; charset={name}", PART.format(name="url", more="", value="\\ud800"), (400,))
          for name in ("utf-7", "utf-16", "unicode_escape", "base64", "idna", "nothing")),
        *((f"application/x-www-form-urlencoded; charset={name}", "url=x", (400,))
          for name in ("utf-7", "utf-16", "unicode_escape", "base64")),
        ("application/json", '{"url": "x"}', (200,)),
        ("application/json", "[" * 100_000, (200,)),
        ("text/xml", "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", (200,)),
        ("application/x-www-form-urlencoded", "url=%ED%A0%80&words=%FF%FE", (200,)),
        ("application/x-www-form-urlencoded", "&".join(f"a{n}=1" for n in range(10_000)), (400,)),
        ("application/x-www-form-urlencoded", "url=x&" + "a[b]" * 5_000 + "=1", (200,)),
        ("application/x-www-form-urlencoded", "x" * 1_200_000, (400, 413)),
        ("", "url=x", (200,)),
        ("\u00e9/*; charset", "url=x", (200, 400)),
    ],
)  # fmt: skip
def test_a_form_in_another_shape_is_no_form(
    school: School, kind: str, data: str, want: tuple[int, ...]
) -> None:
    answer = Asking().ask("POST", "/report/", data, content_type=kind)
    assert answer.status_code in want, answer.content[:300]
    assert harm_of(answer) == []
    assert school.here.approvals.reports(HEAD) == []


@pytest.mark.long
def test_ten_thousand_questions_are_one_too_many(school: School) -> None:
    query = "&".join(f"a{n}=1" for n in range(10_000))
    for page in pages("GET"):
        answer = Asking(school.all).get(f"{school.path(page)}?{query}")
        assert answer.status_code < 500, page.name
