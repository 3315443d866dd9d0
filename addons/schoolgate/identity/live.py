"""The directory kept up to date by a thread that looks at every source."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread

from schoolgate.core.bindings import Binding
from schoolgate.core.identity import Rank
from schoolgate.core.people import People
from schoolgate.identity.directory import Directory, Known
from schoolgate.identity.facts import Session
from schoolgate.identity.lease_files import LeaseFile
from schoolgate.identity.neighbours import NeighbourTable, neighbour_table
from schoolgate.identity.session_file import SessionFile

_LOOK_SECONDS = 1.0
_RESTLESS_SECONDS = 0.1
_NEIGHBOUR_SECONDS = 3.0
_FIRST_LOOKS = 4


class LiveDirectory:
    """A daemon thread that makes a new `Directory` whenever a source says something new.

    `current` is one reference, read without a lock; before `start` no source was read, so that nobody
    is more than a stranger. Bindings and sessions are handed in from any thread but the event loop's
    (making a directory takes milliseconds) and are in force as soon as the call returns.
    """

    def __init__(
        self,
        people: People,
        strictest_first: Sequence[str] = (),
        *,
        now: Callable[[], float] = time.time,
        on_change: Callable[[Directory], None] = lambda _: None,
        on_fault: Callable[[str], None] = lambda _: None,
        read_neighbours: Callable[[], str] = neighbour_table,
        session_file: Path | None = None,
        awaits_bindings: bool = False,
    ) -> None:
        """Prepare; nothing is opened before `start`.

        Args:
            people: what the school wrote down.
            strictest_first: ids of the policy's groups, the strictest first.
            now: gives seconds since 1970.
            on_change: called with each new directory, in the thread that brought it.
            on_fault: called in the thread with each fault that was not there at the last look.
            read_neighbours: gives what ``ip -json neigh show`` prints.
            session_file: where the process that hears RADIUS writes the sessions.
            awaits_bindings: whether there are bindings, which `set_bindings` has yet to bring.
        """
        self._now = now
        self._on_change = on_change
        self._on_fault = on_fault
        self._people = people
        self._order = tuple(strictest_first)
        self._lease_files = [LeaseFile(source) for source in people.leases]
        # Without anything written down nobody is more than a stranger, whatever device they have.
        follows = people.neighbours and people != People()
        self._neighbours = NeighbourTable(read_neighbours) if follows else None
        self._neighbours_due = 0.0
        self._awaits_bindings = awaits_bindings
        self._bindings: tuple[Binding, ...] = ()
        self._sessions: tuple[Session, ...] = ()
        self._session_file = SessionFile(session_file) if session_file is not None else None
        self._told: frozenset[str] = frozenset()
        self._lock = Lock()
        self._stopping = Event()
        self._thread: Thread | None = None
        self.current = self._made()

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the sources at this moment, each in a sentence."""
        found = [file.fault for file in self._lease_files]
        if self._neighbours is not None:
            found.append(self._neighbours.fault)
        if self._session_file is not None:
            found.append(self._session_file.fault)
        return tuple(fault for fault in found if fault)

    def start(self) -> None:
        """Look at the sources, for half a second at most, and begin to follow them.

        Does nothing when it already follows them.
        """
        if self._thread is None:
            self._stopping.clear()
            for _ in range(_FIRST_LOOKS):
                self._look_guarded()
                if self._settled():
                    break
                self._stopping.wait(_RESTLESS_SECONDS)
            self._thread = Thread(target=self._run, name="identity", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def set_bindings(self, bindings: Sequence[Binding]) -> None:
        """Replace all bindings of the sign-in page."""
        with self._lock:
            self._awaits_bindings = False
            self._bindings = tuple(bindings)
            self._replace(self._made())

    def set_sessions(self, sessions: Sequence[Session]) -> None:
        """Replace all sessions of RADIUS accounting."""
        with self._lock:
            self._sessions = tuple(sessions)
            self._replace(self._made())

    def look(self) -> None:
        """Look at every source once; what the thread does each second."""
        at = self._now()
        before = self._unread()
        moved = [file.look(at) for file in self._lease_files]
        if (
            self._neighbours is not None
            and not 0 <= self._neighbours_due - at <= _NEIGHBOUR_SECONDS
        ):
            self._neighbours_due = at + _NEIGHBOUR_SECONDS
            moved.append(self._neighbours.look(at))
        heard = self._session_file is not None and self._session_file.look(at)
        if any(moved) or heard or before != self._unread():
            with self._lock:
                made = self._made()
                # The table of neighbours hardly ever stays the same, the devices mostly do: then what
                # was worked out is kept.
                if heard or before != self._unread() or not made.has_the_hardware_of(self.current):
                    self._replace(made)
        self._tell()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look_guarded()
            self._stopping.wait(_LOOK_SECONDS if self._settled() else _RESTLESS_SECONDS)

    def _look_guarded(self) -> None:
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - a supervised loop outlives any failure
            with suppress(Exception):
                self._on_fault(f"the sources of identity cannot be looked at: {error!r}")

    def _settled(self) -> bool:
        return all(file.settled for file in self._lease_files)

    def _unread(self) -> dict[Rank, str]:
        """Give the ranks whose sources may have more to say than is known."""
        unread: dict[Rank, str] = {}
        if self._awaits_bindings:
            unread[Rank.SIGN_IN] = "sign-ins"
        if self._session_file is not None and self._session_file.failing:
            unread[Rank.RADIUS] = "RADIUS sessions"
        if any(file.failing for file in self._lease_files):
            unread[Rank.DEVICE] = "leases"
        if self._neighbours is not None and self._neighbours.failing:
            unread[Rank.DEVICE] = "neighbours"
        return unread

    def _replace(self, made: Directory) -> None:
        self.current = made
        self._on_change(made)

    def _made(self) -> Directory:
        neighbours = self._neighbours
        # Without the table nobody would say that another device has taken the address of a lease.
        blind = neighbours is not None and neighbours.failing
        leases = () if blind else [le for file in self._lease_files for le in file.leases]
        return Directory(
            Known(
                self._people,
                leases,
                neighbours.neighbours if neighbours is not None else (),
                self._bindings,
                (*self._sessions, *(self._session_file.sessions if self._session_file else ())),
                self._order,
                self._unread(),
            )
        )

    def _tell(self) -> None:
        faults = frozenset(self.faults)
        for fault in sorted(faults - self._told):
            self._on_fault(fault)
        self._told = faults
