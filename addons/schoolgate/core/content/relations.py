"""Sites that a page has to do with and that lists know: what that says of the page, in points."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from schoolgate.core.content.signals import Signal


class Relation(StrEnum):
    """What a page has to do with another site; its value is in the signal's id, as ``asset:gambling``.

    Attributes:
        REDIRECT: one led to the other.
        ASSET: a script, frame, picture, icon or style sheet of the page comes from there.
        LINK: the page links there.
        CERTIFICATE: the same certificate is for both.
    """

    REDIRECT = "redirect"
    ASSET = "asset"
    LINK = "link"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Worth:
    """What a relation adds.

    Attributes:
        points: for each listed site.
        most: for all of a category together.
    """

    points: float
    most: float


# Gives the judged categories in which lists hold a host; none for one that is trusted, too.
type Listed = Callable[[str], Collection[str]]


@dataclass(frozen=True)
class Relations:
    """How relations become points.

    Attributes:
        worth: by relation; one that is missing says nothing.
        least_share: of the other sites in a certificate so many must be listed in the category, 0 to 1;
            fewer share a server with somebody, and no more.
        new_factor: by which the points of a site are multiplied that is new to the school.
        site_of: gives the site of a host.
    """

    worth: Mapping[Relation, Worth] = field(default_factory=dict)
    least_share: float = 0.25
    new_factor: float = 1.0
    site_of: Callable[[str], str] = field(default=lambda host: host, repr=False)

    def signals(
        self, relation: Relation, hosts: Iterable[str], own: str, listed: Listed
    ) -> Iterator[Signal]:
        """Give a signal for each category in which sites are listed that a page is related to.

        Args:
            relation: which.
            hosts: normalised, in any order; of one site any number.
            own: host of the page, whose own site says nothing.
            listed: asked once for each distinct host.
        """
        worth = self.worth.get(relation)
        if worth is None:
            return
        site_of = self.site_of
        mine, others = site_of(own), set()
        by_category: dict[str, set[str]] = {}
        is_shared = relation is Relation.CERTIFICATE
        for host in dict.fromkeys(hosts):
            categories = listed(host)
            if categories or is_shared:
                site = site_of(host)
                others.add(site)
                if site != mine:
                    for category in categories:
                        by_category.setdefault(category, set()).add(site)
        least = self.least_share * len(others - {mine}) if is_shared else 0.0
        for category, sites in sorted(by_category.items()):
            if len(sites) >= least:
                points = min(worth.points * len(sites), worth.most)
                yield Signal(f"{relation}:{category}", category, points, yields=True)

    def weighed(self, signals: Iterable[Signal], *, is_new: bool) -> tuple[Signal, ...]:
        """Give signals as much weight as they have on a site, which may be new to the school."""
        if not is_new or self.new_factor == 1:
            return tuple(signals)
        return tuple(replace(each, points=each.points * self.new_factor) for each in signals)
