"""The page that says whether a device is filtered, as Chromium shows it."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.gateway import PATIENCE_SECONDS, Gateway, eventually, running, write_config
from tests.leaking import COMMAND, LEAK
from tests.system.browsing import chromium, fits, keep_picture, show_as

pytestmark = pytest.mark.long

# As wide as a phone, and as high as the page.
WHOLE = (390, 1500)
COLOURS = {(0, 112, 60): "green", (212, 53, 28): "red"}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("filtered")
    config = write_config(
        directory,
        portal={"enabled": True, "listen": "127.0.0.1:0"},
        selftest={"enabled": True, "every_seconds": 1},
    )
    with running(config, COMMAND) as gateway:
        assert eventually(lambda: gateway.get("health").text == "ok\n")
        assert eventually((gateway.state / "selftest.json").exists)
        yield gateway


@pytest.fixture(scope="module", params=[True, False], ids=["scripts", "no scripts"])
def browser(
    gate: Gateway, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[webdriver.Chrome]:
    home = tmp_path_factory.mktemp("home")
    with chromium(gate, home, scripts=request.param) as made:
        yield made


def seen(browser: webdriver.Chrome, address: str) -> list[str]:
    """Look at the page, and give the colour of each picture, or what stands in its place."""
    browser.get(address)
    assert "Yes." in browser.find_element(By.CSS_SELECTOR, "main .govuk-body-l").text
    pictures = browser.find_elements(By.CSS_SELECTOR, "img.sg-tried")
    WebDriverWait(browser, PATIENCE_SECONDS).until(
        lambda _: all(one.get_property("complete") for one in pictures)
    )
    return [colour(one) if one.get_property("naturalWidth") else "none" for one in pictures]


def colour(picture: WebElement) -> str:
    with Image.open(BytesIO(picture.screenshot_as_png)) as image:
        return COLOURS[image.convert("RGB").getpixel((3, 3))]  # type: ignore[index]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_picture_is_green_on_a_device_of_the_schools(
    browser: webdriver.Chrome, scheme: str
) -> None:
    show_as(browser, WHOLE)
    assert seen(browser, f"{scheme}://schoolgate.internal/filtered/") == ["green"] * 3
    assert fits(browser)
    keep_picture(browser, f"filtered-{scheme}")
    page = browser.find_element(By.TAG_NAME, "main").text
    assert "No fault" in page
    assert "Closed: no site is let to offer it" in page


def test_a_test_page_that_is_open_is_red(gate: Gateway, browser: webdriver.Chrome) -> None:
    flag = gate.config.parent / LEAK
    show_as(browser, WHOLE)
    flag.touch()
    try:
        assert seen(browser, "https://schoolgate.internal/filtered/") == ["red", "green", "green"]
        keep_picture(browser, "filtered-not")
    finally:
        flag.unlink()
