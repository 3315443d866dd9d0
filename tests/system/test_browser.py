"""A real browser that trusts the CA as a school's devices do."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.gateway import PATIENCE_SECONDS, ROOT, Gateway
from tests.origin import Origin
from tests.system.conftest import program

ARTEFACTS = ROOT / "test-artefacts"
PHONE = (390, 844)
DESK = (1280, 900)

# The browser must talk to nobody but the proxy.
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@pytest.fixture
def browser(
    gate: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[webdriver.Chrome]:
    """Chromium with the gateway's CA in its NSS store."""
    nss = tmp_path / ".pki" / "nssdb"
    nss.mkdir(parents=True)
    certutil = [program("certutil"), "-d", f"sql:{nss}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    subprocess.run(
        [*certutil, "-A", "-t", "C,,", "-n", "schoolgate", "-i", str(gate.ca_file)], check=True
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for argument in (*QUIET, f"--proxy-server={gate.proxy}", f"--user-data-dir={tmp_path}/data"):
        options.add_argument(argument)
    service = webdriver.ChromeService(program("chromedriver"), env=dict(os.environ))
    driver = webdriver.Chrome(options, service)
    driver.set_page_load_timeout(PATIENCE_SECONDS)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.mark.parametrize(("name", "size"), [("desk", DESK), ("phone", PHONE)])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_block_page_is_shown_and_fits_the_screen(
    browser: webdriver.Chrome, name: str, size: tuple[int, int], scheme: str
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": name == "phone"},
    )
    browser.get(f"{scheme}://www.bet365.com/")
    ARTEFACTS.mkdir(exist_ok=True)
    browser.save_screenshot(str(ARTEFACTS / f"block-page-{name}-{scheme}.png"))
    assert browser.title == "This page is blocked – Wellstead Primary School"
    text = browser.find_element(By.TAG_NAME, "main").text
    assert "W-6.3.1-gambling" in text
    assert "Social Media Policy" in text
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert wide <= inner


def test_an_allowed_site_opens_in_the_browser(browser: webdriver.Chrome, site: Origin) -> None:
    browser.get(f"https://www.bbc.co.uk:{site.https_port}/bitesize")
    assert "origin says hello over HTTP/2" in browser.page_source


def test_a_warning_is_clicked_through(browser: webdriver.Chrome, site: Origin) -> None:
    url = f"https://www.dropbox.com:{site.https_port}/home"
    browser.get(url)
    ARTEFACTS.mkdir(exist_ok=True)
    browser.save_screenshot(str(ARTEFACTS / "warning-page.png"))
    assert browser.title == "Think before you go on – Wellstead Primary School"
    browser.find_element(By.TAG_NAME, "button").click()
    # A click does not wait for the form's answer and the redirect that follows it.
    waiting = WebDriverWait(browser, PATIENCE_SECONDS, ignored_exceptions=[WebDriverException])
    waiting.until(lambda b: "origin says hello" in b.page_source)
    assert browser.current_url == url
