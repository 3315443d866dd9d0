"""The register of public lists, `categories/feeds.yaml`: where each is, what it may be, and what for."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import Field

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.documents import Document, Strict, read_document, suggestion, validate

FEEDS = "feeds.yaml"
_ID = re.compile(r"^[a-z0-9]+([.-][a-z0-9]+)*$")
_LIST_ID = re.compile(r"^[a-z0-9]+([._-][a-z0-9]+)*$")

Format = Literal[
    "plain",
    "hosts",
    "dnsmasq",
    "rpz",
    "adblock",
    "urlhaus",
    "ut1",
    "v2fly",
    "universities",
    "ranks",
]


class Guards(StrEnum):
    """What a feed keeps others from closing."""

    EDUCATION = "education"
    POPULAR = "popular"


class LicenceText(Strict):
    """Under which licence a feed is published."""

    name: Annotated[str, Field(min_length=1)]
    redistribution: bool
    commercial: bool
    note: str = ""


class ListText(Strict):
    """One list of a feed."""

    file: str
    least: Annotated[int, Field(ge=1)]
    greatest: Annotated[int, Field(ge=1)]
    category: str | None = None
    format: Format | None = None
    on: bool = True


class FeedText(Strict):
    """One feed."""

    title: Annotated[str, Field(min_length=1)]
    home: str
    licence: LicenceText
    format: Format
    every_hours: Annotated[int, Field(ge=1, le=24 * 92)]
    on: bool
    base: str
    guards: Guards | None = None
    lists: Annotated[dict[str, ListText], Field(min_length=1)]


class FeedsText(Strict):
    """The whole register."""

    feeds: dict[str, FeedText]


@dataclass(frozen=True, slots=True)
class Licence:
    """What a publisher allows.

    Attributes:
        name: of the licence.
        redistribution: whether anybody may pass the list on.
        commercial: whether anybody may earn with it.
        note: what else is to be known.
    """

    name: str
    redistribution: bool
    commercial: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class FeedList:
    """One list of a feed: what is fetched and judged as one.

    Attributes:
        feed: id of the feed.
        name: of the list, within it.
        address: where it is published.
        format: how it is written.
        category: id; empty where the feed guards.
        least: entries that are plausible, at least.
        greatest: and at most.
        on: whether it is fetched with its feed.
    """

    feed: str
    name: str
    address: str
    format: Format
    category: str
    least: int
    greatest: int
    on: bool

    @property
    def id(self) -> str:
        """The list among all, ``feed:list``."""
        return f"{self.feed}:{self.name}"


@dataclass(frozen=True, slots=True)
class Feed:
    """A publisher's lists.

    Attributes:
        id: stable name.
        title: for people.
        home: a page about it.
        licence: what the publisher allows.
        every_hours: how long a copy is good for.
        on: whether it is fetched without being asked for.
        guards: what it keeps other feeds from closing; None for a feed that closes.
        lists: of it.
    """

    id: str
    title: str
    home: str
    licence: Licence
    every_hours: int
    on: bool
    guards: Guards | None
    lists: tuple[FeedList, ...]


def read_feeds(dirs: Sequence[Path], categories: Collection[str]) -> dict[str, Feed]:
    """Read the register, which one of the directories of categories may hold.

    Args:
        dirs: where the category files are.
        categories: ids that exist.

    Raises:
        ConfigurationError: with every fault.
    """
    feeds: dict[str, Feed] = {}
    faults: list[Fault] = []
    for path in feeds_paths(dirs):
        document = read_document(path)
        text = validate(document, FeedsText)
        faults += _faults(document, text, categories)
        for name, feed in text.feeds.items():
            if name in feeds:
                faults.append(document.fault(("feeds", name), f"the feed '{name}' exists already"))
            feeds[name] = _feed(name, feed)
    if faults:
        raise ConfigurationError(faults)
    return feeds


def feeds_paths(dirs: Sequence[Path]) -> list[Path]:
    """Give the registers that there are."""
    return [directory / FEEDS for directory in dirs if (directory / FEEDS).exists()]


def _feed(name: str, text: FeedText) -> Feed:
    licence = Licence(**text.licence.model_dump())
    lists = tuple(
        FeedList(
            name,
            key,
            urljoin(text.base, listed.file),
            listed.format or text.format,
            listed.category or "",
            listed.least,
            listed.greatest,
            listed.on,
        )
        for key, listed in text.lists.items()
    )
    return Feed(name, text.title, text.home, licence, text.every_hours, text.on, text.guards, lists)


def _faults(document: Document, text: FeedsText, categories: Collection[str]) -> Iterator[Fault]:
    for name, feed in text.feeds.items():
        at = ("feeds", name)
        if not _ID.match(name):
            yield document.fault(at, f"'{name}' is no id: small letters, digits, dots and hyphens")
        if urlsplit(feed.base).scheme not in ("https", "http"):
            yield document.fault((*at, "base"), f"'{feed.base}' is no address of the web")
        for key, listed in feed.lists.items():
            yield from _list_faults(document, (*at, "lists", key), feed, listed, categories)


def _list_faults(
    document: Document,
    at: tuple[str, ...],
    feed: FeedText,
    listed: ListText,
    categories: Collection[str],
) -> Iterator[Fault]:
    if not _LIST_ID.match(at[-1]):
        yield document.fault(at, f"'{at[-1]}' is no name of a list")
    if listed.least > listed.greatest:
        yield document.fault((*at, "least"), "least is more than greatest")
    if feed.guards is not None and listed.category is not None:
        yield document.fault((*at, "category"), "a feed that guards puts nothing into a category")
    if feed.guards is None and listed.category is None:
        yield document.fault(at, "the key 'category' is missing")
    if listed.category is not None and listed.category not in categories:
        hint = suggestion(listed.category, categories)
        yield document.fault((*at, "category"), f"there is no category '{listed.category}'", hint)
