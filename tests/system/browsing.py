"""A real Chromium that trusts a gateway's CA as a school's devices do."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from selenium import webdriver

from tests.gateway import PATIENCE_SECONDS, ROOT, Gateway
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


@contextmanager
def chromium(
    gateway: Gateway, home: Path, *, scripts: bool = True, trusted: Path | None = None
) -> Iterator[webdriver.Chrome]:
    """Start it, with the gateway's CA in its NSS store.

    Args:
        gateway: its proxy.
        home: a directory of its own.
        scripts: whether JavaScript runs.
        trusted: another authority that it trusts.
    """
    nss = home / ".pki" / "nssdb"
    nss.mkdir(parents=True)
    certutil = [program("certutil"), "-d", f"sql:{nss}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    for number, file in enumerate(filter(None, (gateway.ca_file, trusted))):
        add = [*certutil, "-A", "-t", "C,,", "-n", f"trusted {number}", "-i", str(file)]
        subprocess.run(add, check=True)
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for argument in (*QUIET, f"--proxy-server={gateway.proxy}", f"--user-data-dir={home}/data"):
        options.add_argument(argument)
    if not scripts:
        never = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", never)
    with mock.patch.dict(os.environ, {"HOME": str(home)}):
        service = webdriver.ChromeService(program("chromedriver"), env=dict(os.environ))
        driver = webdriver.Chrome(options, service)
    driver.set_page_load_timeout(PATIENCE_SECONDS)
    try:
        yield driver
    finally:
        driver.quit()


def show_as(browser: webdriver.Chrome, size: tuple[int, int]) -> None:
    """Give the screen a size, in CSS pixels."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE},
    )


def keep_picture(browser: webdriver.Chrome, name: str) -> None:
    """Keep what is on the screen with the artefacts."""
    ARTEFACTS.mkdir(exist_ok=True)
    browser.save_screenshot(str(ARTEFACTS / f"{name}.png"))


def fits(browser: webdriver.Chrome) -> bool:
    """Tell whether a page is no wider than the screen."""
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    return bool(wide <= inner)
