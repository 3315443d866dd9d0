"""Receivers for tests: what takes logs by HTTP, and what came."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Came:
    """What came.

    Attributes:
        port: where.
        status: the answer to the next requests.
        bodies: of the requests that were taken.
        headers: of all requests.
    """

    port: int = 0
    status: int = 204
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def lines(self) -> list[dict[str, Any]]:
        """Give the lines that Loki was given."""
        return [
            json.loads(value[1])
            for body in self.bodies
            for stream in body["streams"]
            for value in stream["values"]
        ]


@contextmanager
def http_receiver(came: Came) -> Iterator[str]:
    """Run a server that takes posts; give its address."""

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            came.headers.append(dict(self.headers))
            if came.status < 300:
                came.bodies.append(json.loads(gzip.decompress(data)))
            self.send_response(came.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", came.port), Takes) as server:
        server.daemon_threads = True
        came.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{came.port}"
        server.shutdown()
        thread.join()
