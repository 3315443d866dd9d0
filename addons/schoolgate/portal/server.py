"""Serves the portal: gunicorn with one process and some threads, on sockets that listen already."""

import socket
from collections.abc import Callable, Sequence
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from schoolgate.portal.entrance import Application

_THREADS = 16
_OPTIONS: dict[str, Any] = {
    # One process: two sign-ins on one device must not pass each other (views/device).
    "workers": 1,
    "threads": _THREADS,
    "worker_class": "gthread",
    "timeout": 60,
    "graceful_timeout": 5,
    "keepalive": 5,
    "loglevel": "warning",
    "proc_name": "schoolgate portal",
    "forwarded_allow_ips": "",
    "forwarder_headers": "",
    "limit_request_fields": 60,
    "limit_request_field_size": 8190,
    "control_socket_disable": True,
}


class _Arbiter(Arbiter):
    """Leaves the sockets where they are at its end, as it does with those of systemd."""

    def __init__(self, app: BaseApplication) -> None:
        super().__init__(app)
        self.systemd = True


class PortalServer(BaseApplication):
    """Runs until SIGINT or SIGTERM.

    Args:
        make: makes the application, in the process that serves it.
        listeners: where it is asked.
    """

    def __init__(
        self,
        make: Callable[[], Application],
        listeners: Sequence[socket.socket],
    ) -> None:
        self._make = make
        # From here on they are gunicorn's.
        self._descriptors = [one.detach() for one in listeners]
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what it is to do."""
        for name, value in _OPTIONS.items():
            self.cfg.set(name, value)
        self.cfg.set("bind", [f"fd://{number}" for number in self._descriptors])

    def load(self) -> Application:
        """Make the application; called in the process that serves."""
        return self._make()

    def run(self) -> None:
        """Serve until told to end."""
        _Arbiter(self).run()
