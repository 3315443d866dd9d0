"""The figures of what is kept of the journal: whether its days are closed, and what they take on the disk."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from schoolgate.monitoring.journal_files import DayFiles, days_of

# A day is closed some hours after its end: until the day after is over as well nothing is late.
_MAY_BE_OPEN = timedelta(days=1)


class JournalKeptFigures(Collector):
    """How the journal lies on the disk, without a word of what is in it.

    Args:
        directory: of the journal.
        today: gives the day (UTC).
    """

    def __init__(self, directory: Path, today: Callable[[], date]) -> None:
        self._directory = directory
        self._today = today

    def collect(self) -> Iterator[Metric]:
        """Give the figures; none where the directory cannot be read."""
        unclosed = GaugeMetricFamily(
            "schoolgate_journal_unclosed",
            "Days before yesterday with lines that are not in their table: nothing of them is deleted.",
        )
        sizes = GaugeMetricFamily(
            "schoolgate_journal_bytes",
            "What the journal takes on the disk, by form: lines, tables of closed days, what they count to.",
            labels=["form"],
        )
        try:
            days = days_of(self._directory)
        except OSError:
            days = None
        if days is not None:
            last = self._today() - _MAY_BE_OPEN
            unclosed.add_metric([], sum(_has_lines(day) for day in days if day.day < last))
            for form, files in _by_form(days).items():
                sizes.add_metric([form], sum(_size(file) for file in files))
        yield from (unclosed, sizes)


def _has_lines(day: DayFiles) -> bool:
    return day.written is not None or bool(day.closing)


def _by_form(days: list[DayFiles]) -> dict[str, list[Path]]:
    lines = [file for day in days for file in (day.written, *day.closing.values()) if file]
    return {
        "lines": lines,
        "tables": [day.table for day in days if day.table],
        "counts": [day.counts for day in days if day.counts],
    }


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        # Closed or deleted a moment ago.
        return 0
