"""The journal: one JSON object a line, written by a thread of its own through a bounded queue."""

import contextlib
import json
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

logger = logging.getLogger(__name__)

type Record = Mapping[str, Any]
type LazyRecord = Callable[[], Record]

_BATCH = 1_000
_STOP = None


class Journal(Protocol):
    """Where events are told; never waits."""

    def tell(self, at: datetime, record: LazyRecord) -> None:
        """Take an event; the record is made later, off the event loop."""


class JournalWriter:
    """Writes events to ``YYYY-MM-DD.jsonl`` (UTC days); what does not fit the queue is counted.

    Args:
        directory: made on start, 0700.
        queue_size: how many events may wait.
        dropped: called with the number of events that were lost.
        gateway: name of this gateway, in every line.
        worker: number of this worker, in every line and id.
    """

    def __init__(
        self,
        directory: Path,
        *,
        queue_size: int,
        dropped: Callable[[int], None],
        gateway: str,
        worker: int,
    ) -> None:
        self._directory = directory
        self._queue: queue.Queue[tuple[datetime, LazyRecord] | None] = queue.Queue(queue_size)
        self._dropped = dropped
        self._fixed = {"gateway": gateway, "worker": worker}
        # Unique across restarts without a look at the disk: the start time is part of it.
        self._run = f"{worker}-{int(datetime.now(UTC).timestamp() * 1000):x}"
        self._sequence = 0
        self._day = ""
        self._stream: BinaryIO | None = None
        self._failing = False
        self._thread = threading.Thread(target=self._run_thread, name="journal", daemon=True)

    def start(self) -> None:
        """Make the directory and begin to write.

        Raises:
            OSError: when the directory cannot be made or written.
        """
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(self._directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied", str(self._directory))
        self._thread.start()

    def tell(self, at: datetime, record: LazyRecord) -> None:
        """Take an event without waiting; a full queue drops and counts it."""
        try:
            self._queue.put_nowait((at, record))
        except queue.Full:
            self._dropped(1)

    def faults(self) -> list[str]:
        """Give a sentence when the journal cannot be written, or nothing."""
        if self._failing or not self._thread.is_alive():
            return [f"The journal in {self._directory} is not being written."]
        return []

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Write what is queued and end."""
        if self._thread.is_alive():
            self._queue.put(_STOP)
            self._thread.join(timeout_seconds)

    def _run_thread(self) -> None:
        stopping = False
        while not stopping:
            batch = [self._queue.get()]
            while len(batch) < _BATCH:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            stopping = _STOP in batch
            try:
                self._write([event for event in batch if event is not None])
            except Exception as error:  # noqa: BLE001 - a supervised loop must not end
                self._lost(len(batch), error)
                self._close()
        self._close()

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()

    def _write(self, batch: Iterable[tuple[datetime, LazyRecord]]) -> None:
        by_day: dict[str, list[bytes]] = {}
        for at, record in batch:
            line = self._line(at, record)
            if line is not None:
                by_day.setdefault(f"{at.astimezone(UTC):%Y-%m-%d}", []).append(line)
        for day, lines in by_day.items():
            try:
                stream = self._open(day)
                stream.write(b"".join(lines))
                stream.flush()
                self._failing = False
            except OSError as error:
                self._lost(len(lines), error)
                self._close()

    def _line(self, at: datetime, record: LazyRecord) -> bytes | None:
        self._sequence += 1
        head = {
            "ts": at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "id": f"{self._run}-{self._sequence}",
            **self._fixed,
        }
        try:
            text = json.dumps({**head, **record()}, ensure_ascii=False, separators=(",", ":"))
            return text.encode("utf-8", "backslashreplace") + b"\n"
        except Exception as error:  # noqa: BLE001 - a supervised loop: one bad record must not end it
            self._lost(1, error)
            return None

    def _lost(self, count: int, error: Exception) -> None:
        self._dropped(count)
        if not self._failing:
            logger.error("The journal in %s cannot be written: %s", self._directory, error)
            self._failing = True

    def _open(self, day: str) -> BinaryIO:
        if self._stream is None or day != self._day:
            self._close()
            path = self._directory / f"{day}.jsonl"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._stream = os.fdopen(descriptor, "ab")
            self._day = day
        return self._stream
