"""What is on a site: categories, and the entries of lists that put it there."""

from dataclasses import dataclass
from enum import StrEnum

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.urls import comparable_path


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of site, in words that a parent understands.

    Attributes:
        id: stable name (CONTRACT: category ids), e.g. ``gambling``.
        protected: must never be blocked by mistake (help lines, health, schools, government).
        public_suffixes: whole public suffixes (``github.io``, ``ac.uk``) are meant here.
        feeds: ids of the public feeds that extend it.
        published: the sites that its own file names, where the public page is to name them, too.
    """

    id: str
    title: str
    description: str
    protected: bool = False
    public_suffixes: bool = False
    feeds: tuple[str, ...] = ()
    published: tuple[str, ...] = ()


class Reach(StrEnum):
    """How far an entry reaches below its host."""

    SITE = "site"
    HOST = "host"
    BELOW = "below"


# Characters; folded and encoded it then fits into an index.
LONGEST_ENTRY = 4096
_SIGNS = {Reach.HOST: "=", Reach.BELOW: "*."}


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of a list: a host with everything below it, or a path of a host.

    Attributes:
        host: normalised host.
        path: comparable path, ``/`` for the whole site.
        category: id of the category that it puts the site in.
        feed: where the line comes from, e.g. ``curated``.
        reach: the host with what is below it, the host alone, or only what is below it.
    """

    host: str
    path: str
    category: str
    feed: str
    reach: Reach = Reach.SITE

    @property
    def text(self) -> str:
        """The entry as it stands in a list: ``example.com``, ``example.com/path``, ``*.example.com``."""
        path = self.path if self.path != "/" else ""
        return _SIGNS.get(self.reach, "") + self.host + path

    @classmethod
    def parse(cls, text: str, category: str, feed: str) -> "ListEntry":
        """Read ``host`` or ``host/path``; ``=host`` is the host alone, ``*.host`` what is below it.

        Raises:
            BadAddressError: when the host part is no host, or something else stands there too.
        """
        if len(text) > LONGEST_ENTRY:
            raise BadAddressError(
                f"{text[:80]!r}… is too long: {len(text)} characters, at most {LONGEST_ENTRY}"
            )
        written = text
        reach = Reach.SITE
        for reached, sign in _SIGNS.items():
            if text.startswith(sign):
                reach, written = reached, text.removeprefix(sign)
        host, slash, path = written.partition("/")
        if ":" in host and not host.startswith("["):
            raise BadAddressError(f"{text!r} has a scheme or a port; write only host or host/path")
        if "*" in host or "=" in host or "?" in path or "#" in path:
            raise BadAddressError(f"{text!r} has a wildcard or a query, which are never compared")
        return cls(normalise_host(host), comparable_path(slash + path), category, feed, reach)
