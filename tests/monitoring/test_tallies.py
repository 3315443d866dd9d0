"""What is counted on the event loop reaches the library's counters, and what that costs."""

import timeit
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, values

from schoolgate.monitoring.sharing import share
from schoolgate.monitoring.tallies import Distribution, Tallies

BOUNDS = (0.001, 0.01, 1.0)


def requests(registry: CollectorRegistry) -> Counter:
    return Counter("requests", "Asked.", ["verdict", "group"], registry=registry)


def seconds(registry: CollectorRegistry) -> Histogram:
    return Histogram("seconds", "Taken.", buckets=BOUNDS, registry=registry)


def test_what_was_counted_is_handed_on_once() -> None:
    registry = CollectorRegistry()
    tallies = Tallies(requests(registry), ("verdict", "group"))
    tallies.labels("block", "staff").inc()
    tallies.labels(group="staff", verdict="block").inc(2)
    tallies.labels("allow", "staff").inc()

    def shown(verdict: str) -> float | None:
        labels = {"verdict": verdict, "group": "staff"}
        return registry.get_sample_value("requests_total", labels)

    assert (shown("block"), shown("allow")) == (0, 0)
    for _ in range(2):
        tallies.flush()
        assert (shown("block"), shown("allow")) == (3, 1)
    tallies.labels("block", "staff").inc()
    tallies.flush()
    assert shown("block") == 4


def test_what_is_beyond_the_bound_is_counted_together() -> None:
    registry = CollectorRegistry()
    tallies = Tallies(requests(registry), ("verdict", "group"), most=2)
    for group in ("a", "b", "c", "d", "a"):
        tallies.labels("block", group).inc()
    tallies.flush()

    def shown(verdict: str, group: str) -> float | None:
        return registry.get_sample_value("requests_total", {"verdict": verdict, "group": group})

    assert [shown("block", group) for group in "abcd"] == [2, 1, None, None]
    assert shown("other", "other") == 2


@pytest.mark.parametrize(
    "amounts", [[], [0.0], [0.001, 0.0011], [0.01, 1.0, 1.1, 50.0], [0.5] * 100]
)
def test_a_distribution_is_what_the_library_makes_of_the_same(amounts: list[float]) -> None:
    """It is handed on by what the library keeps, which another version may keep otherwise."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    distribution, histogram = Distribution(seconds(ours), BOUNDS), seconds(theirs)
    for amount in amounts:
        distribution.observe(amount)
        histogram.observe(amount)
    for _ in range(2):
        distribution.flush()
        found, want = (
            {
                (sample.name, *sample.labels.values()): sample.value
                for family in registry.collect()
                for sample in family.samples
                if not sample.name.endswith("_created")
            }
            for registry in (ours, theirs)
        )
        assert found == pytest.approx(want)


def test_what_counting_costs_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "ValueClass", values.MutexValue)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    count, observe = (
        requests(CollectorRegistry()).labels("a", "b").inc,
        seconds(CollectorRegistry()).observe,
    )
    show("one process", count, observe)
    share(tmp_path, 1)
    counter, histogram = requests(CollectorRegistry()), seconds(CollectorRegistry())
    show("shared", counter.labels("a", "b").inc, histogram.observe)
    tally = Tallies(counter, ("verdict", "group")).labels("a", "b")
    show("tallied", tally.inc, Distribution(histogram, BOUNDS).observe)


def show(kind: str, count: object, observe: object) -> None:
    names = {"count": count, "observe": observe}
    ns = [
        min(timeit.repeat(text, globals=names, number=20_000, repeat=3)) / 20_000 * 1e9
        for text in ("count()", "observe(0.0005)")
    ]
    print(f"{kind:12} Counter.inc {ns[0]:5.0f} ns   Histogram.observe {ns[1]:5.0f} ns")
