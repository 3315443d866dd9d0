"""The tunnel of one device: an end of its own, which knows no other key than the device's."""

import asyncio
import base64
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any

from mitmproxy_rs import wireguard

from schoolgate.wireguard.messages import mac_key
from schoolgate.wireguard.peers import Peer
from schoolgate.wireguard.seen import Sight
from schoolgate.wireguard.streams import Streams, Surroundings

logger = logging.getLogger(__name__)

# From its tenth handshake on, an end asks each device to prove its address first, which takes it five
# seconds: nothing ever tells it that time has passed.
_HANDSHAKES_OF_AN_END = 8
# What one end of mitmproxy_rs calls its sessions others call theirs, too; so much is kept of each.
SESSIONS = 8

type Where = tuple[socket.socket, Any]


class Tunnel:
    """A device's tunnel.

    Args:
        peer: the device.
        private_key: the gateway's.
        around: where the device's connections go.
        heard: called when its end has something to send to the device.
    """

    def __init__(
        self,
        peer: Peer,
        private_key: str,
        around: Surroundings,
        heard: Callable[["Tunnel"], None],
    ) -> None:
        self.peer = peer
        self.mac_key = mac_key(base64.b64decode(peer.public_key))
        # The newest moment that the device has proved itself at, by its own clock.
        self.moment = b""
        # Where it last was.
        self.where: Where | None = None
        self.sight = Sight()
        # Numbers of its sessions, the oldest first.
        self.indices: list[bytes] = []
        self.inner: socket.socket | None = None
        self.idle_since = 0.0
        self._private_key = private_key
        self._around = around
        self._heard = heard
        self._server: wireguard.WireGuardServer | None = None
        self._handshakes = 0
        self._starting: asyncio.Task[None] | None = None
        self._first = b""
        self.streams = Streams(peer, around, self.close)

    def initiated(self, message: bytes) -> None:
        """Hand on the first message of a handshake; an end is made where there is none."""
        self._first = message
        is_worn = self._handshakes >= _HANDSHAKES_OF_AN_END and not len(self.streams)
        if self.inner is None or is_worn:
            if self._starting is None:
                self.close()
                self._starting = asyncio.ensure_future(self._start())
        else:
            self._handshakes += 1
            self.send(message)

    def send(self, message: bytes) -> None:
        """Hand on what the device has sent."""
        if self.inner is None:
            return
        try:
            self.inner.send(message)
        except BlockingIOError:
            # As any line that is full.
            pass
        except OSError:
            # The end is gone.
            self.close()

    def close(self) -> None:
        """End it, and everything in it; the device may begin a new handshake."""
        self.streams.close()
        if self.inner is not None:
            asyncio.get_running_loop().remove_reader(self.inner)
            self.inner.close()
            self.inner = None
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.close()
            self._server = None
        self._handshakes = 0

    def end(self) -> None:
        """End it for good."""
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        self.close()

    async def _start(self) -> None:
        try:
            streams = self.streams = Streams(self.peer, self._around, self.close)
            server = await wireguard.start_wireguard_server(
                "127.0.0.1", 0, self._private_key, [self.peer.public_key], streams.tcp, streams.udp
            )  # fmt: skip
            self._server = server
            inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            inner.setblocking(False)
            self.inner = inner
            inner.connect(server.getsockname())
            asyncio.get_running_loop().add_reader(inner, self._heard, self)
            self._handshakes = 1
            self.send(self._first)
        except Exception:  # the device tries again every five seconds
            logger.exception("The tunnel of %s cannot be opened.", self.peer.name)
            self.close()
        finally:
            self._starting = None
