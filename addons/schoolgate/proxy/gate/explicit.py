"""A connection of a client that knows that it speaks with a proxy."""

import socket
import time
from typing import TYPE_CHECKING

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import WebRequest
from schoolgate.core.policy.decision import SOCKS
from schoolgate.core.urls import Url
from schoolgate.identity import (
    MAX_ANNOUNCEMENT_BYTES,
    Challenge,
    NoAnnouncementError,
    read_announcement,
)
from schoolgate.proxy.admission import CREDENTIALS
from schoolgate.proxy.gate.heads import (
    MAX_HEAD_BYTES,
    Head,
    UnusualHeadError,
    plain_url,
    read_head,
)
from schoolgate.proxy.gate.refusals import NO_SOCKS
from schoolgate.proxy.gate.tunnel import ESTABLISHED, Tunnel
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.callers import Caller

if TYPE_CHECKING:
    from schoolgate.proxy.gate.gate import Gate


class Explicit(Tunnel):
    """A connection to the proxy's own port that the gate still looks at.

    Args:
        gate: whose it is.
        connection: non-blocking.
        address: whom it is from, normalised text; a load balancer's, maybe.
        deadline: monotonic seconds at which it is closed unless it gets on.
        is_handed: whether another worker gave it here.
    """

    __slots__ = ("_head", "_is_handed", "_peer")

    def __init__(
        self,
        gate: "Gate",
        connection: socket.socket,
        address: str,
        deadline: float,
        *,
        is_handed: bool = False,
    ) -> None:
        super().__init__(gate, connection, address, deadline)
        # Whom it is from, and (the caller) whose it is: they differ where a load balancer says so.
        self._peer = address
        self._head: Head | None = None
        self._is_handed = is_handed
        if gate.callers.current.announces(address):
            self._step = self._read_announcement

    # -- looking ------------------------------------------------------------------------------

    def _read_announcement(self) -> None:
        """Hear from a load balancer who comes; the worker whose client that is hears it anew."""
        data = self._glance.at(MAX_ANNOUNCEMENT_BYTES)
        if data is None:
            return
        try:
            found = read_announcement(data)
        except NoAnnouncementError:
            self.close()
            return
        if found is None:
            self._glance.wait_for_more(len(data))
            return
        self._glance.is_enough()
        client = found.client or self._peer
        if not self._is_handed and self._gate.give(self._connection, client):
            self._leave_here()
            return
        self._connection.recv(found.size)
        before, self._peer, self._caller = self._peer, client, Caller(client)
        if self._gate.is_now(before, client):
            self._step = self._read_head
            self._step()
        else:
            self.close()

    def _read_head(self) -> None:
        data = self._glance.at(MAX_HEAD_BYTES)
        if data is None:
            return
        if data[0] in NO_SOCKS:
            self._refuse_socks(NO_SOCKS[data[0]])
            return
        if self._gate.portal_door is not None and self._gate.portal_door.is_asked(data):
            self._lead_to_portal(tls=False)
            return
        try:
            head = read_head(data)
        except UnusualHeadError:
            self._hand_over()
            return
        if head is None:
            self._glance.wait_for_more(len(data))
            return
        self._glance.is_enough()
        if head.method == "CONNECT":
            self._asked_for_tunnel(head)
        elif self._gate.pac_door is not None and self._gate.pac_door.is_asked(head):
            self._give_pac(head)
        else:
            self._asked_for_page(head)

    def _refuse_socks(self, refusal: bytes) -> None:
        gate = self._gate
        engine, now, moment = gate.engines.current, gate.clock(), time.monotonic()
        client = gate.clients.at(self._peer, engine.policy)
        request = WebRequest(Url("socks", "", 0, ""), client, "CONNECT")
        gate.ended_early(Transaction(request, SOCKS, engine, now, 0, moment, moment))
        # What is left unread would turn the answer into a reset.
        self._connection.recv(MAX_HEAD_BYTES)
        self._out, self._step = refusal, self._send_last
        self._step()

    def _asked_for_page(self, head: Head) -> None:
        """Answer what is blocked; all else is mitmproxy's."""
        if not self._gate.callers.current.asks_nothing:
            asked = self._asked_at_once(head)
            if asked is None:
                self._hand_over()
            else:
                self._challenge(head, asked, head.size)
            return
        url = plain_url(head)
        if url is None:
            self._hand_over()
            return
        self._judge_page(head, url)

    def _asked_at_once(self, head: Head) -> Challenge | None:
        """Give how whoever says nothing is asked, on a connection that is one client's."""
        entry = self._gate.callers.current
        authentication = entry.authentication
        if authentication is None or CREDENTIALS in head.headers or entry.is_shared(self._peer):
            return None
        unsigned = authentication.unsigned(self._peer, over_tls=False)
        return unsigned if isinstance(unsigned, Challenge) else None

    # -- a tunnel -------------------------------------------------------------------------------

    def _asked_for_tunnel(self, head: Head) -> None:
        """Decide by the name whether it is carried, refused or read (RFC 9110, 9.3.6)."""
        raw, _, port_text = head.target.rpartition(":")
        try:
            host, port = normalise_host(raw), int(port_text)
        except (BadAddressError, ValueError):
            self._hand_over()
            return
        if not (0 < port < 65536 and port_text.isdigit()):
            self._hand_over()
            return
        if not self._is_handed and self._gate.hand_on(self._connection, self._peer, head):
            self._leave_here()
            return
        self._connection.recv(head.size)
        if self._gate.portal_door is not None and self._gate.portal_door.is_behind(host, port):
            self._asked_for_portal(head)
            return
        self._asked_for = host, port
        if self._gate.callers.current.asks_nothing:
            self._decide(head)
        else:
            self._find_out_who(head)

    def _asked_for_portal(self, head: Head) -> None:
        """Lead a tunnel to the portal, as its client's: within it no load balancer says anything."""
        before, self._caller = self._caller, Caller(self._gate.named(self._peer, head))
        if not self._gate.is_now(before.address, self._caller.address):
            self.close()
            return
        self._connection.send(ESTABLISHED + b"\r\n")
        self._lead_to_portal(tls=True)

    # -- who asks -------------------------------------------------------------------------------

    def _find_out_who(self, head: Head) -> None:
        """Hear the load balancer that a tunnel is asked for through, and have people sign in."""
        self._head = head
        self._step = self._spoke_too_early
        self._gate.put_off(self, self._gate.bounds.checking_seconds)
        self._gate.find_out(self._peer, head, self._found_out)

    def _found_out(self, found: Caller | Challenge) -> None:
        head, gate = self._head, self._gate
        if self._is_over or head is None:
            return
        self._head = None
        try:
            if isinstance(found, Challenge):
                self._challenge(head, found)
                return
            before, self._caller = self._caller, found
            if gate.is_now(before.address, found.address):
                self._decide(head)
            else:
                self.close()
        except OSError:
            self.close()
