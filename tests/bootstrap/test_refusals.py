"""What the packet filter refused comes into metrics and journal, by one worker."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schoolgate.bootstrap.refusals import Refusals
from schoolgate.monitoring import Metrics
from schoolgate.monitoring.journal import LazyRecord
from schoolgate.settings import Settings
from schoolgate.settings.network import NetworkSettings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Told:
    """A journal that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def tell(self, _at: datetime, record: LazyRecord) -> None:
        self.lines.append(dict(record()))


def settings(directory: Path) -> Settings:
    network = NetworkSettings.model_validate(
        {"inside": ["eth1"], "addresses": ["10.0.0.1"], "counters_file": directory / "counters"}
    )
    return Settings(state_dir=directory, network=network)


def test_what_is_refused_is_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics, journal = Metrics(), Told()
    refusals = Refusals(settings(tmp_path), 1, metrics, journal)
    refusals.look(NOON)
    for packets in (5, 7):
        (tmp_path / "counters").write_text(json.dumps({"quic": packets, "tunnels": 1}))
        refusals.look(NOON)
    (tmp_path / "counters").write_text("nonsense")
    with caplog.at_level(logging.ERROR):
        refusals.look(NOON)
        refusals.look(NOON)
    assert len(caplog.records) == 1, "said once"
    assert journal.lines == [
        {"event": "circumvention.seen", "kind": "quic", "count": 5},
        {"event": "circumvention.seen", "kind": "vpn", "count": 1},
        {"event": "circumvention.seen", "kind": "quic", "count": 2},
    ]
    count = metrics.registry.get_sample_value
    assert count("schoolgate_circumvention_total", {"kind": "quic"}) == 7
    assert count("schoolgate_circumvention_total", {"kind": "vpn"}) == 1


@pytest.mark.parametrize(("worker", "is_gateway"), [(2, True), (1, False)])
def test_others_do_not_follow_them(tmp_path: Path, worker: int, is_gateway: bool) -> None:
    where = settings(tmp_path) if is_gateway else Settings(state_dir=tmp_path)
    refusals = Refusals(where, worker, Metrics(), Told())
    refusals.start()
    refusals.stop()
    assert list(tmp_path.iterdir()) == []
