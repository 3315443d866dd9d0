"""Which sites that no list knows lead to listed ones, or are reached from there, for some hours.

What is kept of a client is where it was sent on a few seconds ago, so that a chain of redirects is seen as
one. What is kept of a site says nothing of clients.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

# How long a client may be under way from one page to the next, seconds.
HOP_SECONDS = 5.0
# How long a site is known to lead somewhere, seconds: as long as its redirects are seen now and then.
KEPT_SECONDS = 6 * 3600.0
_MOST_HOPS, _MOST_SITES, _MOST_OF_ONE, _LONGEST_CHAIN = 1_000, 2_000, 8, 6

# Says whether lists hold a host in a judged category (True), in none at all (False), or in others (None).
type IsListed = Callable[[str], bool | None]


class Trails:
    """Remembers them in bounded memory, the latest.

    Args:
        site_of: gives the site of a host.
    """

    def __init__(self, site_of: Callable[[str], str]) -> None:
        self._site_of = site_of
        # Client and host → when it was sent there or was there, and by way of which hosts.
        self._hops: OrderedDict[tuple[str, str], tuple[float, tuple[str, ...]]] = OrderedDict()
        # Site → host that is listed → until when.
        self._sites: OrderedDict[str, dict[str, float]] = OrderedDict()

    def visit(self, client: str, host: str, at: float) -> None:
        """Note that a client has a page of a host, which may send it on."""
        known = self._hops.get((client, host))
        self._note(client, host, at, known[1] if known and at - known[0] <= HOP_SECONDS else ())

    def is_fresh(self, client: str, host: str, at: float) -> bool:
        """Ask whether a client had a page of a host a moment ago."""
        known = self._hops.get((client, host))
        return known is not None and at - known[0] <= HOP_SECONDS

    def hop(self, client: str, source: str, target: str, at: float, is_listed: IsListed) -> None:
        """Note that a page of one host sent a client on to another.

        Args:
            client: whatever tells clients apart.
            source: normalised host.
            target: normalised host.
            at: seconds of a clock that never goes back.
            is_listed: what lists say of a host.
        """
        if source == target:
            return
        known = self._hops.get((client, source))
        before = known[1] if known and at - known[0] <= HOP_SECONDS else ()
        chain = (*(host for host in before if host != source), source)[-_LONGEST_CHAIN:]
        self._note(client, target, at, chain)
        by_target = is_listed(target)
        for host in chain:
            by_host = is_listed(host)
            if by_target and by_host is False:
                self._relate(host, target, at)
            elif by_host and by_target is False:
                self._relate(target, host, at)

    def listed_by(self, host: str, at: float) -> Iterator[str]:
        """Give the listed hosts to which the site of a host led, or from which it was reached."""
        related = self._sites.get(self._site_of(host), {})
        return (listed for listed, until in related.items() if until >= at)

    def _note(self, client: str, host: str, at: float, chain: tuple[str, ...]) -> None:
        self._hops[client, host] = at, chain
        self._hops.move_to_end((client, host))
        # The oldest first: what a client did is forgotten with the next one's step.
        while self._hops:
            oldest = next(iter(self._hops))
            if at - self._hops[oldest][0] <= HOP_SECONDS and len(self._hops) <= _MOST_HOPS:
                break
            del self._hops[oldest]

    def _relate(self, host: str, listed: str, at: float) -> None:
        site = self._site_of(host)
        if site == self._site_of(listed):
            return
        related = self._sites.setdefault(site, {})
        self._sites.move_to_end(site)
        related.pop(listed, None)
        related[listed] = at + KEPT_SECONDS
        if len(related) > _MOST_OF_ONE:
            del related[next(iter(related))]
        while len(self._sites) > _MOST_SITES:
            self._sites.popitem(last=False)
