"""The figures of feeds, as Prometheus reads them."""

from prometheus_client import CollectorRegistry

from schoolgate.monitoring.feed_metrics import FeedFigure, FeedFigures


def test_each_feed_has_its_figures_and_one_that_never_came_has_no_age() -> None:
    registry = CollectorRegistry()
    never = FeedFigure("never", float("inf"), 0, 0, is_good=False)
    registry.register(FeedFigures(lambda: [FeedFigure("ut1", 60, 2, 4_000, is_good=True), never]))

    def value(name: str, feed: str) -> float | None:
        return registry.get_sample_value(f"schoolgate_feed_{name}", {"feed": feed})

    names = ("age_seconds", "held", "domains", "last_result")
    assert [value(name, "ut1") for name in names] == [60, 2, 4_000, 1]
    assert [value(name, "never") for name in names] == [None, 0, 0, 0]
