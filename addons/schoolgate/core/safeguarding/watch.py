"""What one request shows: the words of a search, those of an address, and what kind of site it is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from schoolgate.core.safeguarding.matcher import Matcher
from schoolgate.core.safeguarding.themes import Concern, Severity, Source, Theme, strongest
from schoolgate.core.safeguarding.words import text_of
from schoolgate.core.urls import Url

# Who follows a link did not write it.
_OF_ADDRESS = Severity.CAUTION


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as far as signs are looked for in it.

    Attributes:
        url: the address, of which host and path are read.
        search: the words that were searched for; empty for no search.
        categories: of the site.
        by_hand: whether a person goes there, and no script or picture.
    """

    url: Url
    search: str = ""
    categories: frozenset[str] = frozenset()
    by_hand: bool = True


@dataclass(frozen=True, slots=True)
class SiteSign:
    """What it means that somebody goes to a kind of site."""

    theme: Theme
    severity: Severity


# Told apart by which it is: what was found by one is remembered.
@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """All that is looked for.

    Attributes:
        matcher: of phrases.
        sites: what going to a site of a category means.
        quiet: categories whose addresses say nothing of the reader: news, encyclopaedias, help.
        version: changes with the files.
    """

    matcher: Matcher
    sites: Mapping[str, SiteSign] = field(default_factory=dict)
    quiet: frozenset[str] = frozenset()
    version: str = ""

    def concerns(self, asked: Asked) -> list[Concern]:
        """Give the worst sign of each theme, the worst theme first."""
        if asked.search:
            # What a page of results is called says nothing more.
            return strongest(self._searched(asked.search))
        if not asked.by_hand or not self.quiet.isdisjoint(asked.categories):
            return []
        return strongest([*self._addressed(asked.url), *self._listed(asked.categories)])

    def _searched(self, text: str) -> Iterable[Concern]:
        for hit in self.matcher.hits(text):
            yield Concern(hit.theme, hit.severity, Source.SEARCH, hit.phrase_ids)

    def _addressed(self, url: Url) -> Iterable[Concern]:
        for hit in self.matcher.hits(text_of(url)):
            severity = hit.severity.at_most(_OF_ADDRESS)
            yield Concern(hit.theme, severity, Source.ADDRESS, hit.phrase_ids)

    def _listed(self, categories: Collection[str]) -> Iterable[Concern]:
        for category in sorted(categories & self.sites.keys()):
            sign = self.sites[category]
            yield Concern(sign.theme, sign.severity, Source.CATEGORY, category=category)
