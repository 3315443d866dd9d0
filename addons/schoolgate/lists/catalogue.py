"""The catalogue in force: an index built once from all lists, and opened by everybody after that."""

import contextlib
import hashlib
import logging
import re
import secrets
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from schoolgate import __version__
from schoolgate.core import canaries
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import Category, ListEntry, Reach
from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.core.index import Built, Refused, SiteIndex, Source, build_index, read_index
from schoolgate.core.index.layout import VERSION
from schoolgate.lists.category_files import CURATED, category_paths, read_category_files
from schoolgate.lists.generations import (
    MANIFEST,
    live_directory,
    read_generation,
)
from schoolgate.lists.index_file import open_index, write_index
from schoolgate.lists.locking import only_one
from schoolgate.lists.refusals import Refusal, read_refusal, write_refusal

logger = logging.getLogger(__name__)

INDEX = "sites.index"
SUPPLIED = "feeds"
_LOCK = ".building"
# Several times as long as the largest lists take.
_LOCK_ATTEMPTS = 480
_LOCK_PAUSE_SECONDS = 0.25
_SAYS_SOMETHING = re.compile(rb"^[^\S\n]*[^\s#]", re.MULTILINE)
# Another version of schoolgate may bring entries into another form.
_MAKER = f"format {VERSION}, schoolgate {__version__}, test sites"


