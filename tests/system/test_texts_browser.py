"""What a browser shows of a page that no list knows and whose words say what it is."""

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests import gateway, media_origin
from tests.gateway import PATIENCE_SECONDS, Gateway, write_config
from tests.media_origin import MediaOrigin
from tests.proxy.test_texts import BODIES, GAMBLING
from tests.system.browsing import chromium, keep_picture

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def site() -> Iterator[MediaOrigin]:
    with media_origin.running() as origin:
        origin.bodies.update(BODIES)
        yield origin


@pytest.fixture(scope="module")
def browser(
    site: MediaOrigin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    home = tmp_path_factory.mktemp("texts")
    running: Gateway
    with (
        gateway.running(write_config(home, proxy=gateway.to_here("video.test"))) as running,
        chromium(running, home) as driver,
    ):
        yield driver


@pytest.mark.parametrize(
    "path",
    [
        "/casino",
        "/casino?as=gzip",
        "/casino?by=1000",
        "/casino?by=50",
        "/long-casino",
        "/long-casino?by=4000",
    ],
)
def test_the_block_page_stands_there_in_the_end(
    browser: webdriver.Chrome, site: MediaOrigin, path: str
) -> None:
    browser.get(site.url(path))
    WebDriverWait(browser, PATIENCE_SECONDS).until(lambda b: "blocked" in b.title)
    keep_picture(browser, "block-page-by-content")
    text = browser.find_element(By.TAG_NAME, "main").text
    assert GAMBLING in text
    assert "judged by its content" in text


@pytest.mark.parametrize("path", ["/help", "/help?by=1000", "/long-help?by=4000"])
def test_an_innocent_page_on_the_same_subject_opens(
    browser: webdriver.Chrome, site: MediaOrigin, path: str
) -> None:
    browser.get(site.url(path))
    assert "blocked" not in browser.title
    assert "gambling" in browser.page_source.lower()
