"""Brings each message from outside to the tunnel of its device, and what tunnels say back to it.

mitmproxy_rs knows whose key a packet came under and does not tell, and takes devices only when it
starts. So each device has an end of its own, and here they are told apart, as a switch would: by the key
that the first message of a handshake proves, and then by the numbers of sessions, which are made anew here
since every end counts its own from 0.
"""

import base64
import logging
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from schoolgate.wireguard import messages
from schoolgate.wireguard.messages import Reader
from schoolgate.wireguard.peers import Peer
from schoolgate.wireguard.seen import Sight
from schoolgate.wireguard.tunnel import SESSIONS, Tunnel

logger = logging.getLogger(__name__)

_LONGEST = 65_535
# In one turn, so that one socket does not keep the others waiting.
_AT_ONCE = 64
# A key is used for three minutes (REJECT_AFTER_TIME).
_SESSION_SECONDS = 180.0
_IDLE_SECONDS = 600.0
# First messages that are looked into: each costs some 200 µs.
_INITIATIONS_A_SECOND = 100.0
_INITIATIONS_AT_ONCE = 200.0


class _Session(NamedTuple):
    tunnel: Tunnel
    number: bytes
    until: float


class Switch:
    """The way in from outside; used by one event loop.

    Args:
        private_key: the gateway's.
        make: makes the tunnel of a device; it is to call back when it has something to send.
        refused: told of each first message that leads nowhere, by its kind.
        now: seconds since 1970.
        monotonic: seconds.
    """

    def __init__(
        self,
        private_key: str,
        make: Callable[[Peer, Callable[[Tunnel], None]], Tunnel],
        refused: Callable[[str], None],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = Reader(base64.b64decode(private_key))
        self._make = make
        self._refused = refused
        self._now = now
        self._monotonic = monotonic
        self._tunnels: dict[bytes, Tunnel] = {}
        self._sessions: dict[bytes, _Session] = {}
        self._tokens = _INITIATIONS_AT_ONCE
        self._tokens_at = monotonic()

    # -- devices --------------------------------------------------------------------------------

    def put(self, peers: Iterable[Peer]) -> None:
        """Put other devices in force: whoever is no more among them, or has another key, is cut off."""
        wanted = {base64.b64decode(peer.public_key): peer for peer in peers}
        for key, tunnel in list(self._tunnels.items()):
            peer = wanted.pop(key, None)
            if peer is not None and (peer.name, peer.addresses) == (
                tunnel.peer.name,
                tunnel.peer.addresses,
            ):
                continue
            self._forget(tunnel)
            tunnel.end()
            del self._tunnels[key]
            if peer is not None:
                wanted[key] = peer
        for key, peer in wanted.items():
            self._tunnels[key] = self._make(peer, self.from_inside)

    def close(self) -> None:
        """End all tunnels."""
        self.put(())

    def sights(self) -> dict[str, Sight]:
        """Give what is known of each device that was heard of, by its public key."""
        return {
            tunnel.peer.public_key: tunnel.sight
            for tunnel in self._tunnels.values()
            if tunnel.sight.packet
        }

    def knows(self, public_key: str) -> bool:
        """Ask whether a key is a device's."""
        return base64.b64decode(public_key) in self._tunnels

    @property
    def open_tunnels(self) -> int:
        """How many devices have an end of their own at this moment."""
        return sum(tunnel.inner is not None for tunnel in self._tunnels.values())

    def tidy(self) -> None:
        """Let go of ends that nobody uses, and of sessions that are over; to be called now and then."""
        moment = self._monotonic()
        for tunnel in self._tunnels.values():
            is_idle = moment - tunnel.idle_since > _IDLE_SECONDS
            if tunnel.inner is not None and is_idle and not len(tunnel.streams):
                self._forget(tunnel)
                tunnel.close()
        for index in [i for i, session in self._sessions.items() if session.until < moment]:
            session = self._sessions.pop(index)
            session.tunnel.indices.remove(index)

    def _forget(self, tunnel: Tunnel) -> None:
        for index in tunnel.indices:
            del self._sessions[index]
        tunnel.indices.clear()

    # -- from outside ---------------------------------------------------------------------------

    def from_outside(self, outer: socket.socket) -> None:
        """Take what has come on a socket."""
        for _ in range(_AT_ONCE):
            try:
                message, place = outer.recvfrom(_LONGEST)
            except OSError:
                # Nothing more; or somebody who was sent something is not there.
                return
            self._take(message, outer, place)

    def _take(self, message: bytes, outer: socket.socket, place: Any) -> None:
        if message[:4] == messages.DATA and len(message) >= messages.SHORTEST_DATA:
            session = self._sessions.get(messages.index_of(message))
            if session is not None and self._monotonic() <= session.until:
                self._noted(session.tunnel, outer, place, len(message))
                session.tunnel.send(messages.with_index(message, session.number))
        elif self._reader.is_meant(message):
            self._initiated(message, outer, place)

    def _initiated(self, message: bytes, outer: socket.socket, place: Any) -> None:
        if not self._may_look():
            self._refused("flood")
            return
        found = self._reader.initiation(message)
        tunnel = self._tunnels.get(found.public_key) if found is not None else None
        if found is None or tunnel is None:
            self._refused("unknown")
        elif found.moment <= tunnel.moment:
            self._refused("replayed")
        else:
            tunnel.moment = found.moment
            self._noted(tunnel, outer, place, len(message))
            tunnel.initiated(message)

    def _may_look(self) -> bool:
        moment = self._monotonic()
        gained = (moment - self._tokens_at) * _INITIATIONS_A_SECOND
        self._tokens = min(_INITIATIONS_AT_ONCE, self._tokens + gained)
        self._tokens_at = moment
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _noted(self, tunnel: Tunnel, outer: socket.socket, place: Any, size: int) -> None:
        tunnel.where = outer, place
        tunnel.idle_since = self._monotonic()
        sight = tunnel.sight
        tunnel.sight = replace(sight, packet=self._now(), received=sight.received + size)

    # -- from inside ----------------------------------------------------------------------------

    def from_inside(self, tunnel: Tunnel) -> None:
        """Send what the end of a tunnel says to its device."""
        for _ in range(_AT_ONCE):
            if tunnel.inner is None:
                return
            try:
                message = tunnel.inner.recv(_LONGEST)
            except BlockingIOError:
                return
            except OSError:
                # The end is gone.
                tunnel.close()
                return
            if message[:4] == messages.RESPONSE:
                message = self._answered(tunnel, message)
            elif message[:4] not in (messages.DATA, messages.COOKIE):
                continue
            self._send(tunnel, message)

    def _answered(self, tunnel: Tunnel, message: bytes) -> bytes:
        """Number a new session, whose number nobody outside can guess."""
        index = secrets.token_bytes(4)
        while index in self._sessions:
            index = secrets.token_bytes(4)
        until = self._monotonic() + _SESSION_SECONDS
        self._sessions[index] = _Session(tunnel, messages.index_of(message), until)
        tunnel.indices.append(index)
        if len(tunnel.indices) > SESSIONS:
            del self._sessions[tunnel.indices.pop(0)]
        tunnel.sight = replace(tunnel.sight, handshake=self._now())
        return messages.response_with_index(message, index, tunnel.mac_key)

    def _send(self, tunnel: Tunnel, message: bytes) -> None:
        if tunnel.where is None:
            return
        outer, place = tunnel.where
        try:
            outer.sendto(message, place)
        except OSError as error:
            logger.debug("Nothing can be sent to %s: %s", tunnel.peer.name, error)
            return
        tunnel.sight = replace(tunnel.sight, sent=tunnel.sight.sent + len(message))
