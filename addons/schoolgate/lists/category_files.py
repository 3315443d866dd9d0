"""The curated categories: one YAML file each under `categories/`."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from schoolgate.core.categories import Catalogue, Category, DomainTrie, ListEntry
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.documents import Document, Strict, read_document, validate

CURATED = "curated"

# Read by others or at other times than the categories.
_NOT_CATEGORIES = frozenset({"feeds.yaml"})


class CategoryText(Strict):
    """One category file."""

    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    title: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]
    protected: bool = False
    public_suffixes: bool = False
    feeds: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedEntry:
    """A curated entry with its line, for those who judge the files."""

    entry: ListEntry
    written: str
    document: Document
    index: int

    def fault(self, message: str, hint: str = "") -> Fault:
        """Give a fault at the entry's line."""
        return self.document.fault(("domains", self.index), message, hint)


@dataclass(frozen=True, slots=True)
class CategoryFiles:
    """Everything that the category files say."""

    categories: dict[str, Category]
    entries: tuple[PlacedEntry, ...]
    version: str


def load_catalogue(dirs: Sequence[Path]) -> Catalogue:
    """Read all category files and build the trie.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    files = read_category_files(dirs)
    counts = dict.fromkeys(files.categories, 0)
    for placed in files.entries:
        counts[placed.entry.category] += 1
    # What is listed as protected is opened by its category.
    trie = DomainTrie(
        (placed.entry for placed in files.entries),
        lambda category: files.categories[category].protected,
    )
    return Catalogue(files.categories, trie, counts, files.version)


def category_names(dirs: Sequence[Path]) -> list[str]:
    """Give the ids that the files' names promise, whether or not they can be read."""
    return [path.stem for path in _paths(dirs, [])]


def read_category_files(dirs: Sequence[Path]) -> CategoryFiles:
    """Read all category files without building anything.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    faults: list[Fault] = []
    categories: dict[str, Category] = {}
    entries: list[PlacedEntry] = []
    digest = hashlib.sha256()
    for path in _paths(dirs, faults):
        try:
            document = read_document(path)
            text = validate(document, CategoryText)
        except ConfigurationError as error:
            faults.extend(error.faults)
            continue
        digest.update(path.name.encode() + path.read_bytes())
        if text.id != path.stem:
            faults.append(document.fault(("id",), f"the id '{text.id}' is not the file's name"))
        if text.id in categories:
            faults.append(document.fault(("id",), f"the category '{text.id}' exists already"))
        categories[text.id] = Category(
            text.id, text.title, text.description, text.protected, text.public_suffixes, text.feeds
        )
        entries.extend(_entries(document, text, faults))
    if not categories and not faults:
        places = ", ".join(str(directory) for directory in dirs)
        faults.append(Fault(places, 0, "holds no category files: nothing could be filtered"))
    if faults:
        raise ConfigurationError(faults)
    return CategoryFiles(categories, tuple(entries), digest.hexdigest()[:12])


def _paths(dirs: Sequence[Path], faults: list[Fault]) -> Iterator[Path]:
    for directory in dirs:
        if not directory.is_dir():
            faults.append(Fault(str(directory), 0, "is not a directory", "see lists.dirs"))
            continue
        yield from sorted(
            path for path in directory.glob("*.yaml") if path.name not in _NOT_CATEGORIES
        )


def _entries(document: Document, text: CategoryText, faults: list[Fault]) -> Iterator[PlacedEntry]:
    for i, written in enumerate(text.domains):
        try:
            entry = ListEntry.parse(written, text.id, CURATED)
        except BadAddressError as error:
            faults.append(document.fault(("domains", i), str(error)))
        else:
            yield PlacedEntry(entry, written, document, i)
