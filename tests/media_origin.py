"""An origin of media: whole or in parts, in any encoding, in chunks of any size, and streams that go on."""

import gzip
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import brotli
import zstandard

ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
# Sent of what has no end before a test gives up.
_MOST_BYTES = 64 << 20


@dataclass
class MediaOrigin:
    """What it has, and what it was asked.

    Attributes:
        port: where it listens.
        bodies: path → body and type.
        folder: whose files it has, too.
        scheme: by which it is asked.
        asked: paths, in the order of the requests.
    """

    port: int
    bodies: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    folder: Path | None = None
    scheme: str = "http"
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, host: str = "video.test") -> str:
        """Give the address of something."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    def found(self, path: str) -> tuple[bytes, str] | None:
        """Give what stands at a path."""
        if path in self.bodies:
            return self.bodies[path]
        file = self.folder / path.lstrip("/") if self.folder else None
        if file is None or not file.is_file():
            return None
        return file.read_bytes(), _TYPES.get(file.suffix, "application/octet-stream")


_TYPES = {
    ".html": "text/html", ".js": "text/javascript", ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml", ".mp4": "video/mp4", ".m4s": "video/iso.segment", ".ts": "video/mp2t",
    ".webm": "video/webm", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".flac": "audio/flac",
}  # fmt: skip


@contextmanager
def running(
    folder: Path | None = None, certificate: tuple[Path, Path] | None = None
) -> Iterator[MediaOrigin]:
    """Run it on a free port of this machine; with a certificate and its key, over TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    origin = server.origin = MediaOrigin(server.server_address[1], folder=folder)  # type: ignore[attr-defined]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # In the thread of the connection, and not in the one that accepts.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        origin.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


class _Handler(BaseHTTPRequestHandler):
    """Answers as the query says: ``as``, ``by`` bytes a chunk, ``type``, ``save``, ``endless``, ``to``,
    ``status``."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer with a head alone."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer."""
        origin: MediaOrigin = self.server.origin  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        origin.asked.append(parts.path)
        how = {key: values[0] for key, values in parse_qs(parts.query).items()}
        found = origin.found(parts.path)
        try:
            if found is None:
                self._send(404, b"nothing here", "text/plain", {})
            elif "endless" in how:
                self._endless(found[0], how.get("type", found[1]))
            else:
                self._found(*found, how)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _found(self, body: bytes, content_type: str, how: dict[str, str]) -> None:
        headers: dict[str, str] = {"Access-Control-Allow-Origin": "*"}
        if "to" in how:
            self._send(302, b"", content_type, {"Location": how["to"]})
            return
        if "save" in how:
            headers["Content-Disposition"] = f'attachment; filename="{how["save"]}"'
        if encoding := how.get("as"):
            body = ENCODERS[encoding](body)
            headers["Content-Encoding"] = encoding
        status, content_type = 200, how.get("type", content_type)
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and not encoding:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first or 0), min(int(last or len(body)), len(body) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
            body, status = body[start : end + 1], 206
        status = int(how.get("status", status))
        headers["Accept-Ranges"] = "bytes"
        self._send(status, body, content_type, headers, int(how.get("by", 0)))

    def _send(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str], by: int = 0
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header(
            *(("Transfer-Encoding", "chunked") if by else ("Content-Length", str(len(body))))
        )
        self.end_headers()
        if self.command == "HEAD":
            return
        if not by:
            self.wfile.write(body)
            return
        for at in range(0, len(body), by):
            piece = body[at : at + by]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if by < 100:
                # A packet of its own.
                self.wfile.flush()
                time.sleep(0.002)
        self.wfile.write(b"0\r\n\r\n")

    def _endless(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        if content_type.endswith("mpeg"):
            self.send_header("icy-name", "A station")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for _ in range(_MOST_BYTES // len(body)):
            self.wfile.write(body)
