"""Configuration of dnsmasq (dnsmasq(8)): ``address=/host/``, ``server=/host/`` and ``local=/host/``."""

from collections.abc import Iterable

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import HOST, LineFormat, NotUsed, site, usual

_KEYS = ("address", "server", "local")
# Those that refuse a name; another would send it elsewhere.
_NOWHERE = ("", "#", "0.0.0.0", "127.0.0.1", "::", "::1")  # noqa: S104 - nothing is opened


def read(line: str) -> Iterable[str]:
    """Give the hosts of a line; a line may hold several between slashes."""
    key, equals, value = line.partition("=")
    if key.strip() not in _KEYS or not equals:
        raise NotUsed
    slash, *names = value.strip().split("/")
    if slash or len(names) < 2:
        raise BadAddressError(f"{line[:80]!r} has no host between slashes")
    leads_to = names.pop()
    if leads_to not in _NOWHERE:
        raise BadAddressError(f"{line[:80]!r} leads somewhere: no list of sites to be closed")
    return [site(name) for name in names]


DNSMASQ = LineFormat(
    usual(rb"(?:address|server|local)=/(" + HOST + rb")/(?:#|0\.0\.0\.0|127\.0\.0\.1|::)?+"), read
)
