"""Tells names below which whole registries or hosting platforms hang from sites."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract import TLDExtract


def is_public_suffix(host: str) -> bool:
    """Ask whether whole registries or hosting platforms hang below a host (Public Suffix List)."""
    # *.sch.uk is a rule of the list, so that everybody hangs below sch.uk too.
    return any(_suffixes()(name).suffix == name for name in (host, f"a.{host}"))


@cache
def _suffixes() -> "TLDExtract":
    # Loaded when it is asked: it brings an HTTP client along, which no worker needs.
    from tldextract import TLDExtract  # noqa: PLC0415

    # Offline, with the list that the package carries: one answer everywhere.
    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


@cache
def suffix_rules() -> tuple[frozenset[bytes], frozenset[bytes], frozenset[bytes]]:
    """Give the rules of the list: names, names below which every name is one (``*.ck``), and exceptions."""
    rules = _suffixes().tlds
    return (
        frozenset(rule.encode() for rule in rules if rule[0] not in "*!"),
        frozenset(rule[2:].encode() for rule in rules if rule.startswith("*.")),
        frozenset(rule[1:].encode() for rule in rules if rule.startswith("!")),
    )
