"""The figures of the centre, as Prometheus' node exporter reads them from a file."""

from pathlib import Path

from schoolgate.monitoring.gathering_metrics import GatheringMetrics


def test_they_are_written_whole_for_each_gateway(tmp_path: Path) -> None:
    file = tmp_path / "schoolgate.prom"
    metrics = GatheringMetrics(file)
    metrics.events.labels("hill", "gw1").inc(3)
    metrics.missing.labels("hill", "gw1").set(0)
    metrics.write()
    text = file.read_text()
    assert 'schoolgate_gathered_events_total{gateway="gw1",school="hill"} 3.0' in text
    assert 'schoolgate_gathered_missing_bytes{gateway="gw1",school="hill"} 0.0' in text
    assert [one.name for one in tmp_path.iterdir()] == ["schoolgate.prom"]


def test_without_a_file_nothing_is_written() -> None:
    GatheringMetrics().write()


def test_that_nothing_is_gathered_is_wrong() -> None:
    metrics = GatheringMetrics()
    assert metrics.wrong() == ["The journals are not gathered; the log says why."]
    metrics.up.set(1)
    assert metrics.wrong() == []
