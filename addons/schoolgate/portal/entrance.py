"""Who asks the portal, and how: the gateway says so on a socket of its own, everybody else is their address.

What the gateway says stands in headers that count on that socket alone; on any other they are dropped,
so that nobody can say that they are somebody else.
"""

import socket
from collections.abc import Callable, Iterable
from typing import Any

from schoolgate.services import portal_headers

_SOCKET = "gunicorn.socket"

type Environ = dict[str, Any]
type Application = Callable[[Environ, Any], Iterable[bytes]]


def _key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


class Entrance:
    """Stands before the application and puts address and scheme where they belong (PEP 3333)."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start: Any) -> Iterable[bytes]:
        """Pass a request on."""
        client = environ.pop(_key(portal_headers.CLIENT), "")
        scheme = environ.pop(_key(portal_headers.SCHEME), "http")
        accepted = environ.get(_SOCKET)
        if accepted is not None and accepted.family == socket.AF_UNIX:
            environ["REMOTE_ADDR"] = client
            environ["wsgi.url_scheme"] = "https" if scheme == "https" else "http"
        return self._application(environ, start)
