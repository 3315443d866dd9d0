"""The portal as people meet it: every page on a phone and a desk, with axe, by keyboard, without scripts."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from selenium.webdriver.support.wait import WebDriverWait

from tests import origin
from tests.gateway import (
    PATIENCE_SECONDS,
    ROOT,
    Gateway,
    eventually,
    running,
    to_origin,
    write_config,
)
from tests.origin import Origin
from tests.portal.asking import PASSWORD
from tests.portal.test_accounts import code
from tests.system.browsing import DESK, PHONE, chromium, fits, keep_picture, show_as
from tests.system.packages import fetched

pytestmark = pytest.mark.long

HOME = "https://schoolgate.internal"
TESS = "tess@school.example"
AXE = ROOT / "tests" / "system" / "axe"

# In a process of its own: Django is told where it is once.
TABLE = """
import json, sys
from pathlib import Path
from schoolgate.portal.configuration import configure
from schoolgate.settings import load_settings
configure(load_settings(Path(sys.argv[1]), {}), None)
from schoolgate.portal.pages import PAGES
print(json.dumps([[p.name, p.path, p.access.signed_in] for p in PAGES if "GET" in p.methods]))
"""


@cache
def axe() -> str:
    """Give the source of axe, fetched by npm when it is not there yet."""
    return (fetched(AXE) / "axe-core" / "axe.min.js").read_text()


@dataclass
class Stage:
    """A gateway with its portal, an origin, and who reads their pages."""

    gateway: Gateway
    site: Origin
    browser: webdriver.Chrome
    scripts: bool = True

    def see(self, name: str) -> None:
        """Look at the page on both screens: it fits, axe finds nothing, a picture is kept."""
        if not self.scripts:
            # What the page looks like is seen with scripts, of which axe is one.
            return
        for screen, size in (("phone", PHONE), ("desk", DESK)):
            show_as(self.browser, size)
            keep_picture(self.browser, f"portal-{name}-{screen}")
            assert fits(self.browser), (name, screen)
            assert violations(self.browser) == [], (name, screen)

    def fill(self, **fields: str) -> None:
        """Type into fields and send their form."""
        for field, value in fields.items():
            found = self.browser.find_element(By.NAME, field)
            if found.get_attribute("type") != "radio":
                found.clear()
                found.send_keys(value)
        self.send()

    def send(self, chosen: str = "main form button[type=submit]") -> None:
        """Press the button of the form, and wait for the page that comes of it."""
        before = self.browser.find_element(By.TAG_NAME, "html")
        self.browser.find_element(By.CSS_SELECTOR, chosen).click()
        self.wait(lambda _: is_gone(before))

    def wait(self, true: Callable[[webdriver.Chrome], Any]) -> None:
        ignored = [WebDriverException]
        WebDriverWait(self.browser, PATIENCE_SECONDS, ignored_exceptions=ignored).until(true)

    @property
    def heading(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "h1").text


def is_gone(element: Any) -> bool:
    """Tell whether a page was replaced by another."""
    try:
        element.is_enabled()
    except WebDriverException:
        return True
    return False


def violations(browser: webdriver.Chrome) -> list[str]:
    """Give what axe has to say about a page."""
    browser.execute_script(axe())
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run().then(found => done(found.violations), error => done([{id: String(error)}]));"
    )
    return [f"{one['id']}: {[node['html'] for node in one.get('nodes', [])][:3]}" for one in found]


def table(config: Path) -> list[tuple[str, str, bool]]:
    """Give name and path of every page that can be looked at, and whether one must sign in."""
    asked = subprocess.run(
        [sys.executable, "-c", TABLE, str(config)],
        capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    return [tuple(page) for page in json.loads(asked.stdout)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
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
            assert eventually(lambda: bool(first_link(gateway)))
            with chromium(gateway, tmp_path / "home") as browser:
                browser.set_script_timeout(PATIENCE_SECONDS)
                yield Stage(gateway, site, browser)


def first_link(gateway: Gateway) -> str:
    """Give the link that `run` printed."""
    lines = [line for line in list(gateway.lines) if line.startswith("set up ")]
    return lines[0].split()[-1] if lines else ""


def make_first_account(stage: Stage) -> None:
    stage.browser.get(first_link(stage.gateway))
    stage.see("first")
    stage.fill(name="Tess Technician", email=TESS, password="short", again="shorter")
    assert stage.browser.title.startswith("Error: Make the first account")
    stage.see("first-with-faults")
    stage.browser.find_element(By.CSS_SELECTOR, "input[value=technician]").click()
    stage.fill(password=PASSWORD, again=PASSWORD)
    assert stage.heading == "Sign in"


def test_every_page_on_every_screen(stage: Stage) -> None:
    browser = stage.browser
    make_first_account(stage)
    browser.get(f"{HOME}/account/sign-in/")
    stage.fill(login=TESS, password="not this")
    stage.see("sign-in-refused")
    stage.fill(login=TESS, password=PASSWORD)
    assert "Internet at" in stage.heading
    browser.get(f"{HOME}/account/app/")
    assert stage.heading == "Show that it is you"
    stage.see("again")
    stage.fill(password=PASSWORD)
    stage.see("app")
    secret = browser.find_element(By.CSS_SELECTOR, "main code").text
    for _ in range(3):
        # A code holds for half a minute, which may end before it is looked at.
        if stage.heading != "Recovery codes":
            stage.fill(code=code(secret))
    assert stage.heading == "Recovery codes"
    add_passkey(stage)
    sign_in_here(stage)
    key = key_of(stage.gateway)
    seen = 0
    for name, path, must_sign_in in table(stage.gateway.config):
        # Without what has a secret in its address, what is a file, and what is of one request.
        files = (
            "mfa_download_recovery_codes", "grants_file", "grants_pdf", "signatures_file", "filtered_picture",
            "figures_file", "figures_pdf", "evidence_file", "evidence_pdf",
        )  # fmt: skip
        # The others lead away without something that is named to them.
        if "<str:" in path or "<int:number>" in path or name in (*files, "remove_from_list"):
            continue
        browser.get(f"{HOME}/{path.replace('<int:pk>', key)}")
        if must_sign_in and "/account/again/" in browser.current_url and "again" not in path:
            stage.fill(password=PASSWORD)
        stage.see(name)
        seen += 1
    assert seen > 20
    sign_out(stage)
    for name, path, must_sign_in in table(stage.gateway.config):
        if not must_sign_in and "<" not in path:
            browser.get(f"{HOME}/{path}")
            stage.see(f"{name}-for-everybody")
    browser.get(f"{HOME}/account/sign-in/")
    stage.fill(login=TESS, password=PASSWORD)
    assert stage.heading == "Second factor"
    stage.see("second-factor")
    browser.find_element(By.ID, "mfa_webauthn_authenticate").click()
    stage.wait(lambda _: "Internet at" in stage.heading)
    browser.get(f"{HOME}/nowhere")
    stage.see("not-here")


def add_passkey(stage: Stage) -> None:
    """Set a passkey up, with an authenticator that the browser plays."""
    options = VirtualAuthenticatorOptions()
    options.is_user_verified = True
    options.has_user_verification = True
    options.has_resident_key = True
    stage.browser.add_virtual_authenticator(options)
    stage.browser.get(f"{HOME}/account/keys/add/")
    stage.browser.find_element(By.NAME, "name").send_keys("My phone")
    stage.browser.find_element(By.ID, "mfa_webauthn_add").click()
    stage.wait(lambda _: stage.heading != "Add a passkey or security key")
    stage.browser.get(f"{HOME}/account/keys/")
    assert "My phone" in stage.browser.find_element(By.TAG_NAME, "main").text


def key_of(gateway: Gateway) -> str:
    """Give the number of the passkey."""
    opened = sqlite3.connect(gateway.state / "schoolgate.db")
    try:
        query = "SELECT id FROM mfa_authenticator WHERE type = 'webauthn'"
        [(number,)] = opened.execute(query).fetchall()
    finally:
        opened.close()
    return str(number)


def sign_in_here(stage: Stage) -> None:
    stage.browser.get(f"{HOME}/device/")
    stage.fill(name=TESS, password=PASSWORD)
    assert stage.heading == "You are signed in on this device"


def sign_out(stage: Stage) -> None:
    stage.browser.get(f"{HOME}/device/")
    stage.send()
    stage.browser.get(f"{HOME}/account/sign-out/")
    stage.send()


def test_from_a_block_page_by_keyboard_to_the_site(stage: Stage) -> None:
    browser, url = stage.browser, f"https://www.facebook.com:{stage.site.https_port}/"
    make_first_account(stage)
    show_as(browser, DESK)
    browser.get(url)
    assert browser.title.startswith("This page is blocked")
    keep_picture(browser, "block-page-with-portal")
    # Past the links to the forms.
    for _ in range(10):
        press(browser, Keys.TAB)
        if browser.switch_to.active_element.get_attribute("href") == f"{HOME}/":
            break
    press(browser, Keys.ENTER)
    stage.wait(lambda b: b.current_url == f"{HOME}/")
    press(browser, Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to main content"
    browser.get(f"{HOME}/device/")
    fields = ("name", "password")
    for field, value in zip(fields, (TESS, PASSWORD), strict=True):
        for _ in range(30):
            if browser.switch_to.active_element.get_attribute("name") == field:
                break
            press(browser, Keys.TAB)
        browser.switch_to.active_element.send_keys(value)
    press(browser, Keys.ENTER)
    stage.wait(lambda _: stage.heading == "You are signed in on this device")
    stage.see("device-signed-in")

    # Else staff who are known by name are asked to sign the declaration first.
    assert stage.gateway.run("declarations", "sign", TESS).returncode == 0

    def opens(_: object) -> bool:
        browser.get(url)
        return "origin says hello" in browser.page_source

    stage.wait(opens)


def press(browser: webdriver.Chrome, *keys: str) -> None:
    """Press keys, one after the other."""
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def test_without_scripts_a_device_is_signed_in_and_out(stage: Stage, tmp_path: Path) -> None:
    make_first_account(stage)
    with chromium(stage.gateway, tmp_path / "plain", scripts=False) as browser:
        plain = Stage(stage.gateway, stage.site, browser)
        browser.get(f"{HOME}/device/")
        assert "js-enabled" not in re.findall(r"<body[^>]*>", browser.page_source)[0]
        keep_picture(browser, "portal-device-without-scripts")
        plain.fill(name=TESS, password=PASSWORD)
        assert plain.heading == "You are signed in on this device"
        plain.send()
        assert plain.heading == "Sign in on this device"
