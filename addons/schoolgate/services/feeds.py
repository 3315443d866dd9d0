"""Which feeds of lists this machine has, and how they stand."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.documents import suggestion
from schoolgate.lists import category_names
from schoolgate.lists.feed_states import FeedState, feed_states
from schoolgate.lists.feeds_file import Feed, FeedList, feeds_paths, read_feeds
from schoolgate.services.probing import Finding
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


def feeds_finding(states: Sequence[FeedState], now: datetime) -> Finding:
    """Say how the lists of others stand, in a sentence.

    Args:
        states: of the feeds.
        now: aware.
    """
    if not states:
        return Finding("feeds", True, "no lists of others are fetched")
    said = [f"{len(states)} feeds, {sum(one.domains for one in states):,} entries"]
    ages = [one.age_seconds(now) for one in states if one.fetched_at]
    if ages:
        said.append(f"the oldest of {max(ages) / 86_400:.1f} days ago")
    held = [one.feed for one in states if one.held]
    if held:
        said.append(f"updates wait for a person ({', '.join(held)}): schoolgate lists diff")
    failed = [one.feed for one in states if one.failed]
    if failed:
        said.append(f"could not be had the last time: {', '.join(failed)}")
    return Finding("feeds", True, "; ".join(said), is_note=bool(held or failed))
