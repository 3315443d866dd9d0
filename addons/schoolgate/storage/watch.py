"""Tells a process of every change of what it follows, milliseconds after another committed it."""

from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, make_url

from schoolgate.core.approvals import Overlay
from schoolgate.core.bindings import Binding
from schoolgate.core.errors import UnavailableError
from schoolgate.storage.bindings import read_bindings
from schoolgate.storage.connections import (
    explained,
    is_postgresql,
    place_of,
    reading,
    sqlite_engine,
    sqlite_path,
)
from schoolgate.storage.overlays import read_overlay
from schoolgate.storage.postgresql import LINE, channel_of, driver, libpq_url, postgresql_engine
from schoolgate.storage.versions import BINDINGS, OVERLAY, version_of

_LONGEST_DELAY_SECONDS = 1.0
_LISTEN_SECONDS = 0.2
_LOOK_AGAIN_SECONDS = 3.0
_CURRENT_SECONDS = 6.0
# At a copy that is only read, nobody can listen.
_LOOK_UNTOLD_SECONDS = 0.5


class Watch[T]:
    """A daemon thread that hands over something at its start and whenever its version changes.

    A failure, of the database or of ``on_change``, goes to ``on_error`` at every attempt; the
    thread then reconnects with growing delays of at most a second and hands it over
    again. Until then the receiver keeps the last one.
    """

    def __init__(
        self,
        engine_or_url: Engine | str,
        name: str,
        read: Callable[[Connection, datetime], T],
        on_change: Callable[[T], None],
        now: Callable[[], datetime],
        on_error: Callable[[Exception], None],
        interval_seconds: float = 0.1,
    ) -> None:
        """Prepare the watch; nothing is opened before `start`.

        Args:
            engine_or_url: names the database; the engine's own connections are not used.
            name: of its version, which every change raises.
            read: gives it, in a transaction, as it is at a time.
            on_change: called in the thread with each new state.
            now: gives the aware time.
            on_error: called in the thread with each failure.
            interval_seconds: time between two looks at a file; a server tells by itself.

        Raises:
            UnavailableError: when the URL names no database.
        """
        url = engine_or_url.url if isinstance(engine_or_url, Engine) else engine_or_url
        self._url = make_url(url) if is_postgresql(url) else None
        self._path = Path() if self._url else sqlite_path(url)
        self._name = name
        self._read = read
        self._on_change = on_change
        self._now = now
        self._on_error = on_error
        self._interval = interval_seconds
        self._delay = 0.0
        self._stopping = Event()
        self._looked_at = monotonic()
        self._thread: Thread | None = None

    @property
    def is_current(self) -> bool:
        """Tell whether the database answered within the last seconds."""
        return monotonic() - self._looked_at < _CURRENT_SECONDS

    def start(self) -> None:
        """Begin to watch; does nothing when it already does."""
        if self._thread is None:
            self._looked_at = monotonic()
            self._stopping.clear()
            self._thread = Thread(target=self._run, name=f"{self._name}-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; not to be called from within ``on_change``."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001 - a supervised loop outlives any failure
                self._wait_after(error)

    def _follow(self) -> None:
        """Watch one database until it is replaced by another or the watch is stopped."""
        with closing(self._watched()) as watched:
            while watched.is_in_place() and not self._stopping.is_set():
                newer = watched.newer(self._read, self._now)
                self._looked_at = monotonic()
                if newer is not None:
                    self._on_change(newer)
                self._delay = 0.0
                watched.wait(self._stopping)

    def _watched(self) -> "_WatchedFile | _WatchedServer":
        if self._url is not None:
            return _WatchedServer(self._url, self._name)
        return _WatchedFile(self._path, self._name, self._interval)

    def _wait_after(self, error: Exception) -> None:
        with suppress(Exception):
            self._on_error(error)
        self._delay = min(max(2 * self._delay, self._interval), _LONGEST_DELAY_SECONDS)
        self._stopping.wait(self._delay)


class OverlayWatch(Watch[Overlay]):
    """Follows grants and suspensions."""

    def __init__(
        self,
        engine_or_url: Engine | str,
        on_change: Callable[[Overlay], None],
        now: Callable[[], datetime],
        on_error: Callable[[Exception], None],
        interval_seconds: float = 0.1,
    ) -> None:
        """Prepare the watch, as `Watch` does."""
        super().__init__(
            engine_or_url, OVERLAY, read_overlay, on_change, now, on_error, interval_seconds
        )


class BindingWatch(Watch[tuple[Binding, ...]]):
    """Follows who signed in on which device."""

    def __init__(
        self,
        engine_or_url: Engine | str,
        on_change: Callable[[tuple[Binding, ...]], None],
        now: Callable[[], datetime],
        on_error: Callable[[Exception], None],
        interval_seconds: float = 0.1,
    ) -> None:
        """Prepare the watch, as `Watch` does."""
        super().__init__(
            engine_or_url, BINDINGS, read_bindings, on_change, now, on_error, interval_seconds
        )


class _WatchedFile:
    """One database file with a connection that only looks, so that every change is another's.

    `PRAGMA data_version` does not show the changes made through the same connection.
    """

    def __init__(self, path: Path, name: str, interval_seconds: float) -> None:
        self._path = path
        self._name = name
        self._interval = interval_seconds
        with explained(path):
            # Before connecting: a file put in place in between is then noticed at the next look.
            self._identity = _identity(path)
            self._connection = sqlite_engine(path, NullPool).connect()
        self._data_version: int | None = None
        self._version: int | None = None

    def close(self) -> None:
        self._connection.close()

    def is_in_place(self) -> bool:
        with explained(self._path):
            return _identity(self._path) == self._identity

    def wait(self, stopping: Event) -> None:
        stopping.wait(self._interval)

    def newer[T](
        self, read: Callable[[Connection, datetime], T], now: Callable[[], datetime]
    ) -> T | None:
        """Give what is watched if its version is another than at the last call."""
        with explained(self._path):
            data_version = self._look()
            if data_version == self._data_version:
                return None
            # The number was read before the content: a commit in between shows at the next look.
            with self._connection.begin():
                version = version_of(self._connection, self._name)
                newer = read(self._connection, now()) if version != self._version else None
        self._data_version, self._version = data_version, version
        return newer

    def _look(self) -> int:
        # On the driver's connection: 2 µs instead of a transaction each time, and none left open.
        driver = self._connection.connection.driver_connection
        if driver is None:
            raise UnavailableError(f"the connection to the database {self._path} is gone")
        (row,) = driver.execute("PRAGMA data_version").fetchall()
        return int(row[0])


class _WatchedServer:
    """A server that tells of changes, and is asked now and then whether it told of all.

    What it tells while nobody listens is lost: the version is read after listening has begun, and
    again every few seconds.
    """

    def __init__(self, url: URL, name: str) -> None:
        self._name = name
        self._place = place_of(url)
        self._told = True
        self._next_look = 0.0
        self._version: int | None = None
        self._engine = postgresql_engine(url, StaticPool)
        try:
            with explained(self._place):
                with reading(self._engine) as connection:
                    self._channel = channel_of(connection)
                # SQLAlchemy's connection is read by; this one only listens.
                self._listener = self._connect(url)
        except BaseException:
            self._engine.dispose()
            raise

    def _connect(self, url: URL) -> Any:
        psycopg = driver(url)
        with ExitStack() as undo:
            try:
                listener = psycopg.connect(libpq_url(url), autocommit=True, **LINE)
                undo.callback(listener.close)
                self._listens = self._listen(listener)
            except psycopg.Error as error:
                raise OSError(str(error).strip().partition("\n")[0]) from error
            undo.pop_all()
        return listener

    def _listen(self, listener: Any) -> bool:
        [(is_copy,)] = listener.execute("SELECT pg_is_in_recovery()").fetchall()
        if not is_copy:
            listener.execute(f'LISTEN "{self._channel}"')
        return not is_copy

    def close(self) -> None:
        self._listener.close()
        self._engine.dispose()

    def is_in_place(self) -> bool:
        return True

    def wait(self, stopping: Event) -> None:
        if stopping.is_set():
            return
        # The thread is ended between two of these.
        try:
            if not self._listens:
                stopping.wait(_LOOK_UNTOLD_SECONDS)
                # It may have become the first server meanwhile.
                self._listens = self._listen(self._listener)
                self._told = True
                return
            for _ in self._listener.notifies(timeout=_LISTEN_SECONDS, stop_after=1):
                self._told = True
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise UnavailableError(f"the database {self._place} is gone ({reason})") from error

    def newer[T](
        self, read: Callable[[Connection, datetime], T], now: Callable[[], datetime]
    ) -> T | None:
        """Give what is watched if its version is another than at the last call."""
        if not self._told and monotonic() < self._next_look:
            return None
        self._told, self._next_look = False, monotonic() + _LOOK_AGAIN_SECONDS
        with reading(self._engine) as connection:
            version = version_of(connection, self._name)
            newer = read(connection, now()) if version != self._version else None
        self._version = version
        return newer


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
