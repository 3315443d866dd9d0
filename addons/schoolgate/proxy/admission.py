"""Finds out who asks, where mitmproxy reads the request; the gate does so for the tunnels it opens."""

from mitmproxy import http

from schoolgate.identity import Challenge
from schoolgate.proxy import lines, translate
from schoolgate.proxy.lines import Line
from schoolgate.services.callers import Asking, Caller, Callers

CREDENTIALS = "proxy-authorization"
# What tells a proxy who asks, and is none of the sites' business.
_TO_THE_PROXY = (CREDENTIALS, "x-forwarded-for", "forwarded")


class Admission:
    """Admits requests.

    Args:
        callers: what must be found out.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def known(self, flow: http.HTTPFlow) -> Caller | None:
        """Give who asks, or None where that must be found out."""
        line = lines.of(flow.client_conn)
        if line is not None and line.is_tunnel:
            return line.caller
        if self._callers.current.asks_nothing:
            return Caller(line.caller.address if line is not None else translate.address(flow))
        return None

    async def find_out(self, flow: http.HTTPFlow) -> Caller | Challenge:
        """Find out who sends the proxy a request, and take from it what says so.

        Whoever has signed in on a connection of their own stays who they are on it.
        """
        entry, connection, headers = self._callers.current, flow.client_conn, flow.request.headers
        line = lines.of(connection)
        # Whoever was announced by a load balancer is on the line.
        peer = line.caller.address if line is not None else translate.address(flow)
        before = line.caller.signed_in if line is not None else None
        asking = Asking(
            peer,
            headers.get_all(entry.header) if entry.header else (),
            headers.get_all(CREDENTIALS),
            connection.tls_established,
            before if self._callers.may_stay(before) else None,
        )
        for name in _TO_THE_PROXY:
            if name in headers:
                del headers[name]
        found = await entry.find_out(asking)
        if isinstance(found, Caller) and asking.credentials and not entry.is_shared(peer):
            lines.keep(connection, Line(found, is_tunnel=False))
        return found

    def asked_instead(self, flow: http.HTTPFlow, caller: Caller) -> Challenge | None:
        """Give how somebody who has not signed in is asked to, when something is refused to them."""
        line = lines.of(flow.client_conn)
        if line is not None and line.is_tunnel:
            # What asks in there is no browser's part that knows the proxy.
            return None
        over_tls = flow.client_conn.tls_established
        return self._callers.current.asked_instead(caller, over_tls=over_tls)

    def may_stay(self, caller: Caller) -> bool:
        """Ask whether a connection may go on as whose it is."""
        return self._callers.may_stay(caller.signed_in)
