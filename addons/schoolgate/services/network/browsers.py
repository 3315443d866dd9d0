"""Policies for managed browsers: no encrypted names, no QUIC, the school's CA, and the proxy."""

import base64
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from schoolgate.services.network.ways import Ways


class Browser(StrEnum):
    """Whose policy; the form of the file is the vendor's."""

    CHROME = "chrome"
    EDGE = "edge"
    FIREFOX = "firefox"
    CHROMEOS = "chromeos"


def browser_policy(browser: Browser, ways: Ways, trusted: Mapping[str, bytes]) -> str:
    """Give the file as JSON.

    Args:
        browser: for whom.
        ways: how they reach the filter.
        trusted: the certificates that they must trust, by the name of a file for each, in PEM form.
    """
    found = {name: x509.load_pem_x509_certificate(pem) for name, pem in trusted.items()}
    ders = {
        name: base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")
        for name, certificate in found.items()
    }
    made: dict[str, Any]
    match browser:
        case Browser.CHROME:
            made = _chromium(ways, [*ders.values()])
        case Browser.EDGE:
            made = {**_chromium(ways, [*ders.values()]), "ForceBingSafeSearch": 2}
        case Browser.FIREFOX:
            made = {"policies": _firefox(ways, [*ders])}
        case Browser.CHROMEOS:
            made = _onc(ways, ders)
    return json.dumps(made, indent=2) + "\n"


def _chromium(ways: Ways, ders: Sequence[str]) -> dict[str, Any]:
    policy = {
        "CACertificates": list(ders),
        "DnsOverHttpsMode": "off",
        "EncryptedClientHelloEnabled": False,
        "QuicAllowed": False,
        "ForceGoogleSafeSearch": True,
        "WebRtcIPHandling": "disable_non_proxied_udp",
    }
    if ways.pac_url:
        policy["ProxySettings"] = {"ProxyMode": "pac_script", "ProxyPacUrl": ways.pac_url}
    return policy


def _firefox(ways: Ways, files: Sequence[str]) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "Certificates": {
            "ImportEnterpriseRoots": True,
            # Looked for in Firefox's directories for certificates, and beside them by full path.
            "Install": [
                place for name in files for place in (name, f"/etc/firefox/policies/{name}")
            ],
        },
        "DNSOverHTTPS": {"Enabled": False, "Locked": True},
        "DisableEncryptedClientHello": True,
        "Preferences": {"network.http.http3.enable": {"Value": False, "Status": "locked"}},
    }
    if ways.pac_url:
        policy["Proxy"] = {"Mode": "autoConfig", "AutoConfigURL": ways.pac_url, "Locked": True}
    return policy


def _onc(ways: Ways, ders: Mapping[str, str]) -> dict[str, Any]:
    """Give an Open Network Configuration; switches that are no part of one are in docs/ca.md."""
    certificates = [
        {
            "GUID": f"{{{name.partition('.')[0]}}}",
            "Type": "Authority",
            "TrustBits": ["Web"],
            "X509": der,
        }
        for name, der in ders.items()
    ]
    made: dict[str, Any] = {"Type": "UnencryptedConfiguration", "Certificates": certificates}
    if ways.pac_url:
        made["NetworkConfigurations"] = [
            {
                "GUID": "{schoolgate-ethernet}",
                "Name": "School",
                "Type": "Ethernet",
                "Ethernet": {"Authentication": "None"},
                "ProxySettings": {"Type": "PAC", "PAC": ways.pac_url},
            }
        ]
    return made
