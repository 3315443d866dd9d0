"""Signs of harm on a worker: what is looked for, followed as it changes, and where alerts go."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from schoolgate.bootstrap.clock import now
from schoolgate.core.safeguarding import Matcher, Severity, Theme, Watch
from schoolgate.core.safeguarding.alerts import Alert
from schoolgate.lists.safeguarding_files import SAFEGUARDING, load_safeguarding
from schoolgate.monitoring import JournalWriter, Metrics
from schoolgate.services.incidents import Receivers
from schoolgate.services.reload import FileWatch, Signature, signature
from schoolgate.services.signs import Seen, Signs
from schoolgate.settings import Settings
from schoolgate.storage import IncidentStore


def watch_of(settings: Settings) -> Watch:
    """Read what is looked for; nothing where no directory of lists has it.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    for directory in settings.lists.dirs:
        if (directory / SAFEGUARDING).is_dir():
            return _read(directory / SAFEGUARDING, signature(_files(settings)))
    return Watch(Matcher(()))


@lru_cache(maxsize=1)
def _read(directory: Path, _signature: Signature) -> Watch:
    """Read it once before the workers are forked, who share it."""
    return load_safeguarding(directory)


class AlertRaising:
    """Looks, tells the journal and the metrics, and has alerts kept.

    Args:
        settings: of this machine.
        database: where alerts are kept.
        journal: where they are told.
        metrics: where they are counted.
        receivers: who is told.

    Raises:
        ConfigurationError: when the files of phrases have faults.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        journal: JournalWriter,
        metrics: Metrics,
        receivers: Receivers,
    ) -> None:
        # Before they are read: a change in between must be seen.
        seen = signature(_files(settings))
        self._watch = watch_of(settings)
        self._journal, self._metrics = journal, metrics
        for theme in Theme:
            for severity in Severity:
                metrics.alerts.labels(theme=theme.value, severity=severity.value)
        store = IncidentStore(database)

        def keep(found: Sequence[Alert]) -> None:
            store.keep([receivers.kept(each) for each in found], receivers.audience, now())

        self.signs = Signs(
            lambda: self._watch,
            self._told,
            keep,
            missed=metrics.signs_missed.inc,
            failed=lambda _: metrics.store_errors.inc(),
        )
        self._files: FileWatch[Watch] = FileWatch(
            lambda: _files(settings),
            lambda: watch_of(settings),
            self._put,
            metrics.reload_errors.inc,
            seen,
            what="phrases of safeguarding are",
        )

    def start(self, ending: Callable[[Callable[[], None]], object]) -> None:
        """Begin.

        Args:
            ending: takes what is to be called at the end.
        """
        self.signs.start()
        ending(self.signs.stop)
        self._files.start()
        ending(self._files.stop)

    def _put(self, watch: Watch) -> None:
        self._watch = watch

    def _told(self, alert: Alert, seen: Seen) -> None:
        self._metrics.alerts.labels(theme=alert.theme.value, severity=alert.severity.value).inc()
        record = record_of(alert, seen)
        self._journal.tell(alert.at, lambda: record)


def record_of(alert: Alert, seen: Seen) -> dict[str, Any]:
    """Give the line of the journal for an alert."""
    client, engine = seen.request.client, seen.engine
    return {
        "event": "alert.raised",
        "client": client.address,
        "device": client.device or None,
        "user": client.user or None,
        "group": client.group,
        "network": client.network or None,
        "period": engine.period(alert.at),
        "kind": alert.source.value,
        "theme": alert.theme.value,
        "severity": alert.severity.value,
        "host": alert.host,
        "url": alert.url,
        "search": alert.search or None,
        "phrase_ids": list(alert.concern.phrase_ids) or None,
        "category": alert.concern.category or None,
        "verdict": alert.verdict,
        "clause": alert.clause,
        "policy": engine.policy.id,
    }


def _files(settings: Settings) -> list[Path]:
    return [
        path
        for directory in settings.lists.dirs
        for path in (directory / SAFEGUARDING).glob("*.yaml")
    ]
