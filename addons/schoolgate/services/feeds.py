"""Which feeds of lists this machine has, and how they stand."""

from pathlib import Path

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.documents import suggestion
from schoolgate.lists import category_names
from schoolgate.lists.feed_states import FeedState, feed_states
from schoolgate.lists.feeds_file import Feed, FeedList, feeds_paths, read_feeds
from schoolgate.services.reload import Signature, signature
from schoolgate.settings import Settings

# The register is asked for with each look at the metrics, and changes with versions of schoolgate.
_registers: dict[Path, tuple[Signature, list[FeedList]]] = {}


def feeds_of(settings: Settings) -> tuple[dict[str, Feed], list[FeedList]]:
    """Give the register of feeds, and the lists of it that this machine fetches.

    Raises:
        ConfigurationError: with every fault of the register, or a name in ``lists.feeds`` that is not in it.
    """
    feeds = read_feeds(settings.lists.dirs, category_names(settings.lists.dirs))
    every = [listed for feed in feeds.values() for listed in feed.lists]
    if not settings.lists.feeds:
        return feeds, [listed for listed in every if listed.on and feeds[listed.feed].on]
    known = {*feeds, *(listed.id for listed in every)}
    faults = [
        Fault(
            str(settings.file),
            0,
            f"lists.feeds: there is no feed '{name}'",
            suggestion(name, known),
        )
        for name in settings.lists.feeds
        if name not in known
    ]
    if faults:
        raise ConfigurationError(faults)
    wanted = set(settings.lists.feeds)
    return feeds, [
        listed for listed in every if listed.id in wanted or (listed.feed in wanted and listed.on)
    ]


def states_of(settings: Settings) -> list[FeedState]:
    """Say how each feed stands that this machine has ever asked for.

    Raises:
        ConfigurationError: when the register, or what is kept of the lists, has faults.
    """
    seen = signature([settings.file, *feeds_paths(settings.lists.dirs)])
    known = _registers.get(settings.file)
    if known is None or known[0] != seen:
        known = _registers[settings.file] = (seen, feeds_of(settings)[1])
    return [
        state
        for state in feed_states(settings.lists_dir, known[1])
        if state.fetched_at or state.domains or state.failed
    ]