@dataclass(frozen=True, slots=True)
class ListPlaces:
    """Where lists come from, and where the index of them is kept.

    Attributes:
        dirs: the category files.
        state: the ``lists`` folder of the state directory; holds ``sites.index`` and
            ``feeds/<feed>/<category>.txt``, the lists of others, one entry a line.
        generation: the folder of the fetched lists that are meant; None takes those that are live.
    """

    dirs: Sequence[Path]
    state: Path
    generation: Path | None = None

    @property
    def fetched(self) -> Path | None:
        """The folder of the fetched lists; None where there are none."""
        return self.generation or live_directory(self.state)

    @property
    def index(self) -> Path:
        """The index, beside the fetched lists that it is made from."""
        return (self.fetched or self.state) / INDEX

    def settled(self) -> "ListPlaces":
        """Give the places with the fetched lists that are live now, whatever goes live meanwhile."""
        return self if self.generation else replace(self, generation=self.fetched)

    def files(self) -> Iterator[Path]:
        """Give every file that the index is made from, as far as they can be found."""
        yield from category_paths(self.dirs)
        with contextlib.suppress(ConfigurationError):
            yield from self.supplied()
        with contextlib.suppress(ConfigurationError):
            if self.fetched is not None:
                # It names the others, none of which is ever changed.
                yield self.fetched / MANIFEST

    def supplied(self) -> list[Path]:
        """Give the lists of others, in a fixed order.

        Raises:
            ConfigurationError: when a folder cannot be read.
        """
        root = self.state / SUPPLIED
        try:
            # Not glob: to it, a folder that may not be read is an empty one.
            feeds = [path for path in root.iterdir() if stat.S_ISDIR(path.stat().st_mode)]
            found = [path for feed in feeds for path in feed.iterdir()]
        except OSError as error:
            # That one folder has gone meanwhile does not mean that there are none.
            if isinstance(error, FileNotFoundError | NotADirectoryError) and not root.exists():
                return []
            raise ConfigurationError(
                [Fault(error.filename, 0, f"cannot be read: {error.strerror}")]
            ) from error
        return sorted(
            path for path in found if path.suffix == ".txt" and not path.name.startswith(".")
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is; in bytes of lists."""

    done: int
    total: int
    name: str


def load_catalogue(places: ListPlaces, now: datetime, *, keep: bool) -> Catalogue:
    """Give the catalogue of the lists as they are now: opened where that index exists, else built.

    Args:
        places: where everything is.
        now: aware.
        keep: whether an index that had to be built is kept for the next time.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    places = places.settled()
    fresh = _open_fresh(places, log=not keep)
    if fresh is not None:
        return fresh
    if keep:
        try:
            return make_catalogue(places, now, insist=False)
        except UnavailableError as error:
            # To filter with an index of one's own is better than not to filter.
            logger.error("%s", error)  # noqa: TRY400
    return _in_memory(build_catalogue(places, now))


def make_catalogue(
    places: ListPlaces,
    now: datetime,
    progress: Callable[[Progress], None] = lambda _: None,
    built: Callable[[Built], None] = lambda _: None,
    *,
    anew: bool = False,
    insist: bool = True,
) -> Catalogue:
    """Build the index, put it in place and open it; who comes second waits and opens the same.

    Args:
        places: where everything is.
        now: aware.
        progress: called as the build goes on.
        built: called with what was built, when it was.
        anew: build even if nothing changed.
        insist: whether what cannot be written is an error; else it serves from memory.

    Raises:
        ConfigurationError: with every fault of every file.
        UnavailableError: when it cannot be written, or somebody else builds without end.
    """
    places = places.settled()
    # Whoever may read it may hold it: it may have been made by another user.
    with only_one(places.state, _LOCK, 0o644, _wait_for(places.state)):
        fresh = None if anew else _open_fresh(places, log=True)
        if fresh is not None:
            return fresh
        if not insist:
            _refuse_again(places, now)
        # Before they are read: what is wrong with these says nothing of those that come meanwhile.
        looked_at = version_of(places)
        try:
            made = build_catalogue(places, now, progress)
        except ConfigurationError as error:
            # A list that came or went meanwhile may be what is wrong, and is none of these.
            if version_of(places) == looked_at:
                write_refusal(places.state, Refusal(looked_at, now, error.faults))
            raise
        try:
            write_index(places.index, made)
        except UnavailableError as error:
            if insist:
                raise
            logger.error("%s", error)  # noqa: TRY400
            return _in_memory(made)
        built(made)
        _warn_of(made.refused)
    return _catalogue(open_index(places.index))


def build_catalogue(
    places: ListPlaces, now: datetime, progress: Callable[[Progress], None] = lambda _: None
) -> Built:
    """Build the index of all lists in memory.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    # Before they are read: a change in between must be seen.
    made_from = version_of(places)
    files = read_category_files(places.dirs)
    sources = _sources(places, files.categories)
    sizes = {source.name: _size(Path(source.name)) for source in sources}
    done = 0

    def added(source: Source) -> None:
        nonlocal done
        # A build that starts again begins with the first.
        done = sizes[source.name] + (0 if source is sources[0] else done)
        progress(Progress(done, sum(sizes.values()), source.name))

    try:
        built = build_index(
            (*(placed.entry for placed in files.entries), *_canaries(files.categories)),
            sources,
            seed=secrets.randbits(64),
            opening=[category.id for category in files.categories.values() if category.protected],
            categories=files.categories,
            catalogue={
                "version": made_from,
                "built": now.isoformat(timespec="seconds"),
                "categories": [asdict(category) for category in files.categories.values()],
            },
            added=added,
        )
    except OverflowError as error:
        raise ConfigurationError([Fault(str(places.state), 0, f"has {error}")]) from error
    _refuse_what_is_no_list(sources, built.refused)
    return built


def _refuse_again(places: ListPlaces, now: datetime) -> None:
    """Raise what another process has just found wrong with the same lists, which takes as long as a build."""
    refusal = read_refusal(places.state)
    if refusal is not None and refusal.holds(version_of(places), now):
        raise ConfigurationError(refusal.faults)


def version_of(places: ListPlaces) -> str:
    """Give what changes when any list does.

    Category files count by content, the big lists of others by size and time of change.

    Raises:
        ConfigurationError: when a folder of lists cannot be read.
    """
    digest = hashlib.sha256(_MAKER.encode())
    # One that cannot be read counts too: it must not be passed over.
    for path in category_paths(places.dirs):
        digest.update(path.name.encode() + b"\0")
        with contextlib.suppress(OSError):
            digest.update(path.read_bytes())
    for path in places.supplied():
        digest.update(f"{path.relative_to(places.state)}\0".encode())
        with contextlib.suppress(OSError):
            status = path.stat()
            digest.update(
                f"{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\0".encode()
            )
    fetched = places.fetched
    if fetched is not None:
        with contextlib.suppress(OSError):
            digest.update((fetched / MANIFEST).read_bytes())
    return digest.hexdigest()[:12]


def _open_fresh(places: ListPlaces, *, log: bool) -> Catalogue | None:
    """Open the index if it is that of the lists as they are now; say why it cannot be opened."""
    # A directory that is none is a fault that only those who read the lists find.
    if not all(directory.is_dir() for directory in places.dirs):
        return None
    try:
        places.index.stat()
        sites = open_index(places.index)
    except OSError:
        return None
    except ConfigurationError as error:
        if log:
            logger.error("%s", error)  # noqa: TRY400
        return None
    return _catalogue(sites) if sites.catalogue.get("version") == version_of(places) else None


def _catalogue(sites: SiteIndex) -> Catalogue:
    categories = {
        text["id"]: Category(
            **{
                **text,
                "feeds": tuple(text["feeds"]),
                # An index of before has none.
                "published": tuple(text.get("published", ())),
            }
        )
        for text in sites.catalogue["categories"]
    }
    return Catalogue(categories, sites, sites.catalogue["version"])


def _in_memory(built: Built) -> Catalogue:
    _warn_of(built.refused)
    return _catalogue(read_index(b"".join(built.pieces)))


def _canaries(categories: Iterable[str]) -> Iterator[ListEntry]:
    """Give the test site of each category."""
    for category in categories:
        yield ListEntry(canaries.host_of(category), "/", category, canaries.FEED, Reach.HOST)


def _sources(places: ListPlaces, categories: dict[str, Category]) -> list[Source]:
    sources, faults = [], []
    for path in places.supplied():
        feed, category = path.parent.name, path.stem
        if category not in categories:
            faults.append(Fault(str(path), 0, f"there is no category '{category}'"))
        if feed == CURATED:
            faults.append(Fault(str(path), 0, f"'{CURATED}' is the name of schoolgate's own lists"))
        if not path.is_file():
            faults.append(Fault(str(path), 0, "is not a file"))
        sources.append(Source(str(path), category, feed, partial(_read, path)))
    if faults:
        raise ConfigurationError(faults)
    return [*sources, *_fetched_sources(places, categories)]


def _fetched_sources(places: ListPlaces, categories: dict[str, Category]) -> list[Source]:
    """Give the fetched lists; those of a category that went with an update of schoolgate are left out."""
    if places.fetched is None:
        return []
    generation = read_generation(places.fetched)
    return [
        Source(
            str(generation.path_of(listed)),
            listed.category,
            listed.feed,
            partial(_read_fetched, generation.path_of(listed)),
        )
        for listed in generation.lists.values()
        if listed.category in categories
    ]


def _read(path: Path) -> bytes:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            [Fault(str(path), 0, f"cannot be read: {error.strerror}")]
        ) from error
    # What was emptied, by mistake or on its way to being written, must not open what it closed.
    if not _SAYS_SOMETHING.search(text):
        raise ConfigurationError(
            [Fault(str(path), 0, "holds nothing", "remove it if that is meant")]
        )
    return text


def _read_fetched(path: Path) -> bytes:
    # Empty is what the gate left of it, and no mistake.
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            [Fault(str(path), 0, f"cannot be read: {error.strerror}")]
        ) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _refuse_what_is_no_list(sources: Sequence[Source], refused: Sequence[Refused]) -> None:
    """Refuse a file most lines of which are no entries: an error page, or something else by mistake."""
    faults = []
    for name, count in Counter(line.source for line in refused).items():
        source = next(source for source in sources if source.name == name)
        # Lines as the builder has them: what has no line feeds is no list of hosts.
        said = (line.strip() for line in source.read().split(b"\n"))
        lines = sum(bool(line) and not line.startswith(b"#") for line in said)
        if count * 2 > lines:
            faults.append(
                Fault(name, 0, f"is no list: {count} of its {lines} lines are no host", "remove it")
            )
    if faults:
        raise ConfigurationError(faults)


def _warn_of(refused: Sequence[Refused]) -> None:
    if refused:
        first = refused[0]
        logger.warning(
            "%d lines of lists are no entries and were left out; the first: %s:%d: %s",
            len(refused), first.source, first.line, first.message,
        )  # fmt: skip


def _wait_for(state: Path) -> Callable[[int], None]:
    """Give what waits for another process that builds, and gives up after long."""

    def occupied(attempt: int) -> None:
        if attempt >= _LOCK_ATTEMPTS:
            raise UnavailableError(
                f"Another process has been building the index in {state} for "
                f"{_LOCK_ATTEMPTS * _LOCK_PAUSE_SECONDS:.0f} seconds. End it if it hangs."
            )
        if attempt == 0:
            logger.warning("Another process builds the index in %s: waiting for it.", state)
        time.sleep(_LOCK_PAUSE_SECONDS)

    return occupied
