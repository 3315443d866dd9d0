"""What happened, for people and machines: the journal, the metrics and the health of the gateway."""

from schoolgate.monitoring.endpoint import MetricsEndpoint
from schoolgate.monitoring.journal import Journal, JournalWriter
from schoolgate.monitoring.metrics import Metrics

__all__ = ["Journal", "JournalWriter", "Metrics", "MetricsEndpoint"]
