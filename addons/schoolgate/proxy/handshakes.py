"""Handshakes with clients: counted, closed where one lies within another, looked at for pinned programs."""

import time

from mitmproxy import tls
from mitmproxy.proxy import layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import ServerTLSLayer

from schoolgate.core.canaries import is_canary
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import WebRequest
from schoolgate.core.policy.decision import TLS_IN_TLS
from schoolgate.core.urls import Url
from schoolgate.proxy import lines
from schoolgate.proxy.guard import Guard, guarded
from schoolgate.proxy.tools import Tools
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.callers import Caller

# How mitmproxy says that a client did not take a certificate, or went away when it saw it.
_DISTRUST = ("The client does not trust", "The client disconnected during the handshake")


class Handshakes:
    """The addon that sees every connection which is decrypted, before anything is asked on it."""

    def __init__(self, guard: Guard, tools: Tools) -> None:
        self.guard = guard
        self._tools = tools

    @guarded
    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Close TLS within TLS to a site: whatever is in there is for another."""
        if isinstance(nextlayer.layer, ServerTLSLayer) and any(
            isinstance(outer, ServerTLSLayer)
            for outer in nextlayer.context.layers
            if outer is not nextlayer.layer
        ):
            nextlayer.layer = None
            self._tools.cut(nextlayer.context.client)
            self._record_inner_tunnel(nextlayer.context)

    @guarded
    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Count a TLS connection; every one is decrypted."""
        who, host = self._client_of(data.context)
        if who.is_synthetic or is_canary(host):
            return
        self._tools.metrics.connections.labels(tls="decrypt").inc()

    @guarded
    def tls_established_client(self, data: tls.TlsData) -> None:
        """Note that a client takes the gateway's certificates."""
        who, _ = self._client_of(data.context)
        if not who.is_synthetic:
            self._tools.pinning.trusted(who)

    @guarded
    def tls_failed_client(self, data: tls.TlsData) -> None:
        """Note a handshake that failed after the certificate of an open site: a pinned program."""
        if not (data.conn.error or "").startswith(_DISTRUST):
            return
        who, host = self._client_of(data.context)
        tools, now = self._tools, self._tools.clock()
        if (
            host
            and not is_canary(host)
            and tools.engines.current.decide_host(host, who, now).decision.verdict.passes
        ):
            tools.pinning.refused(who, host, now.date())

    def _record_inner_tunnel(self, context: Context) -> None:
        """Write down TLS in TLS, by the site that was to carry it."""
        tools, engine = self._tools, self._tools.engines.current
        who, host = self._client_of(context)
        port = context.server.address[1] if context.server.address else 0
        request = WebRequest(Url("https", host, port, "/"), who, "CONNECT")
        moment = time.monotonic()
        transaction = Transaction(request, TLS_IN_TLS, engine, tools.clock(), 0, moment, moment)
        tools.recorder.decided(transaction)
        tools.recorder.tunnel_ended(transaction, 0)

    def _client_of(self, context: Context) -> tuple[Client, str]:
        """Give who is on a connection, and the host that it is for; "" where that is none."""
        tools, connection = self._tools, context.client
        line = lines.of(connection)
        caller = line.caller if line is not None else Caller(str(connection.peername[0]))
        who = tools.clients.at(caller.address, tools.engines.current.policy, caller.signed_in)
        address = context.server.address
        asked = connection.sni or (address[0] if address else "")
        try:
            return who, normalise_host(asked) if asked else ""
        except BadAddressError:
            return who, ""
