"""The address that Prometheus and load balancers ask: `/metrics` and `/healthz`."""

import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# Between two turns.
_TURN_SECONDS = 0.2


class _Server(ThreadingMixIn, WSGIServer):
    """Serves on a socket that listens already, whoever else has it."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, turn: Callable[[], None]) -> None:
        host, port, *_ = listener.getsockname()
        super().__init__((host, port), _Quiet, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        # The library would ask the name service for this machine's name.
        self.server_name, self.server_port = host, port
        self.setup_environ()
        self._turn = turn

    def service_actions(self) -> None:
        self._turn()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: a scrape every few seconds is no news."""


class MetricsEndpoint:
    """Serves the metrics and the health from a thread of its own.

    Args:
        registry: the metrics.
        healthy: gives a sentence for each thing that is wrong; none when all is well.
        settle: called before metrics are shown, to wait for what is on its way to them.
        notes: gives sentences about what is wrong beside the filter; they leave the health as it is.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        healthy: Callable[[], list[str]],
        settle: Callable[[], None] = lambda: None,
        notes: Callable[[], list[str]] = list,
    ) -> None:
        self._metrics = make_wsgi_app(registry)
        self._healthy = healthy
        self._settle = settle
        self._notes = notes
        self._server: _Server | None = None

    def start(self, listener: socket.socket, turn: Callable[[], None] = lambda: None) -> None:
        """Serve.

        Args:
            listener: where, listening; is closed at the end.
            turn: called by the thread that accepts, a few times a second.
        """
        self._server = _Server(listener, turn)
        self._server.set_app(self._answer)
        threading.Thread(
            target=self._server.serve_forever, args=(_TURN_SECONDS,), name="metrics", daemon=True
        ).start()

    def stop(self) -> None:
        """Close the address."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/metrics":
            self._settle()
            return list(self._metrics(environ, start))
        if path == "/healthz":
            wrong = self._healthy()
            start("503 Service Unavailable" if wrong else "200 OK", list(_PLAIN))
            return ["\n".join([*(wrong or ["ok"]), *self._notes(), ""]).encode()]
        start("404 Not Found", list(_PLAIN))
        return [b"There is /metrics and /healthz.\n"]


# Copied for each answer: the server adds the length of that one to it.
_PLAIN = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
