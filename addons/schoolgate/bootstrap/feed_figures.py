"""How the feeds of lists stand, for the metrics."""

from schoolgate.bootstrap.clock import now
from schoolgate.core.errors import ConfigurationError
from schoolgate.monitoring import FeedFigure
from schoolgate.services.feeds import states_of
from schoolgate.settings import Settings


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
