"""A connection that was redirected here: its client believes that it speaks with the site itself.

Only a name says where it goes, in the ClientHello or in the Host header; what names nothing ends. The
address that the client connected to is its own choice and is never connected to: a device could send
the name of an allowed site to the address of another.
"""

import re
import socket
import time
from typing import TYPE_CHECKING

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import as_ip, normalise_host
from schoolgate.core.policy import Decision, TlsAction, WebRequest
from schoolgate.core.policy.decision import NO_WEB_TUNNEL
from schoolgate.core.urls import Url, parse_url
from schoolgate.proxy.gate.heads import MAX_HEAD_BYTES, Head, UnusualHeadError, read_head
from schoolgate.proxy.gate.hello import ClientHello
from schoolgate.proxy.gate.poller import IN_OR_END
from schoolgate.proxy.gate.tunnel import Tunnel
from schoolgate.proxy.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from schoolgate.proxy.gate.gate import Gate
    from schoolgate.proxy.gate.original import Place

_HANDSHAKE = b"\x16"
# A method and what follows it (RFC 9110, 9.1); the greeting of SSH begins with capitals, too.
_HTTP = re.compile(rb"[A-Z][A-Z-]*(?: |\Z)")
# RFC 9112, 3: two spaces and a version; what else begins like it is nobody's request.
_REQUEST_LINE = re.compile(rb"[A-Z-]+ [^\x00-\x20\x7f]+ HTTP/1\.[01]\r\n")
_HOST = re.compile(rb"\r\n(host[ \t]*):[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
_PORT = re.compile(r":[0-9]{0,5}\Z")


class Redirected(Tunnel):
    """A redirected connection that the gate still looks at.

    Args:
        gate: whose it is.
        connection: non-blocking.
        address: of the client, normalised text.
        deadline: monotonic seconds at which it is closed unless it gets on.
        original: where it was going; None where the packet filter has to be asked.
    """

    __slots__ = ("_original",)

    def __init__(
        self,
        gate: "Gate",
        connection: socket.socket,
        address: str,
        deadline: float,
        original: "Place | None" = None,
    ) -> None:
        super().__init__(gate, connection, address, deadline)
        self._original = original
        self._caller = gate.callers.current.unasked(address)

    # -- looking ------------------------------------------------------------------------------

    def _read_head(self) -> None:
        data = self._glance.at(MAX_HEAD_BYTES)
        if data is None:
            return
        if self._original is None:
            self._original = self._gate.original(self._connection)
        if data[:1] == _HANDSHAKE:
            self._step = self._read_hello_of_unknown
            self._step()
        elif _HTTP.match(data):
            self._read_request(data)
        else:
            self._end_recorded()

    def _read_request(self, data: bytes) -> None:
        if b"\r\n\r\n" not in data:
            if len(data) >= MAX_HEAD_BYTES:
                self._end_recorded()
            else:
                self._glance.wait_for_more(len(data))
            return
        host = named_host(data) if _REQUEST_LINE.match(data) else None
        if host is None:
            self._end_recorded()
            return
        assert self._original is not None
        self._target = host, self._original.port
        gate = self._gate
        if gate.portal_door is not None and host == gate.portal_door.host:
            self._lead_to_portal(tls=False)
            return
        try:
            head = read_head(data)
        except UnusualHeadError:
            head = None
        self._glance.is_enough()
        if head is not None and head.method == "CONNECT":
            self._end_recorded()
        elif head is not None and gate.pac_door is not None and gate.pac_door.is_asked(head, host):
            self._give_pac(head)
        else:
            self._judge_or_hand_over(head)

    def _judge_or_hand_over(self, head: Head | None) -> None:
        url = None if head is None else self._url(head)
        if head is None or url is None:
            self._hand_over()
        else:
            self._judge_page(head, url)

    def _url(self, head: Head) -> Url | None:
        host, port = self._target
        if not head.target.startswith("/") or "#" in head.target:
            return None
        # An address of IPv6 is in brackets already.
        try:
            return parse_url(f"http://{host}:{port}{head.target}")
        except BadAddressError:
            return None

    def _hand_over(self) -> None:
        if self._target[0]:
            self._target = self._target[0].strip("[]"), self._target[1]
            super()._hand_over()
        else:
            # Nothing says where it goes.
            self._end_recorded()

    # -- TLS ------------------------------------------------------------------------------------

    def _read_hello_of_unknown(self) -> None:
        """Decide by the name that the client says first."""
        assert self._original is not None
        if self._transaction is None:
            self._transaction = self._nowhere()
        name = self._hello_name()
        if name is None:
            return
        if not name or as_ip(name) is not None:
            self._end_recorded()
            return
        gate, port = self._gate, self._original.port
        if gate.portal_door is not None and gate.portal_door.is_behind(name, port):
            self._lead_to_portal(tls=True)
            return
        self._asked_for = name, port
        self._decide(None)

    def _is_closed_by_shape(self, hello: ClientHello, name: str) -> bool:
        """Judge it when the site is known; before that only its name is looked for."""
        return bool(self._target[0]) and super()._is_closed_by_shape(hello, name)

    def _establish(self, step: "Callable[[], None]") -> None:
        """Go on at once: nobody waits for a word that the tunnel stands."""
        self._step = step
        self._gate.put_off(self, self._gate.bounds.step_seconds)
        self._gate.poller.watch(self._connection.fileno(), IN_OR_END, self.ready)
        step()

    def _end_unreached(self) -> None:
        self.close()

    def _refuse_port(self, _head: Head | None, _decision: Decision) -> None:
        self._end_recorded()

    # -- refusing -------------------------------------------------------------------------------

    def _end_recorded(self) -> None:
        """Close it, and record it: there is no page to show, or nobody to sign it for."""
        transaction = self._decided_as(NO_WEB_TUNNEL)
        self.close()
        self._gate.refused(transaction)

    def _decided_as(self, decision: Decision) -> Transaction:
        if self._transaction is None:
            self._transaction = self._nowhere()
        return super()._decided_as(decision)

    def _nowhere(self) -> Transaction:
        """Make the transaction of what names no site, under the address that it was going to."""
        assert self._original is not None
        gate, caller = self._gate, self._caller
        engine = gate.engines.current
        client = gate.clients.at(caller.address, engine.policy, caller.signed_in)
        address, port = self._original
        host = f"[{address}]" if ":" in address else address
        request = WebRequest(Url("https", host, port, "/"), client, "CONNECT")
        moment = time.monotonic()
        return Transaction(
            request, NO_WEB_TUNNEL, engine, gate.clock(), 0, moment, moment,
            tls=TlsAction.REFUSE, signed_in=caller.signed_in,
        )  # fmt: skip


def named_host(data: bytes) -> str | None:
    """Give the host that the head of a request names, normalised; None where none or several are.

    Addresses are hosts too: what the policy says of them holds.
    """
    head = data[: data.index(b"\r\n\r\n") + 2]
    found = _HOST.findall(head)
    if len(found) != 1 or found[0][0].lower() != b"host":
        return None
    try:
        return normalise_host(_PORT.sub("", found[0][1].decode("ascii")))
    except (BadAddressError, UnicodeDecodeError):
        return None
