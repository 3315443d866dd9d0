"""The continuous self-test: a process of the gateway, since only those reach the workers as somebody."""

import contextlib
import ipaddress
import itertools
import logging
import re
import secrets
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPException

from schoolgate import authority
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.rules import load_engine
from schoolgate.bootstrap.watches import seen_now
from schoolgate.core.errors import SchoolgateError, UnavailableError
from schoolgate.core.policy import PolicyEngine
from schoolgate.monitoring import JournalWriter
from schoolgate.monitoring.selftest_metrics import SelfTestFigures
from schoolgate.services.network import Ways
from schoolgate.services.network.loading import refuses_quic
from schoolgate.services.selftest import ADDRESS, Persona, SelfTest, grants_result
from schoolgate.services.selftest_results import (
    EVERYBODY,
    RUNNING,
    Result,
    Round,
    read_round,
    write_round,
)
from schoolgate.settings import Settings
from schoolgate.storage import DecisionStore, open_database
from schoolgate.workers import Entrance, Link
from schoolgate.workers.steering import place_of

logger = logging.getLogger(__name__)

_BEAT_SECONDS = 0.2
_STOP_SECONDS = 8.0
_CONNECT_SECONDS = 5.0
# Discarded by every router (RFC 6666), so that no device has an address in there.
_NOBODYS = int(ipaddress.IPv6Address("100::"))
_IN_FORCE_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_OVERLAY = re.compile(r"^schoolgate_overlay_version (\S+)$", re.MULTILINE)
# In the journal, where those of workers are from 1.
_WORKER = 0


class Callings:
    """Leads to the workers as somebody of a group, and as nobody who could be there.

    An address is made up anew for each of them; it is known to this process and to the worker alone, and
    counts for a connection that is handed over within the gateway, and for no other.

    Args:
        entrance: into the workers.
    """

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance
        self._addresses: dict[Persona, str] = {}

    def begin(self) -> None:
        """Forget every address."""
        self._addresses.clear()

    def connect(self, persona: Persona, port: int) -> socket.socket:
        """Give a connection on which a persona believes to be connected to a port of some site.

        Raises:
            OSError: when the worker takes no more.
        """
        address = self._addresses.get(persona)
        if address is None:
            address = self._addresses[persona] = _address_at(persona.worker, self._entrance.workers)
        own, other = _pair()
        with other:
            stands_for = persona.group, persona.network
            if not self._entrance.give(other, address, (ADDRESS, port), stands_for):
                own.close()
                raise ConnectionRefusedError("the worker takes no connection")
        return own


def _address_at(worker: int, workers: int) -> str:
    """Make an address up that belongs to a worker."""
    while True:
        address = str(ipaddress.IPv6Address(_NOBODYS + secrets.randbits(64)))
        if place_of(address, workers) == worker:
            return address


