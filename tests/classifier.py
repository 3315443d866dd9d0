"""A program that judges pictures by what is written in them, with the faults that such programs have."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LEAST = b"\xff\xd8\xff" + b"." * 4096


def picture(answer: str) -> bytes:
    """Give what is taken for a picture, with what the program is to answer."""
    return LEAST + f"<{answer}>".encode()


@dataclass
class Classifier:
    """What it was asked.

    Attributes:
        port: where it listens.
        asked: header fields and body of each question.
        over: ends the answers that are slow or have no end.
    """

    port: int
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where pictures are posted."""
        return f"http://127.0.0.1:{self.port}/judge"


@contextmanager
def running() -> Iterator[Classifier]:
    """Run it on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    made = server.classifier = Classifier(server.server_address[1])  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.over.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers what stands in the picture; ``silent``, ``endless`` and ``gone`` are no answer."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer."""
        made: Classifier = self.server.classifier  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        made.asked.append((dict(self.headers), body))
        answer = body.rpartition(b"<")[2].rstrip(b">")
        if answer == b"gone":
            return
        if answer == b"silent":
            made.over.wait(60)
            return
        status, _, text = answer.rpartition(b"|")
        self.send_response(int(status or b"200"))
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(text)
        while answer == b"endless" and not made.over.wait(0.01):
            self.wfile.write(b"{" * 1000)
