"""What happened, for people and machines: the journal, the metrics and the health of the gateway."""

from schoolgate.monitoring.endpoint import MetricsEndpoint
from schoolgate.monitoring.feed_metrics import FeedFigure, FeedFigures
from schoolgate.monitoring.journal import (
    Journal,
    JournalWriter,
    make_journal_directory,
    not_written,
)
from schoolgate.monitoring.metrics import Metrics, WorkerFigures, WorkerState
from schoolgate.monitoring.sharing import forget, share, shared_directory, shared_registry

__all__ = [
    "FeedFigure",
    "FeedFigures",
    "Journal",
    "JournalWriter",
    "Metrics",
    "MetricsEndpoint",
    "WorkerFigures",
    "WorkerState",
    "forget",
    "make_journal_directory",
    "not_written",
    "share",
    "shared_directory",
    "shared_registry",
]
