"""What people who mean harm typed, on pages in a real Chromium; a decision signed at a real provider."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from selenium.webdriver.common.by import By

from tests import oidc_provider, origin
from tests.gateway import PATIENCE_SECONDS, eventually, running, to_origin, write_config
from tests.oidc_provider import CLIENT, SECRET, Provider
from tests.portal.hostile import SUM
from tests.system.browsing import chromium
from tests.system.test_portal_browser import HOME, Stage
from tests.system.test_portal_requests import PEOPLE, make_accounts, sign_in, sign_out

pytestmark = pytest.mark.long

RUNS = "window.sgEvil=1"
STRINGS = {
    "staff_name": f"<img src=x onerror={RUNS}>",
    "site_content": f"</textarea></title><script>{RUNS}</script><svg onload={RUNS}>",
    "reasons": "{{191*7}} ${191*7} =HYPERLINK(1)",
    "risks_and_controls": f"\"'><a href='javascript:{RUNS}' autofocus onfocus={RUNS}>x</a>",
}


@dataclass
class Scene:
    """A gateway with its portal and a browser, and a provider beside them."""

    stage: Stage
    provider: Provider


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    (tmp_path / "people.yaml").write_text(yaml.safe_dump({"neighbours": False}))
    (tmp_path / "provider").mkdir()
    with origin.running(tmp_path) as site, oidc_provider.running(tmp_path / "provider") as there:
        there.claims = {"email": "ann@school.example", "groups": ["heads"], "name": "Ann Head"}
        secret = tmp_path / "secret"
        secret.touch(mode=0o600)
        secret.write_text(SECRET)
        one = {
            "id": "school", "name": "School accounts", "issuer": there.issuer, "client_id": CLIENT,
            "client_secret_file": str(secret), "domains": ["school.example"],
            "ca_file": str(there.ca_file), "roles": {"heads": ["headteacher"]},
        }  # fmt: skip
        config = write_config(
            tmp_path,
            people=str(tmp_path / "people.yaml"),
            proxy=to_origin(site),
            portal={"enabled": True, "listen": "127.0.0.1:0", "oidc": [one]},
        )
        with running(config) as gateway:
            assert eventually(lambda: gateway.get("health").text == "ok\n")
            make_accounts(gateway)
            home = tmp_path / "home"
            with chromium(gateway, home, trusted=there.ca_file) as browser:
                browser.set_script_timeout(PATIENCE_SECONDS)
                yield Scene(Stage(gateway, site, browser), there)


def is_inert(stage: Stage, path: str = "") -> bool:
    """Look at a page, and tell whether nothing of it ran."""
    if path:
        stage.browser.get(HOME + path)
    ran = stage.browser.execute_script("return window.sgEvil")
    return ran is None and SUM not in stage.browser.page_source


def test_what_was_typed_is_shown_and_nothing_more(scene: Scene) -> None:
    stage, browser = scene.stage, scene.stage.browser
    browser.get(f"{HOME}/ask/")
    sign_in(stage, "teacher")
    stage.fill(url="https://www.ebay.co.uk/", **STRINGS)
    assert browser.title.startswith("Error: ")
    assert is_inert(stage)
    browser.find_element(By.NAME, "parents_informed").click()
    stage.fill(minimum_age="0")
    assert stage.heading == "Request 1: ebay.co.uk"
    assert is_inert(stage)
    assert STRINGS["staff_name"] in browser.find_element(By.TAG_NAME, "main").text
    stage.browser.get(f"{HOME}/report/")
    stage.fill(url=f"https://vile.example/?<script>{RUNS}</script>", words=STRINGS["site_content"])
    assert is_inert(stage, f"/account/sign-in/?next=javascript:{RUNS}")
    assert is_inert(stage, f"/ask/?ticket=<script>{RUNS}</script>")
    sign_out(stage)
    sign_in_there(scene)
    for path in ("/waiting/", "/requests/", "/requests/1/", "/reports/", "/requests/1/decline/"):
        assert is_inert(stage, path), path
    sign_there(scene)
    for path in (
        "/requests/1/",
        "/grants/",
        "/grants/?ended=yes&site=<svg onload=window.sgEvil=1>",
    ):
        assert is_inert(stage, path), path
    assert PEOPLE["headteacher"] not in browser.page_source


def sign_in_there(scene: Scene) -> None:
    """Sign in with an account of the school, by the button and by nothing typed."""
    stage, browser = scene.stage, scene.stage.browser
    browser.get(f"{HOME}/account/sign-in/?next=/waiting/")
    stage.see("sign-in-with-a-provider")
    browser.find_element(By.XPATH, "//button[contains(., 'School accounts')]").click()
    stage.wait(lambda _: browser.current_url == f"{HOME}/waiting/")


def sign_there(scene: Scene) -> None:
    """Decline the request; what is typed is kept while the provider asks again."""
    stage, browser = scene.stage, scene.stage.browser
    assert is_inert(stage, "/requests/1/decline/")
    browser.find_element(By.NAME, "reasons").send_keys(STRINGS["site_content"])
    browser.find_element(By.NAME, "signature").send_keys("Ann Head")
    stage.send()
    assert stage.heading == "Show that it is you"
    stage.see("again-with-a-provider")
    browser.find_element(By.CSS_SELECTOR, "main form button[type=submit]").click()
    stage.wait(lambda _: browser.current_url == f"{HOME}/requests/1/")
    assert scene.provider.asked["prompt"] == "login"
    assert "in force" in browser.page_source