def _pair() -> tuple[socket.socket, socket.socket]:
    """Give both ends of a TCP connection within this machine, and nobody else's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_CONNECT_SECONDS)
        own = socket.create_connection(listener.getsockname(), _CONNECT_SECONDS)
        while True:
            other, name = listener.accept()
            if name == own.getsockname():
                return own, other
            # Somebody else on this machine.
            other.close()


class _Rules:
    """The rules as they are written now; those of before where they have faults, as in the workers."""

    def __init__(self, settings: Settings, store: DecisionStore) -> None:
        self._settings, self._store = settings, store
        self._seen = seen_now(settings)
        self._engine = load_engine(settings)

    def current(self) -> PolicyEngine:
        seen = seen_now(self._settings)
        if seen != self._seen:
            with contextlib.suppress(SchoolgateError):
                self._engine = load_engine(self._settings, locked=self._engine.locked)
            self._seen = seen
        return self._engine.with_overlay(self._store.overlay(now()))


def keep_selftest(
    settings: Settings, entrance: Entrance, metrics: tuple[str, int], link: Link
) -> None:
    """Ask again and again until told to end.

    Args:
        settings: of this machine.
        entrance: into the workers.
        metrics: where the metrics are.
        link: with the supervisor.

    Raises:
        SchoolgateError: when it cannot start.
    """
    store = DecisionStore(open_database(settings.database_url))
    rules, callings = _Rules(settings, store), Callings(entrance)
    test = SelfTest(
        rules.current,
        callings.connect,
        lambda: _trust(settings),
        settings.portal.public_url if settings.portal.enabled else "",
        now,
    )
    ending = threading.Event()

    def rounds() -> None:
        with _journal(settings) as journal:
            for turn in itertools.count():
                started = time.monotonic()
                callings.begin()
                results = [
                    *_looked(test, entrance.workers, turn),
                    *_of_all(settings, store, metrics),
                ]
                _keep(settings, results, time.monotonic() - started, journal)
                if ending.wait(settings.selftest.every_seconds):
                    return

    # Apart from the beats: whoever is asked may be slow.
    thread = threading.Thread(target=rounds, name="selftest", daemon=True)
    thread.start()
    link.ready()
    told = False
    while thread.is_alive() and not told:
        readable, _, _ = select.select([link.fileno()], [], [], _BEAT_SECONDS)
        told = bool(readable)
        link.beat()
    link.ending()
    ending.set()
    thread.join(_STOP_SECONDS)
    if not told:
        raise UnavailableError("The self-test has ended by a fault.")


def _looked(test: SelfTest, workers: int, turn: int) -> list[Result]:
    try:
        return test.look(workers, turn)
    except SchoolgateError as error:
        return [Result("rules", EVERYBODY, False, str(error))]


def _of_all(settings: Settings, store: DecisionStore, metrics: tuple[str, int]) -> Iterator[Result]:
    """Look at what is the same for all groups."""
    try:
        wanted = store.raise_overlay()
    except UnavailableError as error:
        yield Result("grants", EVERYBODY, False, str(error))
    else:
        yield grants_result(wanted, lambda: _overlay_in_force(*metrics), _waits())
    if Ways.of(settings).network.is_used:
        # Only root may ask; who asks is the gateway's user, on most machines.
        with contextlib.suppress(UnavailableError):
            is_refused = refuses_quic()
            said = "" if is_refused else "no rule of the packet filter that is loaded refuses QUIC"
            yield Result("quic", EVERYBODY, is_refused, said)


def _waits() -> Iterator[None]:
    end = time.monotonic() + _IN_FORCE_SECONDS
    yield
    while time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
        yield


def _overlay_in_force(host: str, port: int) -> float | None:
    """Ask the metrics which change of grants the slowest worker has."""
    connection = HTTPConnection(host, port, timeout=_CONNECT_SECONDS)
    try:
        connection.request("GET", "/metrics")
        found = _OVERLAY.search(connection.getresponse().read().decode("utf-8", "replace"))
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return float(found[1]) if found else None


def _trust(settings: Settings) -> ssl.SSLContext:
    try:
        pem = authority.export_pem(settings.ca_dir).decode("ascii")
    except UnavailableError as error:
        raise OSError(str(error)) from error
    return ssl.create_default_context(cadata=pem)


@contextlib.contextmanager
def _journal(settings: Settings) -> Iterator[JournalWriter]:
    journal = JournalWriter(
        settings.journal_dir,
        queue_size=settings.journal.queue_size,
        dropped=lambda _: None,
        gateway=settings.gateway,
        worker=_WORKER,
    )
    try:
        journal.start()
    except OSError as error:
        raise UnavailableError(f"The journal cannot be written: {error.strerror}.") from error
    try:
        yield journal
    finally:
        journal.stop()


def _keep(
    settings: Settings, results: Iterable[Result], seconds: float, journal: JournalWriter
) -> None:
    """Leave what was found to those who show it, and write down what is not as it was."""
    before = read_round(settings.selftest_file)
    failed = {(one.check, one.group) for one in before.results if not one.ok} if before else set()
    at = now()
    found = Round(at, settings.selftest.every_seconds, seconds, tuple(results))
    try:
        write_round(settings.selftest_file, found)
    except OSError as error:
        logger.error("What the self-test found cannot be kept: %s", error)  # noqa: TRY400
    for one in found.results:
        if one.ok == ((one.check, one.group) not in failed):
            continue
        event = "selftest.mended" if one.ok else "selftest.failed"
        if not one.ok:
            logger.error("The self-test %s fails. %s", one.check, one.said)
        said = {"event": event, "check": one.check, "group": one.group, "said": one.said or None}
        journal.tell(at, lambda said=said: said)  # type: ignore[misc]


def selftest_figures(settings: Settings) -> SelfTestFigures | None:
    """Give what shows what the self-test found last; None where there is none."""
    if not settings.selftest.enabled:
        return None

    def results() -> Iterator[tuple[str, str, bool]]:
        found = read_round(settings.selftest_file)
        if found is None:
            yield RUNNING, EVERYBODY, False
            return
        for one in found.shown(now()):
            yield one.check, one.group, one.ok

    def at() -> float | None:
        found = read_round(settings.selftest_file)
        return found.at.timestamp() if found else None

    return SelfTestFigures(results, at)
