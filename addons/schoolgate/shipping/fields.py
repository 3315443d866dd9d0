"""Which fields of a line leave the gateway: none that says who or where, unless the school has said so."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any


class Personal(StrEnum):
    """What is said of people."""

    NONE = "none"
    PSEUDONYMS = "pseudonyms"
    NAMES = "names"


class Sites(StrEnum):
    """What is said of where they went."""

    NONE = "none"
    HOSTS = "hosts"
    URLS = "urls"


# What says nothing of a person or a site. A field that is not named here or below stays.
_PLAIN = frozenset(
    {
        "ts", "id", "gateway", "worker", "event", "group", "network", "period", "device_kind", "tls",
        "kind", "theme", "severity", "score", "method", "scheme", "verdict", "reason", "clause", "category",
        "shape", "feed", "rule", "policy", "status", "bytes_up", "bytes_down", "duration_ms", "decision_us",
        "check", "list_version", "list_hash",
    }
)  # fmt: skip
_PEOPLE = ("client", "device", "user")
_HOSTS = frozenset({"host", "inner_host", "entry"})
_URLS = frozenset({"url", "search", "file_name"})
_PSEUDONYM_BYTES = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """What is let go.

    Attributes:
        personal: of people.
        sites: of where they went.
        secret: makes pseudonyms, 32 bytes; with another one nobody is who they were.
    """

    personal: Personal
    sites: Sites
    secret: bytes


def chosen(line: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    """Give what may be sent of a line, without what is empty."""
    names = _names(terms.personal, terms.sites)
    found = {name: value for name, value in line.items() if name in names and value is not None}
    if terms.personal is Personal.PSEUDONYMS:
        who = next((f"{name}:{line[name]}" for name in reversed(_PEOPLE) if line.get(name)), "")
        if who:
            found["who"] = _pseudonym(terms.secret, who)
    return found


@cache
def _names(personal: Personal, sites: Sites) -> frozenset[str]:
    names = set(_PLAIN)
    if personal is Personal.NAMES:
        names.update(_PEOPLE, ("also", "grant"))
    if sites is not Sites.NONE:
        names |= _HOSTS
    if sites is Sites.URLS:
        names |= _URLS
    return frozenset(names)


@lru_cache(4_096)
def _pseudonym(secret: bytes, who: str) -> str:
    return hmac.digest(secret, who.encode(), hashlib.sha256)[:_PSEUDONYM_BYTES].hex()
