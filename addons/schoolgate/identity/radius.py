"""Listens for RADIUS accounting: who signed in to the WiFi (802.1X), with which device and address."""

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from threading import Thread

from schoolgate.core.errors import UnavailableError
from schoolgate.core.people import People, RadiusSettings
from schoolgate.core.prefixes import Prefixes, client_address, parsed_address
from schoolgate.identity.accounting import MAX_BYTES, BadDatagramError, Request, read_request
from schoolgate.identity.facts import Session
from schoolgate.identity.secrets import read_secret
from schoolgate.identity.sessions import Sessions

# A NAS asks again with the same identifier for some seconds (RFC 5080, 2.2.1).
_REPEATED_SECONDS = 30.0
_MAX_ANSWERS = 10_000
_TURN_SECONDS = 0.5
# So that whoever reads what is told can see that somebody still listens.
_TOLD_AGAIN_SECONDS = 60.0


@dataclass(slots=True)
class Heard:
    """What came, counted since the start: `repeated` were answered again, `refused` not at all."""

    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    full: int = 0


class Accountant:
    """What the listener does with a datagram, without the socket."""

    def __init__(self, clients: Prefixes[bytes], sessions: Sessions) -> None:
        """Believe the NASes of ``clients`` (network → shared secret)."""
        self._clients = clients
        self._sessions = sessions
        # Sender, port, identifier and authenticator → when answered, and how.
        self._answers: dict[tuple[str, int, int, bytes], tuple[float, bytes]] = {}
        self.heard = Heard()

    def answer(self, datagram: bytes, sender: str, port: int, at: float) -> bytes | None:
        """Record what a datagram reports and give the answer, or None: then nothing is sent.

        Args:
            datagram: as it came.
            sender: address that it came from.
            port: of the sender.
            at: seconds since 1970.
        """
        secret = self._clients.longest(parsed_address(sender))
        if secret is None:
            self.heard.refused += 1
            return None
        try:
            request = read_request(datagram, secret)
        except BadDatagramError:
            self.heard.refused += 1
            return None
        return self._answered(request, client_address(sender), port, at)

    def _answered(self, request: Request, sender: str, port: int, at: float) -> bytes | None:
        key = (sender, port, request.identifier, request.authenticator)
        before = self._answers.get(key)
        if before is not None and abs(at - before[0]) < _REPEATED_SECONDS:
            self.heard.repeated += 1
            return before[1]
        if not self._sessions.record(sender, request.event, at):
            self.heard.full += 1
            return None  # the NAS asks again, or another server
        self.heard.accepted += 1
        if len(self._answers) >= _MAX_ANSWERS:
            self._answers = {
                k: v for k, v in self._answers.items() if abs(at - v[0]) < _REPEATED_SECONDS
            }
        if len(self._answers) < _MAX_ANSWERS:
            self._answers[key] = (at, request.answer)
        return request.answer


class AccountingListener:
    """A daemon thread with the UDP socket; one for the whole gateway.

    Hand ``on_sessions`` what it should do with the sessions in force: write them for the workers
    (`session_file.write_sessions`) or put them into a `LiveDirectory`. It is called in the thread
    after a change, when one fell silent, each minute, and at most twice a second.
    """

    def __init__(
        self,
        people: People,
        radius: RadiusSettings,
        on_sessions: Callable[[tuple[Session, ...]], None],
        *,
        kept: tuple[Session, ...] = (),
        now: Callable[[], float] = time.time,
        on_fault: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the secrets; nothing is opened before `start`.

        Raises:
            UnavailableError: when a secret cannot be read, is empty or can be read by others.
        """
        self._sessions = Sessions(people, radius, kept)
        self._accountant = Accountant(_secrets(radius), self._sessions)
        self._radius = radius
        self._on_sessions = on_sessions
        self._on_fault = on_fault
        self._now = now
        self._told: tuple[Session, ...] | None = None
        self._told_at = 0.0
        self._stopping = Flag()
        self._thread: Thread | None = None
        self._socket: socket.socket | None = None

    @property
    def heard(self) -> Heard:
        """What came since the start, for metrics."""
        return self._accountant.heard

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before `start`."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    def start(self) -> None:
        """Open the port and begin to listen.

        Raises:
            UnavailableError: when the port cannot be opened.
        """
        host, _, port = self._radius.listen.rpartition(":")
        address = ipaddress.ip_address(host.strip("[]"))
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            opened.bind((str(address), int(port)))
        except OSError as error:
            opened.close()
            raise UnavailableError(
                f"RADIUS accounting cannot listen on {self._radius.listen}: {error.strerror}."
            ) from error
        opened.settimeout(_TURN_SECONDS)
        self._socket = opened
        self._stopping.clear()
        self._thread = Thread(target=self._run, args=(opened,), name="radius", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it, tell what it heard last, and close the port.

        In this order: whoever takes the port over begins with what was told.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            try:
                self._tell()
            except Exception as error:  # noqa: BLE001 - as in the loop
                self._on_fault(f"RADIUS accounting: {error!r}")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _run(self, opened: socket.socket) -> None:
        told_at = 0.0
        while not self._stopping.is_set():
            try:
                self._receive(opened)
                if not 0 <= time.monotonic() - told_at < _TURN_SECONDS:
                    told_at = time.monotonic()
                    self._tell()
            except Exception as error:  # noqa: BLE001 - a supervised loop outlives any failure
                with suppress(Exception):
                    self._on_fault(f"RADIUS accounting: {error!r}")
                self._stopping.wait(_TURN_SECONDS)

    def _receive(self, opened: socket.socket) -> None:
        try:
            datagram, (host, port, *_) = opened.recvfrom(MAX_BYTES + 1)
        except TimeoutError:
            return
        answer = self._accountant.answer(datagram, host, port, self._now())
        if answer is not None:
            with suppress(OSError):  # it asks again
                opened.sendto(answer, (host, port))

    def _tell(self) -> None:
        now = self._now()
        active = self._sessions.active(now)
        if active != self._told or not 0 <= now - self._told_at < _TOLD_AGAIN_SECONDS:
            self._on_sessions(active)
            self._told, self._told_at = active, now


def _secrets(radius: RadiusSettings) -> Prefixes[bytes]:
    read: Mapping[Path, bytes] = {file: read_secret(file) for _, file in radius.clients}
    return Prefixes((network, read[file]) for network, file in radius.clients)
