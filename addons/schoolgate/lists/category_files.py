"""The curated categories: one YAML file each under `categories/`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from schoolgate.core.categories import Category, ListEntry
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
    published: bool = False
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


def category_names(dirs: Sequence[Path]) -> list[str]:
    """Give the ids that the files' names promise, whether or not they can be read."""
    return [path.stem for path in category_paths(dirs)]


def category_paths(dirs: Sequence[Path]) -> list[Path]:
    """Give the category files, as far as there are any."""
    return list(_paths(dirs, []))


def read_category_files(dirs: Sequence[Path]) -> CategoryFiles:
    """Read all category files without building anything.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    faults: list[Fault] = []
    categories: dict[str, Category] = {}
    entries: list[PlacedEntry] = []
    for path in _paths(dirs, faults):
        try:
            document = read_document(path)
            text = validate(document, CategoryText)
        except ConfigurationError as error:
            faults.extend(error.faults)
            continue
        if text.id != path.stem:
            faults.append(document.fault(("id",), f"the id '{text.id}' is not the file's name"))
        if text.id in categories:
            faults.append(document.fault(("id",), f"the category '{text.id}' exists already"))
        categories[text.id] = Category(
            text.id,
            text.title,
            text.description,
            text.protected,
            text.public_suffixes,
            text.feeds,
            text.domains if text.published else (),
        )
        entries.extend(_entries(document, text, faults))
    if not categories and not faults:
        places = ", ".join(str(directory) for directory in dirs)
        faults.append(Fault(places, 0, "holds no category files: nothing could be filtered"))
    if faults:
        raise ConfigurationError(faults)
    return CategoryFiles(categories, tuple(entries))


def _paths(dirs: Sequence[Path], faults: list[Fault]) -> Iterator[Path]:
    for directory in dirs:
        if not directory.is_dir():
            faults.append(Fault(str(directory), 0, "is not a directory", "see lists.dirs"))
            continue
        try:
            # Not glob: to it, a directory that may not be read is an empty one.
            found = [path for path in directory.iterdir() if path.suffix == ".yaml"]
        except OSError as error:
            faults.append(Fault(str(directory), 0, f"cannot be read: {error.strerror}"))
            continue
        yield from sorted(path for path in found if path.name not in _NOT_CATEGORIES)


def _entries(document: Document, text: CategoryText, faults: list[Fault]) -> Iterator[PlacedEntry]:
    for i, written in enumerate(text.domains):
        try:
            entry = ListEntry.parse(written, text.id, CURATED)
        except BadAddressError as error:
            faults.append(document.fault(("domains", i), str(error)))
        else:
            yield PlacedEntry(entry, written, document, i)
