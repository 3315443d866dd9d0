"""The site that a host belongs to: the name that somebody registered, by the Public Suffix List."""

from collections.abc import Callable
from functools import lru_cache

from schoolgate.core.gate import Suffixes
from schoolgate.core.hosts import as_ip

# What is asked again within a page and by the next ones.
_MOST_KEPT = 8192


def sites_by(suffixes: Suffixes) -> Callable[[str], str]:
    """Give what gives the site of a normalised host; ``www.example.co.uk`` is of ``example.co.uk``.

    An address is its own site, and so is a public suffix.
    """

    @lru_cache(maxsize=_MOST_KEPT)
    def site_of(host: str) -> str:
        labels = host.encode().split(b".")
        if len(labels) < 3 or as_ip(host) is not None:
            return host
        start = max(0, len(labels) - _suffix_length(labels, suffixes) - 1)
        return b".".join(labels[start:]).decode()

    return site_of


def _suffix_length(labels: list[bytes], suffixes: Suffixes) -> int:
    """Give how many labels the longest public suffix of a name has (publicsuffix.org, algorithm)."""
    for start in range(len(labels)):
        name, above = b".".join(labels[start:]), b".".join(labels[start + 1 :])
        if name in suffixes.exceptions:
            return len(labels) - start - 1
        if name in suffixes.exact or above in suffixes.parents:
            return len(labels) - start
    return 1
