"""The journal: one JSON object a line, written by a thread of its own through a bounded queue.

All workers add to the one file of the day; each batch of lines is one write, which the kernel puts
at the end as a whole.
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

logger = logging.getLogger(__name__)

type Record = Mapping[str, Any]
type LazyRecord = Callable[[], Record]

_BATCH = 1_000
_TORN_LOOKS = 5
_TORN_LOOK_SECONDS = 0.05
# How long an event waits at most before it is written.
_LOOK_SECONDS = 0.05


class Journal(Protocol):
    """Where events are told; never waits."""

    def tell(self, at: datetime, record: LazyRecord) -> None:
        """Take an event; the record is made later, off the event loop."""


def make_journal_directory(directory: Path) -> None:
    """Make the directory of the journal, 0700, if it is not there.

    Raises:
        OSError: when it cannot be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", str(directory))


def not_written(directory: Path) -> str:
    """Say that the journal is not being written."""
    return f"The journal in {directory} is not being written."


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
        self._queue_size = queue_size
        # Neither a lock nor a signal for each event: the thread looks often enough.
        self._waiting: deque[tuple[datetime, LazyRecord]] = deque()
        self._stopping = threading.Event()
        self._dropped = dropped
        self._fixed = _as_json({"gateway": gateway, "worker": worker})[1:-1]
        # Unique across restarts without a look at the disk: the start time is part of it.
        self._run = f"{worker}-{time.time_ns() // 1000:x}"
        self._sequence = 0
        self._day = ""
        self._descriptor: int | None = None
        self._torn = False
        self._failing = False
        self._thread = threading.Thread(target=self._run_thread, name="journal", daemon=True)

    def start(self) -> None:
        """Make the directory and begin to write.

        Raises:
            OSError: when the directory cannot be made or written.
        """
        make_journal_directory(self._directory)
        self._thread.start()

    def tell(self, at: datetime, record: LazyRecord) -> None:
        """Take an event without waiting; a full queue drops and counts it."""
        if len(self._waiting) < self._queue_size:
            self._waiting.append((at, record))
        else:
            self._dropped(1)

    @property
    def waiting(self) -> int:
        """How many events are still to be written."""
        return len(self._waiting)

    def faults(self) -> list[str]:
        """Give a sentence when the journal cannot be written, or nothing."""
        if self._failing or not self._thread.is_alive():
            return [not_written(self._directory)]
        return []

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Write what is queued and end."""
        if self._thread.is_alive():
            self._stopping.set()
            self._thread.join(timeout_seconds)

    def _run_thread(self) -> None:
        stopping = False
        while not stopping:
            # Asked first: what was told before the end was asked for is still written.
            stopping = self._stopping.wait(_LOOK_SECONDS)
            while self._waiting:
                size = min(len(self._waiting), _BATCH)
                batch = [self._waiting.popleft() for _ in range(size)]
                try:
                    self._write(batch)
                except Exception as error:  # noqa: BLE001 - a supervised loop must not end
                    self._lost(len(batch), error)
                    self._close()
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _write(self, batch: Iterable[tuple[datetime, LazyRecord]]) -> None:
        by_day: dict[str, list[bytes]] = {}
        for at, record in batch:
            at = at if at.tzinfo is UTC else at.astimezone(UTC)  # noqa: PLW2901
            time_text = at.isoformat(timespec="milliseconds")
            line = self._line(time_text, record)
            if line is not None:
                by_day.setdefault(time_text[:10], []).append(line)
        for day, lines in by_day.items():
            try:
                lost = self._write_day(day, lines)
                fault = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) if lost else None
            except OSError as error:
                lost, fault = len(lines), error
            self._failing = self._failing and fault is not None
            if fault is not None:
                self._lost(lost, fault)
                self._close()

    def _write_day(self, day: str, lines: list[bytes]) -> int:
        """Write lines of a day; give how many did not get through."""
        while True:
            descriptor = self._open(day)
            # Who takes a file away (`journal_files.set_aside`) does so under the other lock: what is
            # written under this one is still in the file, or goes into the next.
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            try:
                if self._is_there(descriptor, day):
                    return self._append(descriptor, lines)
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            self._close()

    def _is_there(self, descriptor: int, day: str) -> bool:
        """Ask whether an open file is still that of the day."""
        with contextlib.suppress(FileNotFoundError):
            named = (self._directory / f"{day}.jsonl").stat()
            return os.path.samestat(os.fstat(descriptor), named)
        return False

    def _append(self, descriptor: int, lines: list[bytes]) -> int:
        """Write lines at once; give how many did not get through."""
        # After a line that is not whole, nobody's first line must be the rest of it.
        batch = b"".join([b"\n" if self._torn else b"", *lines])
        written = os.write(descriptor, batch)
        self._torn = not batch.endswith(b"\n", 0, written)
        # Those that got through before the disk was full are not lost.
        return batch.count(b"\n", written)

    def _line(self, time_text: str, record: LazyRecord) -> bytes | None:
        self._sequence += 1
        head = f'{{"ts":"{time_text}","id":"{self._run}-{self._sequence}",'.encode()
        try:
            return b"%b%b,%b\n" % (head, self._fixed, _as_json(record())[1:])
        except Exception as error:  # noqa: BLE001 - a supervised loop: one bad record must not end it
            self._lost(1, error)
            return None

    def _lost(self, count: int, error: Exception) -> None:
        self._dropped(count)
        if not self._failing:
            logger.error("The journal in %s cannot be written: %s", self._directory, error)
            self._failing = True

    def _open(self, day: str) -> int:
        if self._descriptor is None or day != self._day:
            self._close()
            path = self._directory / f"{day}.jsonl"
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o600)
            self._day = day
            self._torn = _ends_torn(self._descriptor)
        return self._descriptor


def _as_json(record: Record) -> bytes:
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, say: what a client sent must not cost the line.
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def _ends_torn(descriptor: int) -> bool:
    """See whether a file ends within a line, because a process was killed while it wrote.

    Another that is just writing looks the same, so it is looked at until that must have ended.
    """
    for _ in range(_TORN_LOOKS):
        size = os.fstat(descriptor).st_size
        if not size or os.pread(descriptor, 1, size - 1) == b"\n":
            return False
        time.sleep(_TORN_LOOK_SECONDS)
    return True
