"""What a worker knows of a page from around it: redirects, the certificate, sites beside it, and its newness.

It asks nobody. Lists say what other sites are; what a host led to is remembered for hours, and where a client
was sent on for seconds (`core.content.trails`).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from cryptography import x509
from mitmproxy import certs, http

from schoolgate.core.approvals import school_day
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.content import (
    Beside,
    PhraseModel,
    Relation,
    SeenSites,
    Signal,
    Trails,
    host_of,
    host_of_refresh,
)
from schoolgate.proxy.judging import Around
from schoolgate.proxy.messages import by_name
from schoolgate.proxy.transactions import Transaction

# Of a certificate that are looked at; those of a company have a handful, those of a carrier hundreds.
_MOST_NAMES = 100
_KEPT_CERTIFICATES = 1024


class Listing:
    """Says in which judged categories hosts are listed, each set of categories looked through once.

    Args:
        catalogue: the lists in force.
        phrases: whose categories are judged.
    """

    def __init__(self, catalogue: Catalogue, phrases: PhraseModel) -> None:
        self.catalogue, self.phrases = catalogue, phrases
        self._sets: dict[int, tuple[str, ...]] = {}

    def judged(self, host: str) -> tuple[str, ...]:
        """Give the judged categories of a host; none where it is in one that must never be blocked."""
        sites = self.catalogue.sites
        number = sites.get(host)
        known = self._sets.get(number)
        if known is None:
            known = self._sets[number] = self._judged_of(sites.categories(number))
        return known

    def is_listed(self, host: str) -> bool | None:
        """Say whether a host is listed in a judged category; None where it is in others."""
        if self.judged(host):
            return True
        return None if self.catalogue.sites.get(host) else False

    def _judged_of(self, categories: tuple[str, ...]) -> tuple[str, ...]:
        known = self.catalogue.categories
        if any(known[each].protected for each in categories if each in known):
            return ()
        return tuple(each for each in categories if each in self.phrases.thresholds)


class Surroundings:
    """Knows them for all pages of a worker.

    Args:
        seen: the sites that the school has seen; without it those since the start.
        clock: seconds that never go back.
    """

    def __init__(
        self, seen: SeenSites | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seen = seen or SeenSites()
        self._clock = clock
        self._listing: Listing | None = None
        self._trails = Trails(lambda host: host)

    def arrives(self, headers: Mapping[str, str], transaction: Transaction) -> None:
        """Note where a browser goes without anybody's doing, right after a page of another site.

        Args:
            headers: of the request; their look-up takes lower-case names.
            transaction: of it, whatever becomes of it.
        """
        listing = self._listing_of(transaction)
        if listing is None or not transaction.by_hand:
            return
        # Fetch Metadata: what somebody pressed is of ``Sec-Fetch-User``.
        if (
            headers.get("sec-fetch-mode") != "navigate"
            or headers.get("sec-fetch-dest") != "document"
            or "sec-fetch-user" in headers
        ):
            return
        source, client = host_of(headers.get("referer", "")), transaction.request.client.address
        at = self._clock()
        if source and self._trails.is_fresh(client, source, at):
            self._hop(transaction, listing, source, transaction.request.url.host, at)

    def leads(self, flow: http.HTTPFlow, transaction: Transaction) -> None:
        """Note where a page sends on to: ``Location`` (RFC 9110, 10.2.2), or ``Refresh``."""
        assert flow.response is not None
        if not transaction.by_hand:
            return
        fields = by_name(flow.response.headers)
        is_redirect = 300 <= flow.response.status_code < 400
        said = fields.get(b"location" if is_redirect else b"refresh")
        if not isinstance(said, bytes):
            return
        text = said.decode("latin-1")
        target = host_of(text) if is_redirect else host_of_refresh(text)
        listing = self._listing_of(transaction)
        if listing is not None and target:
            self._hop(transaction, listing, transaction.request.url.host, target, self._clock())

    def around(self, flow: http.HTTPFlow, transaction: Transaction) -> Around:
        """Give what is known of a page whose head has come."""
        listing = self._listing_of(transaction)
        if listing is None:
            return Around()
        host, at = transaction.request.url.host, self._clock()
        self._trails.visit(transaction.request.client.address, host, at)
        relations, judged = listing.phrases.relations, listing.judged
        led = self._trails.listed_by(host, at)
        signals = [
            *relations.signals(Relation.REDIRECT, led, host, judged),
            *relations.signals(Relation.CERTIFICATE, _names(flow), host, judged),
        ]
        day, site = school_day(transaction.at), relations.site_of(host)
        is_new = self._seen.is_new(site, day) and listing.is_listed(host) is False

        def look_around(beside: Beside, leads_to: list[str]) -> Iterator[Signal]:
            for target in leads_to:
                self._hop(transaction, listing, host, target, self._clock())
            led = self._trails.listed_by(host, self._clock())
            found = [
                *relations.signals(Relation.REDIRECT, led, host, judged),
                *relations.signals(Relation.ASSET, beside.assets, host, judged),
                *relations.signals(Relation.LINK, beside.links, host, judged),
            ]
            return iter(relations.weighed(found, is_new=is_new))

        return Around(tuple(signals), is_new, look_around)

    def _listing_of(self, transaction: Transaction) -> Listing | None:
        """Give what says what other sites are; None where nobody's pages are judged."""
        engine = transaction.engine
        if engine.phrases is None:
            return None
        known = self._listing
        if (
            known is None
            or known.catalogue is not engine.catalogue
            or known.phrases is not engine.phrases
        ):
            if known is None or known.phrases is not engine.phrases:
                self._trails = Trails(engine.phrases.relations.site_of)
            known = self._listing = Listing(engine.catalogue, engine.phrases)
        return known

    def _hop(
        self, transaction: Transaction, listing: Listing, source: str, target: str, at: float
    ) -> None:
        client = transaction.request.client.address
        self._trails.hop(client, source, target, at, listing.is_listed)


def _names(flow: http.HTTPFlow) -> tuple[str, ...]:
    chain = flow.server_conn.certificate_list
    return _names_of(chain[0]) if chain else ()


@lru_cache(_KEPT_CERTIFICATES)
def _names_of(certificate: certs.Cert) -> tuple[str, ...]:
    """Give the hosts of a certificate (RFC 5280, 4.2.1.6), normalised, without ``*.`` in front."""
    try:
        extension = certificate.to_cryptography().extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        # Whether it is good is the handshake's to say.
        return ()
    names = extension.value.get_values_for_type(x509.DNSName)[:_MOST_NAMES]
    found = (host_of(f"//{name.removeprefix('*.')}") for name in names)
    return tuple(dict.fromkeys(host for host in found if host))
