"""The figures of the feeds of lists, read where the last update left them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class FeedFigure:
    """How a feed of lists stands.

    Attributes:
        feed: id.
        age_seconds: since it was last what its publisher has; without an end where it never came.
        held: lists of it of which something waits for a person.
        domains: entries of it that are in use.
        is_good: whether all of it could be had the last time.
    """

    feed: str
    age_seconds: float
    held: int
    domains: int
    is_good: bool


class FeedFigures(Collector):
    """How the feeds of lists stand, as the last update left them.

    Args:
        states: gives them as they are now.
    """

    def __init__(self, states: Callable[[], Iterable[FeedFigure]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """Give the figures."""
        said = {
            "age_seconds": "Seconds since the oldest list of a feed was what its publisher has.",
            "held": "Lists of a feed of which something waits for a person.",
            "domains": "Entries of a feed that are in use.",
            "last_result": "1 where all of a feed could be had the last time, else 0.",
        }
        families = {
            name: GaugeMetricFamily(f"schoolgate_feed_{name}", text, labels=["feed"])
            for name, text in said.items()
        }
        for state in self._states():
            if state.age_seconds != float("inf"):
                families["age_seconds"].add_metric([state.feed], state.age_seconds)
            families["held"].add_metric([state.feed], state.held)
            families["domains"].add_metric([state.feed], state.domains)
            families["last_result"].add_metric([state.feed], float(state.is_good))
        yield from families.values()
