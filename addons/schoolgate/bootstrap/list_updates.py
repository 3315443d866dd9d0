"""Updates of the lists of others on this machine."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from schoolgate.bootstrap.rules import list_places, load_engine, now
from schoolgate.core.errors import ConfigurationError
from schoolgate.lists import load_local_lists
from schoolgate.lists.fetching import Way
from schoolgate.monitoring import FeedFigure
from schoolgate.services.feed_making import Surroundings
from schoolgate.services.feed_replay import LOOKED_BACK
from schoolgate.services.feeds import feeds_of, states_of
from schoolgate.settings import Settings

_PIECE = 4 << 20


def feed_figures(settings: Settings) -> list[FeedFigure]:
    """Give how the feeds stand, for the metrics; nothing where what is kept of them cannot be read."""
    try:
        states = states_of(settings)
    except ConfigurationError:
        return []
    at = now()
    return [
        FeedFigure(one.feed, one.age_seconds(at), one.held, one.domains, not one.failed)
        for one in states
    ]


def surroundings_of(settings: Settings) -> Surroundings:
    """Give what an update of the lists works with on this machine.

    Raises:
        ConfigurationError: with every fault of the register.
    """
    feeds, lists = feeds_of(settings)
    return Surroundings(
        list_places(settings),
        feeds,
        lists,
        Way(settings.lists.proxy, settings.lists.ca_file),
        own_domains(settings),
        lambda: load_engine(settings),
        lambda: load_local_lists(settings.lists.local),
        lambda: journal_pieces(settings),
        now,
    )


def own_domains(settings: Settings) -> tuple[str, ...]:
    """Give the domains of the school that the settings know."""
    mail = settings.mail.sender.rpartition("@")[2]
    return tuple({*settings.lists.own_domains, settings.portal.host, *([mail] if mail else [])})


def journal_pieces(settings: Settings) -> Iterator[bytes]:
    """Give the journal of the days that an update looks back to, in pieces of whole lines."""
    day, last = (now() - LOOKED_BACK).date(), now().date()
    while day <= last:
        yield from _pieces(settings.journal_dir / f"{day}.jsonl")
        day += timedelta(days=1)


def _pieces(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece + file.readline()
