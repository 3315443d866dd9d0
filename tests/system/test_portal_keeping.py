"""Those who keep the gateway at work in a browser: signed, suspended, listed; in force on the gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from selenium.webdriver.common.by import By

from tests import origin
from tests.gateway import (
    PATIENCE_SECONDS,
    ROOT,
    clause,
    eventually,
    running,
    to_origin,
    write_config,
)
from tests.portal.asking import PASSWORD
from tests.system.browsing import PHONE, chromium, show_as
from tests.system.test_portal_browser import HOME, TESS, Stage
from tests.system.test_portal_requests import LAST, make_accounts, sign_in

pytestmark = pytest.mark.long

PHONE_OF_PUPIL = "127.0.6.9"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "people.yaml").write_text(yaml.safe_dump({
        "neighbours": False,
        "devices": {"tablet": {"address": PHONE_OF_PUPIL, "group": "pupils"}},
    }))  # fmt: skip
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "block.txt").write_text("# Ours.\nold.example  # since May\n")
    with origin.running(tmp_path) as site:
        config = write_config(
            tmp_path,
            people=str(tmp_path / "people.yaml"),
            proxy={**to_origin(site), "workers": 2},
            portal={"enabled": True, "listen": "127.0.0.1:0"},
            lists={"dirs": [str(ROOT / "categories")], "local": str(tmp_path / "local")},
        )
        with running(config) as gateway:
            assert eventually(lambda: gateway.get("health").text == "ok\n")
            make_accounts(gateway)
            added = gateway.run("people", "add", TESS, "--name", "Tess", "--role", "technician")
            assert added.returncode == 0, added.stderr
            with chromium(gateway, tmp_path / "home") as browser:
                browser.set_script_timeout(PATIENCE_SECONDS)
                show_as(browser, PHONE)
                yield Stage(gateway, site, browser)


def press(stage: Stage) -> None:
    """Send a form, and the password where it is asked for again."""
    stage.send(LAST)
    if stage.heading == "Show that it is you":
        stage.fill(password=PASSWORD)


def type_into(stage: Stage, **fields: str) -> None:
    for field, value in fields.items():
        stage.browser.find_element(By.NAME, field).send_keys(value)


def test_whoever_is_reminded_signs_and_goes_on_to_the_site(stage: Stage) -> None:
    browser, url = stage.browser, f"https://origin.test:{stage.site.https_port}/"
    browser.get(f"{HOME}/device/")
    stage.fill(name="teacher@school.example", password=PASSWORD)
    assert stage.heading == "You are signed in on this device"

    def reminded(_: object) -> bool:
        browser.get(url)
        return browser.title.startswith("Please sign the declaration")

    stage.wait(reminded)
    browser.find_element(By.LINK_TEXT, "Read and sign the declaration").click()
    stage.wait(lambda _: stage.heading == "The declaration")
    stage.see("declaration-reminded")
    show_as(browser, PHONE)
    stage.send(LAST)
    assert browser.title.startswith("Error: ")
    stage.see("declaration-with-faults")
    show_as(browser, PHONE)
    browser.find_element(By.NAME, "read").click()
    type_into(stage, signature="Tom Teacher", password=PASSWORD)
    stage.send(LAST)
    assert "has signed" in browser.page_source
    stage.see("declaration-signed")
    browser.find_element(By.LINK_TEXT, "Go on to it").click()
    stage.wait(lambda _: "origin says hello" in browser.page_source)


def test_the_keepers_change_lists_access_and_roles(stage: Stage, tmp_path: Path) -> None:
    browser = stage.browser
    browser.get(f"{HOME}/lists/")
    sign_in(stage, "headteacher")
    stage.see("lists-filled")
    browser.get(f"{HOME}/evidence/?since=2026-01-01&until=2026-01-31")
    assert "UKSIC appropriate monitoring" in browser.page_source
    stage.see("evidence-answers")
    browser.get(f"{HOME}/evidence/page/?since=2026-01-01&until=2026-01-31")
    stage.see("evidence-on-paper")
    browser.get(f"{HOME}/lists/")
    show_as(browser, PHONE)
    browser.get(f"{HOME}/lists/add/")
    type_into(stage, site="origin.test")
    stage.send("button[name=preview]")
    assert "becomes block" in browser.page_source
    stage.see("add-to-list-preview")
    show_as(browser, PHONE)
    type_into(stage, reason="Not for school.")
    press(stage)
    assert stage.heading == "The school's own lists"
    url = f"http://origin.test:{stage.site.http_port}/"
    assert eventually(lambda: all(is_blocked(stage, url)))
    text = (tmp_path / "local" / "block.txt").read_text()
    assert text.startswith("# Ours.\nold.example  # since May\norigin.test  # Not for school. (")
    browser.find_elements(By.PARTIAL_LINK_TEXT, "Take it away")[-1].click()
    stage.wait(lambda _: stage.heading.startswith("Take origin.test"))
    stage.see("remove-from-list")
    show_as(browser, PHONE)
    type_into(stage, reason="A mistake.")
    press(stage)
    assert eventually(lambda: not any(is_blocked(stage, url)))
    suspend(stage, url)
    give_a_role(stage)


def is_blocked(stage: Stage, url: str) -> list[bool]:
    """Ask as clients of either worker."""
    found = []
    for number in range(20, 24):
        with stage.gateway.client(address=f"127.0.6.{number}") as client:
            found.append(clause(client, url) != "")
    return found


def suspend(stage: Stage, url: str) -> None:
    browser = stage.browser
    browser.get(f"{HOME}/known/suspend/?who=device:tablet")
    # Filled in as the browser's own control does, whatever its language.
    browser.execute_script("document.querySelector('[name=day]').value = '2099-01-01'")
    type_into(stage, reason="See the office.")
    press(stage)
    assert "See the office." in browser.page_source
    stage.see("known-suspended")
    with stage.gateway.client(address=PHONE_OF_PUPIL) as client:
        assert eventually(lambda: "withdrawn" in client.get(url).text)
        show_as(browser, PHONE)
        browser.find_element(By.PARTIAL_LINK_TEXT, "Give it back").click()
        stage.wait(lambda _: stage.heading == "Give somebody their access back")
        stage.see("unsuspend-filled")
        show_as(browser, PHONE)
        type_into(stage, reason="It is settled.")
        press(stage)
        assert eventually(lambda: clause(client, url) == "")


def give_a_role(stage: Stage) -> None:
    browser = stage.browser
    browser.get(f"{HOME}/people/")
    stage.see("people-filled")
    browser.find_element(By.LINK_TEXT, "Tess").click()
    stage.wait(lambda _: stage.heading == "Tess")
    stage.see("person")
    show_as(browser, PHONE)
    browser.find_element(By.CSS_SELECTOR, "input[value=dsl]").click()
    press(stage)
    assert "The roles of Tess are changed." in browser.page_source
    browser.find_element(By.LINK_TEXT, "Tess").click()
    stage.wait(lambda _: stage.heading == "Tess")
    browser.find_element(By.LINK_TEXT, "Close this account").click()
    stage.wait(lambda _: stage.heading == "Close the account of Tess")
    stage.see("close-person")
    browser.back()
    stage.send("form[action$='/link/'] button")
    assert stage.heading == "A link for Tess"
    stage.see("password-link")
