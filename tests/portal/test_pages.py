"""Every page of the table, for everybody: who may see it, what it changes, and how it is made."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.portal.house import House
from tests.portal.asking import PASSWORD, Asking, Page, read

type Somebody = Callable[..., Any]
ENDS_SESSION = ("account_logout", "usersessions_list")
EVERYBODY: tuple[Role | None, ...] = (None, *Role)


def pages() -> Iterator[tuple[Any, str]]:
    """Give every page with a path of its own."""
    from schoolgate.portal.pages import PAGES

    for page in PAGES:
        path = page.path.replace("<str:token>", "t").replace("<str:key>", "k")
        path = path.replace("<str:provider>", "x").replace("<str:school>", "hill")
        yield page, "/" + path.replace("<int:pk>", "1").replace("<int:number>", "1")


def is_refused(answer: Any) -> bool:
    """Tell a page that is kept from somebody from one that says something else."""
    if answer.status_code == 302:
        return bool(answer["location"].startswith("/account/sign-in/?next="))
    return answer.status_code == 403 and "You may not see this page" in answer.content.decode()


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_page_is_for_those_whom_its_declaration_names(
    here: House, somebody: Somebody, role: Role | None, method: str
) -> None:
    person = somebody(role) if role else None
    browser = Asking(person)
    for page, path in pages():
        answer = browser.ask(method, path)
        if page.name in ENDS_SESSION and method == "POST":
            browser = Asking(person)
        if method not in page.methods:
            assert answer.status_code == 405, path
        else:
            roles = frozenset({role}) if role else None
            assert is_refused(answer) is not page.access.admits(roles), (path, answer.status_code)
            assert answer.status_code < 500, path


def test_other_methods_are_refused(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(*Role))
    for page, path in pages():
        heads = () if "GET" in page.methods else ("HEAD",)
        for method in ("PUT", "DELETE", *heads, *{"GET", "POST"} - page.methods):
            assert browser.ask(method, path).status_code == 405, path


def test_there_is_nothing_beside_the_table(here: House) -> None:
    from django.urls import get_resolver

    names = {pattern.name for pattern in get_resolver().url_patterns}
    assert names == {page.name for page, _ in pages()}


def test_nothing_changes_by_looking(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TECHNICIAN, Role.HEADTEACHER))
    before = rows()
    for page, path in pages():
        if "GET" in page.methods:
            browser.get(path)
    assert rows() == before


def rows() -> dict[str, list[Any]]:
    """Give every row of every table but sessions."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in cursor.fetchall() if "session" not in name]
        found = {}
        for name in names:
            cursor.execute(f'SELECT * FROM "{name}"')
            found[name] = cursor.fetchall()
    return found


def test_every_page_is_made_as_pages_are(here: House, somebody: Somebody) -> None:
    person = somebody(Role.TECHNICIAN, Role.HEADTEACHER)
    signed_in = Asking()
    # By the form, with the password given again, which important pages ask for.
    answer = signed_in.post("/account/sign-in/", login=person.email, password=PASSWORD)
    assert answer["location"] == "/"
    signed_in.post("/account/again/", password=PASSWORD)
    seen = 0
    for browser in (signed_in, Asking()):
        for page, path in pages():
            answers = [browser.get(path)] if "GET" in page.methods else []
            if page.methods == {"GET", "POST"} and page.name not in ENDS_SESSION:
                answers.append(browser.post(path))
            for answer in answers:
                if answer.get("content-type", "").startswith("text/html") and answer.content:
                    check(path, answer)
                    seen += 1
    assert seen > len(list(pages()))


@pytest.mark.parametrize("path", ["/nowhere", "/first/wrong/", "/password/MQ/wrong/"])
def test_so_are_pages_for_what_is_not_there(here: House, path: str) -> None:
    answer = Asking().get(path)
    assert answer.status_code in (404, 410)
    check(path, answer)


def check(path: str, answer: Any) -> None:
    """See that a page has what every page must."""
    assert answer.status_code < 500, path
    page = read(answer)
    [heading] = page.headings
    assert page.title.removeprefix("Error: ") == f"{heading} – Hill School", path
    assert page.labelled >= {field["id"] for field in page.inputs}, path
    [policy] = [value for name, value in answer.items() if name == "Content-Security-Policy"]
    assert "unsafe" not in policy
    assert page.styled == [], path
    assert_scripts(page, policy, path)
    assert answer["cache-control"] in (
        "no-store",
        "max-age=0, no-cache, no-store, must-revalidate, private",
    )
    assert answer["x-frame-options"] == "DENY"
    assert answer["strict-transport-security"]


def assert_scripts(page: Page, policy: str, path: str) -> None:
    """See that every script is a file of ours, with the nonce of this answer, or data."""
    for script in page.scripts:
        if script.get("type") == "application/json":
            continue
        assert script["src"].startswith("/static/"), path
        assert f"'nonce-{script['nonce']}'" in policy, path


def test_forms_from_elsewhere_are_refused(here: House, somebody: Somebody) -> None:
    browser = Asking(somebody(Role.TECHNICIAN), csrf=True)
    before = rows()
    for page, path in pages():
        if "POST" in page.methods:
            answer = browser.post(path)
            assert answer.status_code == 403, path
            assert read(answer).headings == ["The form is too old"]
    assert rows() == before


def test_cookies_that_were_given_over_tls_stay_there(here: House) -> None:
    for secure in (True, False):
        browser = Asking(secure=secure)
        browser.get("/policy/" if not secure else "/device/")
        for cookie in browser.cookies.values():
            assert bool(cookie["secure"]) is secure
            assert cookie["httponly"]
            assert cookie["samesite"] == "Lax"


def test_passwords_are_asked_for_over_tls_only(here: House) -> None:
    for page, path in pages():
        if "GET" not in page.methods:
            continue
        answer = Asking(secure=False).get(path)
        if page.access.secret:
            assert answer.status_code == 302, path
            assert answer["location"] == f"https://schoolgate.internal{path}"
        else:
            assert answer.status_code in (200, 302, 404), path
            assert "Strict-Transport-Security" not in answer


def test_the_menu_holds_what_one_may_see(here: House, somebody: Somebody) -> None:
    assert "/sign-ins/" not in read(Asking().get("/")).links
    assert "/sign-ins/" in read(Asking(somebody(Role.TECHNICIAN)).get("/")).links


def test_another_name_is_not_answered(here: House) -> None:
    assert Asking().get("/", headers={"host": "elsewhere.example"}).status_code == 400
