"""From the block page to the opened site, as people do it: asked for, reviewed, signed on a phone."""

import base64
import io
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
import yaml
from pypdf import PdfReader
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests import origin
from tests.gateway import PATIENCE_SECONDS, Gateway, eventually, running, to_origin, write_config
from tests.portal.asking import PASSWORD
from tests.portal.printed import check
from tests.system.browsing import DESK, PHONE, chromium, show_as
from tests.system.test_portal_browser import HOME, Stage
from tests.system.test_requests_in_force import asked

pytestmark = pytest.mark.long

PEOPLE = {"teacher": "Tom Teacher", "slt": "Sue Leader", "headteacher": "Hal Head"}
# In a process of its own, as people's links for a password are tried elsewhere.
MAKE = """
import sys
from pathlib import Path
from schoolgate.portal.application import open_accounts
from schoolgate.settings import load_settings
open_accounts(load_settings(Path(sys.argv[1]), {}))
from schoolgate.portal.accounts.models import Person
for said in sys.argv[3:]:
    role, _, name = said.partition("=")
    Person.objects.create_user(role + "@school.example", sys.argv[2], name=name, roles=[role])
"""
# The last button of the form, where another comes first.
LAST = "main form button[type=submit]:not(.govuk-button--secondary)"


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    (tmp_path / "people.yaml").write_text(yaml.safe_dump({"neighbours": False}))
    with origin.running(tmp_path) as site:
        config = write_config(
            tmp_path,
            people=str(tmp_path / "people.yaml"),
            proxy=to_origin(site),
            portal={"enabled": True, "listen": "127.0.0.1:0"},
        )
        with running(config) as gateway:
            assert eventually(lambda: gateway.get("health").text == "ok\n")
            make_accounts(gateway)
            with chromium(gateway, tmp_path / "home", scripts=request.param) as browser:
                browser.set_script_timeout(PATIENCE_SECONDS)
                yield Stage(gateway, site, browser, scripts=request.param)


def make_accounts(gateway: Gateway) -> None:
    told = [f"{role}={name}" for role, name in PEOPLE.items()]
    command = [sys.executable, "-c", MAKE, str(gateway.config), PASSWORD, *told]
    subprocess.run(command, check=True, timeout=PATIENCE_SECONDS)


def sign_in(stage: Stage, role: str) -> None:
    """Sign in where the portal asks for it."""
    assert stage.heading == "Sign in"
    stage.fill(login=f"{role}@school.example", password=PASSWORD)


def sign_out(stage: Stage) -> None:
    stage.browser.get(f"{HOME}/account/sign-out/")
    stage.send()


def tick(browser: webdriver.Chrome, name: str) -> None:
    browser.find_element(By.NAME, name).click()


