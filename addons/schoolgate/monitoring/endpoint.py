"""The address that Prometheus and load balancers ask: `/metrics` and `/healthz`."""

import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, as the library would."""
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), port
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: a scrape every few seconds is no news."""


class MetricsEndpoint:
    """Serves the metrics and the health from a thread of its own.

    Args:
        registry: the metrics.
        healthy: gives a sentence for each thing that is wrong; none when all is well.
    """

    def __init__(self, registry: CollectorRegistry, healthy: Callable[[], list[str]]) -> None:
        self._metrics = make_wsgi_app(registry)
        self._healthy = healthy
        self._server: WSGIServer | None = None

    def start(self, host: str, port: int) -> int:
        """Listen, and give the port (for a port of 0, the one that was free).

        Raises:
            OSError: when the address is in use or not ours.
        """
        self._server = make_server(
            host,
            port,
            self._answer,
            server_class=_Server6 if ":" in host else _Server,
            handler_class=_Quiet,
        )
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()
        return int(self._server.server_port)

    def stop(self) -> None:
        """Close the address."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/metrics":
            return list(self._metrics(environ, start))
        if path == "/healthz":
            wrong = self._healthy()
            start("503 Service Unavailable" if wrong else "200 OK", list(_PLAIN))
            return [("\n".join(wrong) or "ok").encode() + b"\n"]
        start("404 Not Found", list(_PLAIN))
        return [b"There is /metrics and /healthz.\n"]


# Copied for each answer: the server adds the length of that one to it.
_PLAIN = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
