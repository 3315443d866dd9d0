"""The linter of the curated categories: what would block too much, or says nothing, is named."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.errors import Fault
from schoolgate.core.hosts import as_ip
from schoolgate.core.index import index_of
from schoolgate.lists.category_files import CategoryFiles, PlacedEntry, read_category_files
from schoolgate.lists.phrase_files import PHRASES, lint_phrases
from schoolgate.lists.public_suffixes import is_public_suffix
from schoolgate.lists.safeguarding_files import SAFEGUARDING, lint_safeguarding
from schoolgate.lists.shared_hosts import SHARED_HOSTS, shared_hosts

_BARE = "is a bare label: it would cover a whole country or word"
_PUBLIC_SUFFIX = "is a public suffix: it would cover everybody below it"
_SHARED = f"carries everybody's content (see {SHARED_HOSTS})"


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is to be said of a single entry.

    Attributes:
        refused: why it is no entry of a list; empty where it is one.
        said: what somebody may not have meant.
    """

    refused: tuple[str, ...]
    said: tuple[str, ...]


def lint_catalogue(dirs: Sequence[Path], blocked: Collection[str]) -> list[Fault]:
    """Judge every curated entry, and the phrases that stand beside them.

    Args:
        dirs: where the category files are.
        blocked: ids of the categories that the school's policy blocks; their entries must not
            cover a site of a protected category.

    Returns:
        every fault, in file order; empty when all is well.

    Raises:
        ConfigurationError: when the files cannot be read at all.
    """
    files = read_category_files(dirs)
    shared = shared_hosts(dirs)
    protected = [
        placed for placed in files.entries if files.categories[placed.entry.category].protected
    ]
    return [
        *_duplicates(files),
        *_forms(files),
        *_too_wide(files, shared),
        *_against_protected(files, protected, blocked),
        *_phrases(dirs, files),
    ]


def remarks_on(dirs: Sequence[Path], entry: ListEntry, *, blocks: bool) -> Remarks:
    """Judge an entry that somebody is about to put on a list of the school's own.

    Args:
        dirs: where the category files are.
        entry: that is judged.
        blocks: whether it closes; what must never be blocked by mistake is named then.

    Raises:
        ConfigurationError: when the category files cannot be read at all.
    """
    refused, said = [], []
    if _is_bare_label(entry):
        refused.append(f"'{entry.text}' {_BARE}")
    if _covers_everybody(entry):
        refused.append(f"'{entry.host}' {_PUBLIC_SUFFIX}")
    if _begins_with_www(entry):
        said.append(f"'{entry.text}' begins with www.; the name without it covers both")
    if entry.path == "/" and entry.host in shared_hosts(dirs):
        said.append(f"'{entry.host}' {_SHARED}")
    if blocks:
        files, own = read_category_files(dirs), index_of([entry])
        said += [
            f"'{entry.text}' covers '{placed.entry.text}', which is never to be blocked by mistake"
            for placed in files.entries
            if files.categories[placed.entry.category].protected
            and any(own.entries(host, placed.entry.path) for host in _protected_hosts(placed.entry))
        ]
    return Remarks(tuple(refused), tuple(said))


def _phrases(dirs: Sequence[Path], files: CategoryFiles) -> Iterator[Fault]:
    for directory in dirs:
        if (directory / PHRASES).is_dir():
            yield from lint_phrases(directory / PHRASES, files.categories)
        if (directory / SAFEGUARDING).is_dir():
            yield from lint_safeguarding(directory / SAFEGUARDING, files.categories)


def _duplicates(files: CategoryFiles) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for placed in files.entries:
        key = (placed.entry.category, placed.entry.text)
        if key in seen:
            yield placed.fault(f"'{placed.written}' is listed twice")
        seen.add(key)


def _forms(files: CategoryFiles) -> Iterator[Fault]:
    for placed in files.entries:
        entry, written = placed.entry, placed.written
        if written != entry.text:
            yield placed.fault(f"'{written}' is not in its plain form", f"write '{entry.text}'")
        if _begins_with_www(entry):
            yield placed.fault(f"'{written}' begins with www.", "the name without it covers both")
        if _is_bare_label(entry) and not files.categories[entry.category].public_suffixes:
            yield placed.fault(f"'{written}' {_BARE}")


def _begins_with_www(entry: ListEntry) -> bool:
    return entry.host.startswith("www.") and entry.reach is Reach.SITE


def _is_bare_label(entry: ListEntry) -> bool:
    return "." not in entry.host and as_ip(entry.host) is None


def _covers_everybody(entry: ListEntry) -> bool:
    wide = entry.reach is not Reach.HOST and entry.path == "/"
    return wide and "." in entry.host and is_public_suffix(entry.host)


def _too_wide(files: CategoryFiles, shared: frozenset[str]) -> Iterator[Fault]:
    for placed in files.entries:
        category = files.categories[placed.entry.category]
        entry = placed.entry
        if _covers_everybody(entry) and not category.public_suffixes:
            yield placed.fault(f"'{entry.host}' {_PUBLIC_SUFFIX}")
        if entry.path == "/" and entry.host in shared and not category.protected:
            yield placed.fault(f"'{entry.host}' {_SHARED}")


def _against_protected(
    files: CategoryFiles, protected: list[PlacedEntry], blocked: Collection[str]
) -> Iterator[Fault]:
    """Find blocked entries that cover a site which must never be blocked by mistake."""
    by_site = index_of(p.entry for p in files.entries if p.entry.category in blocked)
    covering: dict[ListEntry, str] = {}
    for placed in protected:
        for host in _protected_hosts(placed.entry):
            for entry in by_site.entries(host, placed.entry.path):
                covering.setdefault(entry, placed.entry.text)
    for placed in files.entries:
        covered = covering.get(placed.entry)
        if covered is not None:
            yield placed.fault(
                f"'{placed.written}' covers '{covered}', which is never to be blocked"
            )


def _protected_hosts(entry: ListEntry) -> list[str]:
    """Give a host for each way in which an entry can be covered; ``*`` is a name that nobody lists."""
    below = f"*.{entry.host}"
    return {
        Reach.SITE: [entry.host, below],
        Reach.HOST: [entry.host],
        Reach.BELOW: [below],
    }[entry.reach]
