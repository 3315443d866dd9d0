"""Our own mitmproxy master: a few of its addons and ours, closed when one of them fails."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mitmproxy import addonmanager, certs, exceptions, hooks, master, options
from mitmproxy.addons import disable_h2c, next_layer, proxyserver, tlsconfig
from mitmproxy.connection import Client
from mitmproxy.utils import asyncio_utils

from schoolgate.core.errors import UnavailableError
from schoolgate.proxy import limits
from schoolgate.proxy.guard import Guard

# The default of 100 is less than a page load of a school, and evicts in O(n).
CERTIFICATES_KEPT = 10_000


# What filtering needs of mitmproxy, whoever's master it is.
REQUIRED_OPTIONS: dict[str, Any] = {
    # A blocked site is never contacted.
    "connection_strategy": "lazy",
    # What is neither TLS nor HTTP cannot be judged.
    "rawtcp": False,
    "http3": False,
}


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """What mitmproxy is told.

    Attributes:
        listen_host: address to listen on.
        listen_port: 0 for one that is free.
        ca_dir: where key and certificate of the CA are.
        upstream_ca_bundle: the CAs that origins are checked against; None for the usual ones.
    """

    listen_host: str
    listen_port: int
    ca_dir: Path
    upstream_ca_bundle: Path | None = None


class ClosedAddonManager(addonmanager.AddonManager):
    """mitmproxy's own logs what an addon raises and lets the flow go on; this one closes."""

    def __init__(self, of: master.Master, guard: Guard) -> None:
        super().__init__(of)  # type: ignore[no-untyped-call]
        self._guard = guard

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Run a hook through the addons; the first that raises ends the flow."""
        for addon in self.chain:
            try:
                await self.invoke_addon(addon, event)
            except exceptions.AddonHalt:
                return
            except Exception as error:  # noqa: BLE001 - this is the boundary
                arguments = event.args()
                self._guard.close(event.name, arguments[0] if arguments else None, error)
                return


class ProxyMaster(master.Master):
    """A proxy of our own.

    Must be made inside a running event loop.
    """

    def __init__(self, proxy_options: ProxyOptions, guard: Guard, ours: Sequence[object]) -> None:
        limits.install()
        super().__init__(options.Options(), asyncio.get_running_loop())
        self.addons = ClosedAddonManager(self, guard)
        self._server = proxyserver.Proxyserver()
        certs.CertStore.STORE_CAP = CERTIFICATES_KEPT
        self.addons.add(  # type: ignore[no-untyped-call]
            self._server,
            disable_h2c.DisableH2C(),
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            *ours,
        )
        bundle = proxy_options.upstream_ca_bundle
        self.options.update(
            listen_host=proxy_options.listen_host,
            listen_port=proxy_options.listen_port,
            confdir=str(proxy_options.ca_dir),
            ssl_verify_upstream_trusted_ca=str(bundle) if bundle else None,
            **REQUIRED_OPTIONS,
        )

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[tuple[str, int]]:
        """Listen, give the address, and close everything at the end.

        Raises:
            UnavailableError: when the address is in use or not ours.
        """
        with (
            asyncio_utils.install_exception_handler(self._asyncio_exception_handler),
            asyncio_utils.set_eager_task_factory(),
        ):
            self.should_exit.clear()
            # It would log what is told here in one sentence.
            server_log = logging.getLogger(proxyserver.__name__)
            server_log.setLevel(logging.CRITICAL)
            await self._server.setup_servers()
            server_log.setLevel(logging.NOTSET)
            failure = next(
                (s.last_exception for s in self._server.servers if s.last_exception), None
            )
            if failure is not None:
                await self.done()
                address = f"{self.options.listen_host}:{self.options.listen_port}"
                raise UnavailableError(
                    f"The proxy cannot listen on {address}: {_os_reason(failure)}. "
                    "Stop what uses it, or set proxy.listen to another address."
                ) from failure
            try:
                await self.running()
                host, port, *_ = self._server.listen_addrs()[0]
                yield host, port
            finally:
                await self._close_connections()
                await self.done()

    def cut(self, client: Client) -> None:
        """Close a client's connection at once, with all that runs on it."""
        cut(self, client)

    async def _close_connections(self) -> None:
        for server in self._server.servers:
            if server.is_running:
                await server.stop()
        for handler in list(self._server.connections.values()):
            cut(self, handler.client)
        await asyncio.sleep(0)


def cut(of: master.Master, client: Client) -> None:
    """Close a client's connection at once, as mitmproxy does when one times out."""
    server = cast("Any", of.addons.get("proxyserver"))
    handler = server.connections.get(client.id)
    transport = handler.transports.get(client) if handler else None
    if transport is not None and transport.handler is not None:
        transport.handler.cancel("closed by the filter")


def _os_reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    number = getattr(cause, "errno", None)
    return os.strerror(number) if number and number > 0 else str(cause)
