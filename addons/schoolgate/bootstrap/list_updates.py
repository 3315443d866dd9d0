"""Updates of the lists of others on this machine."""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from schoolgate.bootstrap.clock import now
from schoolgate.lists import ListPlaces
from schoolgate.lists.fetching import Way
from schoolgate.services.feed_making import Surroundings
from schoolgate.services.feeds import feeds_of
from schoolgate.settings import Settings

if TYPE_CHECKING:
    from schoolgate.core.categories import ListEntry
    from schoolgate.core.policy import PolicyEngine

_LINES_OF_PIECE = 10_000


def surroundings_of(settings: Settings) -> Surroundings:
    """Give what an update of the lists works with on this machine.

    Raises:
        ConfigurationError: with every fault of the register.
    """
    feeds, lists = feeds_of(settings)
    return Surroundings(
        ListPlaces(settings.lists.dirs, settings.lists_dir),
        feeds,
        lists,
        Way(settings.lists.proxy, settings.lists.ca_file),
        own_domains(settings),
        lambda: _engine(settings),
        lambda: _local(settings),
        lambda: journal_pieces(settings),
        now,
    )


# Where nothing changed, nothing is judged: what this takes long to load is not needed.
def _engine(settings: Settings) -> "PolicyEngine":
    from schoolgate.bootstrap.rules import load_engine  # noqa: PLC0415

    return load_engine(settings)


def _local(settings: Settings) -> "Sequence[ListEntry]":
    from schoolgate.lists import load_local_lists  # noqa: PLC0415

    return load_local_lists(settings.lists.local)


def own_domains(settings: Settings) -> tuple[str, ...]:
    """Give the domains of the school that the settings know."""
    mail = settings.mail.sender.rpartition("@")[2]
    return tuple({*settings.lists.own_domains, settings.portal.host, *([mail] if mail else [])})


def journal_pieces(settings: Settings) -> Iterator[bytes]:
    """Give the journal of the days that an update looks back to, in pieces of whole lines."""
    from schoolgate.bootstrap.journal import journal_lines  # noqa: PLC0415
    from schoolgate.services.feed_replay import LOOKED_BACK  # noqa: PLC0415

    for lines in batched(journal_lines(settings, LOOKED_BACK), _LINES_OF_PIECE):
        yield b"".join(lines)