class Watch:
    """Asks for a page over and over, and notes when it opened."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self.opened_at = 0.0
        self._ending = Event()
        self._thread = Thread(target=self._ask, args=(gateway, url), daemon=True)
        self._thread.start()

    def _ask(self, gateway: Gateway, url: str) -> None:
        with gateway.client() as client:
            while not self._ending.wait(0.01):
                if asked(client, url).status_code == 200:
                    self.opened_at = time.monotonic()
                    return

    def end(self) -> None:
        self._ending.set()
        self._thread.join(PATIENCE_SECONDS)


def test_blocked_asked_for_reviewed_signed_and_open(stage: Stage, tmp_path: Path) -> None:
    browser = stage.browser
    url = f"https://www.ebay.co.uk:{stage.site.https_port}/lesson?x=1"
    ask(stage, url)
    # The tab in which it was blocked stays open.
    with chromium(stage.gateway, tmp_path / "office", scripts=stage.scripts) as office:
        office.set_script_timeout(PATIENCE_SECONDS)
        others = Stage(stage.gateway, stage.site, office, scripts=stage.scripts)
        review(others)
        sign_out(others)
        watch = Watch(stage.gateway, url)
        try:
            signed_at = approve(others)
            assert eventually(lambda: watch.opened_at > 0)
        finally:
            watch.end()
        print(
            f"from the POST of the decision to 200: {(watch.opened_at - signed_at) * 1000:.0f} ms"
        )
        look_at_the_register(others)
        look_at_paper(others)
        look_at_viewing(others)

    browser.switch_to.window(browser.window_handles[0])
    assert browser.title.startswith("This page is blocked")
    browser.find_element(By.LINK_TEXT, "Try again").click()
    stage.wait(lambda _: "origin says hello" in browser.page_source)
    look_at_renewal(stage)


def ask(stage: Stage, url: str) -> None:
    """Follow the link of the block page, and send the form that it fills in."""
    browser = stage.browser
    show_as(browser, DESK)
    browser.get(url)
    assert browser.title.startswith("This page is blocked")
    link = browser.find_element(By.LINK_TEXT, "Ask for this site")
    by_accident = browser.find_element(By.LINK_TEXT, "I came here by accident")
    accident = by_accident.get_attribute("href") or ""
    form = link.get_attribute("href") or ""
    browser.switch_to.new_window("tab")
    browser.get(form)
    stage.wait(lambda _: stage.heading == "Sign in")
    sign_in(stage, "teacher")
    assert stage.heading == "Ask for a blocked site"
    assert browser.find_element(By.NAME, "url").get_attribute("value") == url
    stage.see("ask")
    stage.fill(site_content="Prices.")
    assert browser.title.startswith("Error: ")
    stage.see("ask-with-faults")
    tick(browser, "parents_informed")
    stage.fill(
        reasons="Percentages with real prices.",
        risks_and_controls="Adverts; I watch the screens.",
        minimum_age="0",
    )
    assert stage.heading == "Request 1: ebay.co.uk"
    stage.see("request")
    for name in ("requests", "report"):
        browser.get(f"{HOME}/{name}/")
        stage.see(name)
    stage.fill(url="https://vile.example/", words="Vile.")
    browser.get(accident)
    stage.see("accident")
    stage.send()
    assert "Thank you" in browser.page_source


def review(stage: Stage) -> None:
    """Recommend it, as the leadership does here."""
    browser = stage.browser
    show_as(browser, DESK)
    browser.get(f"{HOME}/waiting/")
    sign_in(stage, "slt")
    stage.see("waiting")
    browser.find_element(By.PARTIAL_LINK_TEXT, "ebay.co.uk").click()
    stage.wait(lambda _: stage.heading.startswith("Request 1"))
    browser.find_element(By.LINK_TEXT, "Review it").click()
    stage.wait(lambda _: stage.heading.startswith("Review"))
    browser.find_element(By.CSS_SELECTOR, "input[value=yes]").click()
    stage.see("review")
    stage.fill(risks="Adverts.", controls="A teacher watches.")
    assert stage.heading.startswith("Request 1")
    browser.get(f"{HOME}/reports/")
    stage.see("reports")


def approve(stage: Stage) -> float:
    """Approve it on a phone; give when the decision was sent."""
    browser = stage.browser
    browser.get(f"{HOME}/waiting/")
    sign_in(stage, "headteacher")
    show_as(browser, PHONE)
    for name, path in (
        ("absence", "absence/"),
        ("decline", "requests/1/decline/"),
        ("question", "requests/1/question/"),
    ):
        browser.get(f"{HOME}/{path}")
        stage.see(name)
    browser.get(f"{HOME}/requests/1/approve/")
    stage.see("approve")
    show_as(browser, PHONE)
    browser.find_element(By.NAME, "reasons").send_keys("For the lesson.")
    browser.find_element(By.NAME, "signature").send_keys("Nobody")
    stage.send(LAST)
    assert browser.title.startswith("Error: ")
    stage.see("approve-with-faults")
    show_as(browser, PHONE)
    signature = browser.find_element(By.NAME, "signature")
    signature.clear()
    signature.send_keys(PEOPLE["headteacher"])
    stage.send(LAST)
    assert stage.heading == "Show that it is you"
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    signed_at = time.monotonic()
    stage.send()
    assert stage.heading == "Request 1: ebay.co.uk"
    stage.see("approved")
    return signed_at


def look_at_the_register(stage: Stage) -> None:
    stage.browser.get(f"{HOME}/grants/")
    assert "ebay.co.uk" in stage.browser.page_source
    stage.see("grants")
    stage.browser.find_element(By.PARTIAL_LINK_TEXT, "Close").click()
    stage.wait(lambda _: stage.heading == "Close ebay.co.uk again")
    stage.see("revoke")


def look_at_paper(stage: Stage) -> None:
    """Look at form and register as pages to print, and have both as a PDF."""
    for name, path in (("form", "requests/1/form/"), ("register", "grants/file/")):
        stage.browser.get(f"{HOME}/{path}page/")
        stage.see(f"paper-{name}")
    if not stage.scripts:
        # The file is fetched by a script.
        return
    for path, title in (
        ("requests/1/form/", "Blocked content access request form"),
        ("grants/file/pdf/", "Register of exceptions"),
    ):
        pdf = PdfReader(io.BytesIO(fetched(stage.browser, f"{HOME}/{path}")))
        assert pdf.metadata is not None
        assert (pdf.metadata.title or "").startswith(title)
        assert "ebay.co.uk" in " ".join(page.extract_text() for page in pdf.pages)
        check(pdf, str(pdf.metadata.title))


def fetched(browser: webdriver.Chrome, url: str) -> bytes:
    """Give what the browser is given at an address, with its session."""
    text: str = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "fetch(arguments[0]).then(answer => answer.bytes())"
        ".then(bytes => done(btoa(String.fromCharCode(...bytes))), error => done(''));",
        url,
    )
    return base64.b64decode(text)


def look_at_viewing(stage: Stage) -> None:
    """Look at one's own viewing, and at a person's with a concern."""
    browser = stage.browser
    browser.get(f"{HOME}/viewing/")
    stage.see("viewing")
    browser.get(f"{HOME}/history/")
    stage.see("history")
    stage.fill(person="client:127.0.0.1")
    assert browser.title.startswith("Error: ")
    stage.see("history-with-faults")
    stage.fill(concern="A colleague is worried.", reference="CP-7")
    assert "www.ebay.co.uk" in browser.find_element(By.TAG_NAME, "table").text
    stage.see("history-shown")


def look_at_renewal(stage: Stage) -> None:
    """Look at the form that asks for it again."""
    stage.browser.get(f"{HOME}/requests/1/")
    stage.browser.find_element(By.LINK_TEXT, "Ask to renew it").click()
    stage.wait(lambda _: stage.heading == "Ask to renew: ebay.co.uk")
    stage.see("renew")
