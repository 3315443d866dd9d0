"""Who is at an address, in one worker: the sources of `config/local/people.yaml`, followed."""

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread

from schoolgate.bootstrap.rules import load_people_of
from schoolgate.bootstrap.sign_in import SignIn
from schoolgate.core.bindings import Binding
from schoolgate.core.clients import Client
from schoolgate.core.errors import UnavailableError
from schoolgate.core.identity import Claim, Identity
from schoolgate.core.people import ForwardedHeader, People, RadiusSettings
from schoolgate.core.policy import Policy
from schoolgate.identity import (
    AccountingListener,
    Announcers,
    ForwardedBy,
    LiveDirectory,
    Session,
    read_sessions,
    write_sessions,
)
from schoolgate.monitoring.metrics import FollowerMetrics
from schoolgate.services.callers import Callers, Entry
from schoolgate.services.clients import client_of
from schoolgate.settings import Settings
from schoolgate.storage import BindingTable, is_there, open_database

logger = logging.getLogger(__name__)

_HEARS_RADIUS = 1
_AGAIN_SECONDS = 1.0


class Sources:
    """Follows what people.yaml names, and begins anew when it is another.

    Args:
        settings: of this machine.
        worker: number of the worker; the first one listens for RADIUS accounting.
        metrics: where faults are counted.

    Attributes:
        callers: what must be found out of whoever comes.
    """

    def __init__(self, settings: Settings, worker: int, metrics: FollowerMetrics) -> None:
        self._settings = settings
        self._worker = worker
        self._metrics = metrics
        self._followed: tuple[People, str] | None = None
        self._live = LiveDirectory(People())
        self._sign_in: SignIn | None = None
        self.callers = Callers()
        self._radius: _Radius | None = None
        self._bindings: Sequence[Binding] | None = None
        self._lock = Lock()
        self._is_ending = False

    def identify(self, address: str, at: float, claim: Claim | None) -> Identity:
        """Say who is at an address; one dictionary look-up for one that is known."""
        return self._live.current.identify(address, at, claim)

    def follow(self, people: People, policy: Policy) -> None:
        """Follow other sources; nothing happens where they are the same.

        Raises:
            ConfigurationError: when people could not sign in as it is written; nothing is followed then.
        """
        followed = (people, policy.default_group)
        if followed == self._followed:
            return
        self._have_sign_in(people)
        with self._lock:
            self._follow(people, policy)
        self._followed = followed

    @property
    def domains(self) -> tuple[str, ...]:
        """The endings that are dropped from sign-in names."""
        return self._followed[0].sign_in.domains if self._followed else ()

    def put_bindings(self, bindings: Sequence[Binding]) -> None:
        """Put in force who signed in where; until the first call nobody is more than a stranger."""
        with self._lock:
            self._bindings = tuple(bindings)
            self._live.set_bindings(self._bindings)

    def mac_at(self, address: str) -> str:
        """Give the hardware address of the device at an address, "" where it is not known."""
        hardware = self._live.current.hardware(address)
        return hardware.mac if hardware is not None else ""

    def _follow(self, people: People, policy: Policy) -> None:
        radius = people.sign_in.radius
        # Of the groups only the strictest is known to be stricter than another.
        live = LiveDirectory(
            people,
            (policy.default_group,),
            on_fault=self._told,
            session_file=self._settings.sessions_file if radius else None,
            awaits_bindings=True,
        )
        if self._bindings is not None:
            live.set_bindings(self._bindings)
        live.start()
        before, self._live = self._live, live
        before.stop()
        if self._radius is not None:
            self._radius.stop()
            self._radius = None
        if radius is not None and self._worker == _HEARS_RADIUS and not self._is_ending:
            self._radius = _Radius(self._settings, people, radius, self._told)

    def _have_sign_in(self, people: People) -> None:
        before = self._sign_in
        is_another = before is None or not before.takes(people)
        if is_another:
            self._sign_in = SignIn(self._settings, people, self._told)
        balancers = people.load_balancers
        announcers = forwarded = None
        if balancers.ranges and balancers.header is ForwardedHeader.PROXY_PROTOCOL:
            announcers = Announcers(balancers)
        elif balancers.ranges:
            forwarded = ForwardedBy(balancers)
        assert self._sign_in is not None
        self.callers.put(Entry(forwarded, self._sign_in.authentication, announcers))
        if is_another and before is not None:
            before.end()

    def hand_over(self) -> None:
        """Let another process hear RADIUS: this one is about to end."""
        self._is_ending = True
        if self._radius is not None:
            self._radius.stop()

    def stop(self) -> None:
        """End all that follows something."""
        self.hand_over()
        self._live.stop()
        if self._sign_in is not None:
            self._sign_in.end()

    def _told(self, fault: str) -> None:
        logger.error("Who is who: %s", fault)
        self._metrics.identity_faults.inc()


class _Radius:
    """Listens for accounting as soon as the port is free: a worker that ends may still have it."""

    def __init__(
        self,
        settings: Settings,
        people: People,
        radius: RadiusSettings,
        told: Callable[[str], None],
    ) -> None:
        self._file = settings.sessions_file
        self._people = people
        self._settings = radius
        self._told = told
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="radius-start", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        fault = ""
        while not self._stopping.is_set():
            try:
                listener = AccountingListener(
                    self._people,
                    self._settings,
                    self._write,
                    kept=read_sessions(self._file).sessions,
                    on_fault=self._told,
                )
                listener.start()
            except (UnavailableError, OSError, ValueError) as error:
                if str(error) != fault:
                    fault = str(error)
                    self._told(fault)
                self._stopping.wait(_AGAIN_SECONDS)
                continue
            self._stopping.wait()
            listener.stop()

    def _write(self, sessions: tuple[Session, ...]) -> None:
        write_sessions(self._file, sessions, time.time())


def client_at(settings: Settings, policy: Policy, address: str) -> tuple[Client, Identity]:
    """Look once who is at an address, as the gateway would find it.

    Raises:
        ConfigurationError: when people.yaml has faults.
    """
    people = load_people_of(settings, policy)
    file = settings.sessions_file if people.sign_in.radius else None
    live = LiveDirectory(people, (policy.default_group,), session_file=file)
    live.set_bindings(_bindings_if_any(settings))
    live.start()
    try:
        identity = live.current.identify(address, time.time())
    finally:
        live.stop()
    return client_of(identity, address, policy), identity


def _bindings_if_any(settings: Settings) -> Sequence[Binding]:
    if not is_there(settings.database_url):
        return ()
    database = open_database(settings.database_url)
    try:
        return BindingTable(database).since(time.time())
    finally:
        database.dispose()
