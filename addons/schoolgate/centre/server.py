"""Serves gateways: gunicorn with some threads, over TLS that asks for a certificate and needs none."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from schoolgate.centre.application import Application, Environment

_THREADS = 32


class CentreServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Runs until SIGINT or SIGTERM.

    Args:
        make: makes the application, in the process that serves it.
        listen: host and port.
        identity: key and certificate of the server.
        authority: certificate of the authority that gateways' are by.
    """

    def __init__(
        self, make: Callable[[], Application], listen: str, identity: Path, authority: Path
    ) -> None:
        self._make = make
        self._options: dict[str, Any] = {
            "bind": [listen],
            "workers": 1,
            "threads": _THREADS,
            "worker_class": "gthread",
            "timeout": 60,
            "graceful_timeout": 5,
            "keepalive": 5,
            "loglevel": "warning",
            "proc_name": "schoolgate centre",
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "limit_request_fields": 30,
            "limit_request_field_size": 4096,
            "control_socket_disable": True,
            "keyfile": str(identity),
            "certfile": str(identity),
            "ca_certs": str(authority),
            "cert_reqs": ssl.CERT_OPTIONAL,
            "ssl_context": _context,
        }
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what it is to do."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Application:
        """Make the application; called in the process that serves."""
        return self._make()


def peer_of(environment: Environment) -> bytes | None:
    """Give the certificate that the client has shown and TLS has verified."""
    shown: bytes | None = environment["gunicorn.socket"].getpeercert(binary_form=True)
    return shown


def _context(_config: object, usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = usual()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
