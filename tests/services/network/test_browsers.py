"""Policies for managed browsers."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from schoolgate.services.network import Browser, Ways, browser_policy
from tests.origin import issue
from tests.services.network.schools import hill, ways

_, CA = issue("ca.example", None, None)
_, NEXT = issue("next.example", None, None)
PEM = CA.public_bytes(serialization.Encoding.PEM)
BOTH = {
    "schoolgate-ca.crt": PEM,
    "schoolgate-ca-next.crt": NEXT.public_bytes(serialization.Encoding.PEM),
}
URL = "http://10.20.0.1/wpad.dat"


def policy(
    browser: Browser, where: Ways, trusted: Mapping[str, bytes] = {"schoolgate-ca.crt": PEM}
) -> Any:
    return json.loads(browser_policy(browser, where, trusted))


@pytest.mark.parametrize("browser", [Browser.CHROME, Browser.EDGE])
def test_chrome_and_edge_say_their_names_and_find_the_proxy(browser: Browser) -> None:
    found = policy(browser, hill())
    assert found["DnsOverHttpsMode"] == "off"
    assert found["EncryptedClientHelloEnabled"] is found["QuicAllowed"] is False
    assert found["ProxySettings"] == {"ProxyMode": "pac_script", "ProxyPacUrl": URL}
    (certificate,) = found["CACertificates"]
    assert x509.load_der_x509_certificate(base64.b64decode(certificate)) == CA


def test_firefox_says_its_names_and_finds_the_proxy() -> None:
    found = policy(Browser.FIREFOX, hill())["policies"]
    assert found["DNSOverHTTPS"] == {"Enabled": False, "Locked": True}
    assert found["DisableEncryptedClientHello"] is True
    assert found["Proxy"]["AutoConfigURL"] == URL
    assert found["Certificates"]["ImportEnterpriseRoots"] is True


def test_chromeos_trusts_the_ca_for_the_web() -> None:
    found = policy(Browser.CHROMEOS, hill())
    (certificate,) = found["Certificates"]
    assert certificate["TrustBits"] == ["Web"]
    assert x509.load_der_x509_certificate(base64.b64decode(certificate["X509"])) == CA
    assert found["NetworkConfigurations"][0]["ProxySettings"]["PAC"] == URL


@pytest.mark.parametrize("browser", list(Browser))
def test_where_there_is_no_proxy_for_browsers_none_is_set(browser: Browser) -> None:
    where = ways({"inside": ["eth1"], "addresses": ["10.20.0.1"]})
    assert "prox" not in json.dumps(policy(browser, where)).lower().replace("non_proxied", "")


def test_while_the_authority_changes_both_are_trusted() -> None:
    def read(der: str) -> x509.Certificate:
        return x509.load_der_x509_certificate(base64.b64decode(der))

    chrome = policy(Browser.CHROME, hill(), BOTH)
    assert [read(der) for der in chrome["CACertificates"]] == [CA, NEXT]
    chromeos = policy(Browser.CHROMEOS, hill(), BOTH)["Certificates"]
    assert [read(one["X509"]) for one in chromeos] == [CA, NEXT]
    assert len({one["GUID"] for one in chromeos}) == 2
    firefox = policy(Browser.FIREFOX, hill(), BOTH)["policies"]["Certificates"]["Install"]
    assert [place for place in firefox if "/" not in place] == list(BOTH)
