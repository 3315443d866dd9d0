"""A publisher of lists on loopback: whatever a test wants it to answer, and what it was asked."""

import gzip
import hashlib
import io
import ssl
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

# Answers one request by itself.
type Answer = Callable[["Handler"], None]


@dataclass
class Publisher:
    """What is published: path → text, or how it is answered."""

    base: str
    lists: dict[str, bytes | Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> list[str]:
        """Give the paths that were asked for."""
        return [path for path, _ in self.asked]


class Handler(BaseHTTPRequestHandler):
    """Answers from the publisher's lists."""

    protocol_version = "HTTP/1.1"
    publisher: Publisher

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.publisher.asked.append((path, dict(self.headers.items())))
        content = self.publisher.lists.get(path)
        if content is None:
            self.say(404, b"")
        elif callable(content):
            content(self)
        else:
            self.with_etag(content)

    def with_etag(self, content: bytes) -> None:
        """Answer with a text, or that it is the one that the client has."""
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self.say(304, b"", {"ETag": etag})
        else:
            self.say(200, content, {"ETag": etag, "Content-Type": "text/plain"})

    def say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self, length: int | None = None) -> None:
        """Begin an answer whose body follows; without a length it ends with the connection."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def publishing(pair: tuple[Path, Path] | None = None) -> Iterator[Publisher]:
    """Publish until the end of the block; over TLS with a certificate and its key."""

    class Bound(Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    server.daemon_threads = True
    scheme = "http"
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    name = "127.0.0.1" if pair is None else "localhost"
    Bound.publisher = Publisher(f"{scheme}://{name}:{server.server_address[1]}/")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Bound.publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def failing(
    status: int, times: int, content: bytes, headers: dict[str, str] | None = None
) -> Answer:
    """Fail so many times, then answer."""
    left = [times]

    def answer(handler: Handler) -> None:
        left[0] -= 1
        if left[0] >= 0:
            handler.say(status, b"", headers)
        else:
            handler.with_etag(content)

    return answer


def redirecting(address: str) -> Answer:
    """Lead elsewhere."""
    return lambda handler: handler.say(302, b"", {"Location": address})


def cut_off(content: bytes) -> Answer:
    """Announce twice as much as comes."""

    def answer(handler: Handler) -> None:
        handler.begin(2 * len(content))
        handler.wfile.write(content)

    return answer


def zeros() -> Answer:
    """Send zeros without an end."""

    def answer(handler: Handler) -> None:
        handler.begin()
        try:
            while True:
                handler.wfile.write(bytes(1 << 20))
        except OSError:
            return

    return answer


def page() -> Answer:
    """Send a page in a list's place."""
    return lambda handler: handler.say(
        200, b"<!DOCTYPE html><html>Sign in</html>", {"Content-Type": "text/html; charset=utf-8"}
    )


def packed(content: bytes) -> Answer:
    """Send a text that is packed for the way."""
    return lambda handler: handler.say(
        200,
        gzip.compress(content, mtime=0),
        {"Content-Encoding": "gzip", "Content-Type": "text/plain"},
    )


def tarball(category: str, **files: bytes) -> bytes:
    """Give a folder of UT1's, packed."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{category}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def register(base: str, **feeds: dict[str, object]) -> str:
    """Give a register of feeds; of each list only what is special about it is said."""
    every = {
        name: {
            "title": name.capitalize(),
            "home": base,
            "licence": {"name": "none", "redistribution": True, "commercial": True},
            "format": "plain",
            "every_hours": 24,
            "on": True,
            "base": base,
            **feed,
        }
        for name, feed in feeds.items()
    }
    return yaml.safe_dump({"feeds": every}, sort_keys=False)


def listed(file: str, category: str | None = "gambling", **keys: object) -> dict[str, object]:
    """Give a list of a feed."""
    said = {"file": file, "least": 1, "greatest": 100_000, **keys}
    return {**said, "category": category} if category else said
