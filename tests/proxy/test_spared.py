"""Of mitmproxy's addons those that are used are imported alone, and all of them for whoever asks for all."""

import subprocess
import sys

import pytest

# Modules that only other addons of mitmproxy need.
NOT_NEEDED = ("flask", "werkzeug", "ldap3", "mitmproxy.addons.proxyauth")


def _printed(code: str) -> str:
    """Give what a fresh process prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_proxy_brings_no_web_server_and_no_ldap_client_along() -> None:
    """Each process of the gateway would have them in its memory."""
    code = (
        f"import sys, schoolgate.proxy.master; print([m for m in {NOT_NEEDED} if m in sys.modules])"
    )
    assert _printed(code) == "[]"


@pytest.mark.parametrize(
    "before", ["import schoolgate.proxy.master", "import mitmproxy.addons, schoolgate.proxy.master"]
)
def test_whoever_asks_for_all_addons_gets_all(before: str) -> None:
    """`mitmdump` with our addon asks; so does a test that was there first."""
    stock = _printed("from mitmproxy import addons; print(len(addons.default_addons()))")
    assert (
        _printed(f"{before}; from mitmproxy import addons; print(len(addons.default_addons()))")
        == stock
    )


def test_what_there_is_not_is_said_as_of_any_module() -> None:
    """A mistyped name is not taken for something that is still to come."""
    code = (
        "import schoolgate.proxy, mitmproxy.addons as found\n"
        "print(hasattr(found, 'nothing'), __import__('sys').modules['mitmproxy.addons'] is found)"
    )
    assert _printed(code) == "False True"
