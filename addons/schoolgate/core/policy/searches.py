"""What somebody asked a search engine for, kept where a clause asks for it (safeguarding) and nowhere else.

What is typed and not sent off, which search engines ask for letter by letter to complete it, is no search.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from schoolgate.core.urls import Url

# Nobody reads more of it, and whole pages are pasted into a search.
LONGEST_SEARCH = 300


@dataclass(frozen=True, slots=True)
class Searching:
    """Where the words of a search stand.

    Attributes:
        paths: of its pages of results, without a query.
        parameters: of the query, the first that is there counts.
    """

    paths: frozenset[str]
    parameters: tuple[str, ...]

    def terms(self, url: Url) -> str:
        """Give the words that a page is asked for with; "" where it is no page of results."""
        if url.path not in self.paths:
            return ""
        given = parse_qsl(url.query, errors="replace")
        for wanted in self.parameters:
            for name, value in given:
                words = " ".join(value.split())
                if name == wanted and words:
                    return words[:LONGEST_SEARCH]
        return ""


@dataclass(frozen=True, slots=True)
class KeptSearches:
    """Whose searches the journal keeps.

    Attributes:
        clause: id of the clause that asks for it.
        groups: only of these, with those within them; empty for all.
    """

    clause: str
    groups: frozenset[str] = frozenset()

    def concerns(self, groups: frozenset[str]) -> bool:
        """Ask whether it is about somebody in these groups."""
        return not self.groups or not self.groups.isdisjoint(groups)
