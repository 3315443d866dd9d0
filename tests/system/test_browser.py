"""A real browser that trusts the CA as a school's devices do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.gateway import PATIENCE_SECONDS, Gateway, stay_within_a_day
from tests.origin import Origin
from tests.system.browsing import DESK, PHONE, chromium, fits, keep_picture, show_as


@pytest.fixture
def browser(gate: Gateway, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium(gate, tmp_path) as driver:
        yield driver


@pytest.mark.parametrize(("name", "size"), [("desk", DESK), ("phone", PHONE)])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_block_page_is_shown_and_fits_the_screen(
    browser: webdriver.Chrome, name: str, size: tuple[int, int], scheme: str
) -> None:
    show_as(browser, size)
    browser.get(f"{scheme}://www.bet365.com/")
    keep_picture(browser, f"block-page-{name}-{scheme}")
    assert browser.title == "This page is blocked – Wellstead Primary School"
    text = browser.find_element(By.TAG_NAME, "main").text
    assert "W-6.3.1-gambling" in text
    assert "Social Media Policy" in text
    assert fits(browser)


def test_an_allowed_site_opens_in_the_browser(browser: webdriver.Chrome, site: Origin) -> None:
    browser.get(f"https://www.bbc.co.uk:{site.https_port}/bitesize")
    assert "origin says hello over HTTP/2" in browser.page_source


def test_a_warning_is_clicked_through(browser: webdriver.Chrome, site: Origin) -> None:
    stay_within_a_day()
    url = f"https://www.dropbox.com:{site.https_port}/home"
    browser.get(url)
    keep_picture(browser, "warning-page")
    assert browser.title == "Think before you go on – Wellstead Primary School"
    browser.find_element(By.TAG_NAME, "button").click()
    # A click does not wait for the form's answer and the redirect that follows it.
    waiting = WebDriverWait(browser, PATIENCE_SECONDS, ignored_exceptions=[WebDriverException])
    waiting.until(lambda b: "origin says hello" in b.page_source)
    assert browser.current_url == url
