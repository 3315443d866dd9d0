"""Our own mitmproxy master: a few of its addons and ours, closed when one of them fails."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from mitmproxy import certs, master, options
from mitmproxy.addons import disable_h2c, next_layer, proxyserver, tlsconfig
from mitmproxy.connection import Client
from mitmproxy.proxy import layer
from mitmproxy.utils import asyncio_utils

from schoolgate.core.hosts import as_ip
from schoolgate.proxy import economies, limits, lines
from schoolgate.proxy.filter import REFUSED_PORTS
from schoolgate.proxy.guard import Guard
from schoolgate.proxy.handler import Handler, client_of
from schoolgate.proxy.hooks import ClosedAddonManager
from schoolgate.proxy.lines import Line
from schoolgate.services.callers import Caller

# The default of 100 is less than a page load of a school, and evicts in O(n).
CERTIFICATES_KEPT = 10_000


# What does not close by itself is left behind.
CLOSING_SECONDS = 5.0

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
        ca_dir: where key and certificate of the CA are.
        upstream_ca_bundle: the CAs that origins are checked against; None for the usual ones.
    """

    ca_dir: Path
    upstream_ca_bundle: Path | None = None


class ProxyMaster(master.Master):
    """A proxy of our own, which is handed connections and accepts none itself.

    Must be made inside a running event loop.

    Args:
        proxy_options: what mitmproxy is told.
        guard: closes when an addon raises.
        ours: the addons.
        more: other options by mitmproxy's names; none can undo `REQUIRED_OPTIONS`.
    """

    def __init__(
        self,
        proxy_options: ProxyOptions,
        guard: Guard,
        ours: Sequence[object],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        limits.install()
        economies.install()
        economies.keep_memory()
        super().__init__(options.Options(), asyncio.get_running_loop())
        self.addons = ClosedAddonManager(self, guard)
        # Never told to listen: it holds the options and the table of open connections.
        self._server = proxyserver.Proxyserver()
        self._taken: set[asyncio.Task[None]] = set()
        self._tls = tlsconfig.TlsConfig()
        certs.CertStore.STORE_CAP = CERTIFICATES_KEPT
        self.addons.add(
            self._server,
            disable_h2c.DisableH2C(),
            TlsOrHttp(),
            self._tls,
            *ours,
        )
        bundle = proxy_options.upstream_ca_bundle
        self.options.update(
            confdir=str(proxy_options.ca_dir),
            ssl_verify_upstream_trusted_ca=str(bundle) if bundle else None,
            **{**(more or {}), **REQUIRED_OPTIONS},
        )
        economies.settle(self.options)

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Be ready for connections, and close every one at the end."""
        with (
            asyncio_utils.install_exception_handler(self._asyncio_exception_handler),
            asyncio_utils.set_eager_task_factory(),
        ):
            self.should_exit.clear()
            try:
                await self.running()
                yield
            finally:
                await self._close_connections()
                await self.done()

    def take(
        self,
        connection: socket.socket,
        destination: tuple[str, int] | None = None,
        caller: Caller | None = None,
        already: bytes = b"",
    ) -> asyncio.Future[None]:
        """Speak with a client from here on; the socket belongs to the proxy now.

        A destination where only names are asked for is closed: whoever answered a CONNECT to it
        should have refused it.

        Args:
            connection: accepted, connected and non-blocking.
            destination: where the client believes it is connected to, after a CONNECT that was
                answered or in transparent mode; None for a client that speaks to a proxy.
            caller: who asked for the destination; without it whoever is at the client's address.
            already: what was read from it and not answered.

        Returns:
            What is done when the connection is closed.
        """
        if destination is not None and destination[1] in REFUSED_PORTS:
            connection.close()
            gone = asyncio.get_running_loop().create_future()
            gone.set_result(None)
            return gone
        task = asyncio.ensure_future(self._serve(connection, destination, caller, already))
        if not task.done():
            self._taken.add(task)
            task.add_done_callback(self._taken.discard)
        return task

    def leaf(self, name: str) -> bytes:
        """Give certificate and key with which the gateway speaks in a site's place, in PEM form."""
        address = as_ip(name)
        subject = x509.IPAddress(address) if address else x509.DNSName(name)
        entry = self._tls.certstore.get_cert(name, [subject])
        key = entry.privatekey.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return entry.cert.to_pem() + key

    def sign_with(self, signer: certs.CertStore) -> None:
        """Make the next certificates with another CA; what is open goes on with those it has."""
        self._tls.certstore = signer
        economies.forget_crl_path(self._tls)

    def cut(self, client: Client) -> None:
        """Close a client's connection at once, with all that runs on it."""
        cut(self, client)

    async def _serve(
        self,
        connection: socket.socket,
        destination: tuple[str, int] | None,
        caller: Caller | None,
        already: bytes,
    ) -> None:
        try:
            handler = Handler(self, client_of(connection), self.options)
        except OSError:
            # It has gone again meanwhile.
            connection.close()
            return
        if destination is not None:
            client = handler.client
            who = caller or Caller(str(client.peername[0]))
            lines.keep(client, Line(who, is_tunnel=True))
        elif caller is not None:
            lines.keep(handler.client, Line(caller, is_tunnel=False))
        with (
            contextlib.suppress(OSError),
            self._server.register_connection(handler.client.id, handler),
        ):
            await handler.run(connection, destination, already)

    async def _close_connections(self) -> None:
        for handler in list(self._server.connections.values()):
            cut(self, handler.client)
        if self._taken:
            await asyncio.wait(list(self._taken), timeout=CLOSING_SECONDS)


def read_signer(ca_dir: Path) -> certs.CertStore:
    """Read the CA that signs, for `ProxyMaster.sign_with`; waits for the disk.

    Raises:
        OSError, ValueError: when it cannot be read, or is none.
    """
    # Not `from_store`, which makes a CA of mitmproxy's own where there is none.
    return certs.CertStore.from_files(
        ca_dir / f"{options.CONF_BASENAME}-ca.pem",
        ca_dir / f"{options.CONF_BASENAME}-dhparam.pem",
    )


class TlsOrHttp(next_layer.NextLayer):
    """mitmproxy's own choice of protocols without DNS, which no policy here could judge."""

    name = "nextlayer"

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Choose TLS or HTTP.

        Raises:
            ValueError: where it would be anything else.
        """
        address = nextlayer.context.server.address
        if address is not None and address[1] in REFUSED_PORTS:
            raise ValueError(f"port {address[1]} is for names")
        super().next_layer(nextlayer)


def cut(of: master.Master, client: Client) -> None:
    """Close a client's connection at once, with all that runs on it."""
    server: Any = of.addons.get("proxyserver")
    handler = server.connections.get(client.id)
    if handler is not None:
        handler.cut()
