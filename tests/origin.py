"""An origin on loopback that speaks HTTP/1.1, HTTP/2 and WebSocket, plain and over TLS."""

import asyncio
import datetime as dt
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypercorn.asyncio import serve
from hypercorn.config import Config

# Every name that a test sends to this origin; whether the proxy lets them is the test.
NAMES = (
    "origin.test",
    "www.bbc.co.uk",
    "www.bet365.com",
    "www.dropbox.com",
    "www.childline.org.uk",
    "www.khanacademy.org",
    "www.nordvpn.com",
    "www.ebay.co.uk",
    "www.facebook.com",
    "www.google.co.uk",
    "www.youtube.com",
    "www.qwant.com",
)

CHUNK = b"x" * 65_536


# Path and query as they were sent, and the headers.
type Head = tuple[bytes, bytes, dict[bytes, bytes]]


@dataclass
class Origin:
    """Where it listens and what it has seen."""

    http_port: int
    https_port: int
    ca_file: Path
    hosts: list[str] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    received: int = 0
    finished: list[str] = field(default_factory=list)


# For how long before and after now its certificates are good.
A_WEEK = dt.timedelta(days=7)


@contextmanager
def running(
    directory: Path, names: Sequence[str] = NAMES, valid: dt.timedelta = A_WEEK
) -> Iterator[Origin]:
    """Run it, with a certificate for some names, in a thread of its own."""
    ca_file, chain, key = certificates(directory, names, valid)
    config = Config()
    # They listen from now on: nobody takes their ports, and nobody has to wait for them.
    https, http = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    https_port, http_port = https.getsockname()[1], http.getsockname()[1]
    config.bind = [f"fd://{https.detach()}"]
    config.insecure_bind = [f"fd://{http.detach()}"]
    config.certfile, config.keyfile = str(chain), str(key)
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 0.1
    # A connection waits for as long as a test on a slow machine takes.
    config.keep_alive_timeout = 300
    config.websocket_max_message_size = 1 << 20
    origin = Origin(http_port, https_port, ca_file)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(
            serve(_application(origin), config, shutdown_trigger=stop.wait)
        ),
        daemon=True,
    )
    thread.start()
    try:
        yield origin
    finally:
        loop.call_soon_threadsafe(stop.set)
        # A loop that still turns cannot be closed.
        thread.join(60)
        loop.close()


def _application(origin: Origin) -> Callable[..., Awaitable[None]]:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        headers = dict(scope["headers"])
        origin.heads.append((scope["raw_path"], scope["query_string"], headers))
        origin.hosts.append(headers.get(b"host", b"").decode().partition(":")[0])
        if scope["type"] == "websocket":
            await _echo(receive, send)
            return
        while True:
            message = await receive()
            if message["type"] != "http.request":
                break
            origin.received += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await _answer(origin, scope, receive, send)

    return application


async def _answer(origin: Origin, scope: Any, receive: Any, send: Any) -> None:
    path = scope["path"]
    if path.startswith("/bytes/"):
        size = int(path.removeprefix("/bytes/"))
        headers = [(b"content-length", str(size).encode())]
        wanted = dict(parse_qsl(scope["query_string"])).get(b"type")
        headers += [(b"content-type", wanted)] if wanted else []
    elif path == "/endless":
        size, headers = 1 << 50, []
    else:
        body = f"origin says hello over HTTP/{scope['http_version']}".encode()
        if path == "/headers":
            body = b"\n".join(b"%s: %s" % pair for pair in scope["headers"])
        headers = [(b"content-type", b"text/plain"), (b"alt-svc", b'h3=":443"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while size > 0:
        chunk = CHUNK[: min(size, len(CHUNK))]
        size -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": size > 0})
        if path == "/endless" and await _gone(receive):
            break
    origin.finished.append(path)


async def _gone(receive: Any) -> bool:
    """Look for a short time whether the client has gone; the server takes what is sent all the same."""
    try:
        async with asyncio.timeout(0.02):
            message = await receive()
    except TimeoutError:
        return False
    return bool(message["type"] == "http.disconnect")


async def _echo(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": message.get("text")})


def certificates(
    directory: Path, names: Sequence[str] = NAMES, valid: dt.timedelta = A_WEEK
) -> tuple[Path, Path, Path]:
    """Make a CA and a certificate for all names, and give CA file, certificate and key."""
    ca_key, ca_certificate = issue("schoolgate test origin CA", None, None, valid=valid)
    key, certificate = issue("origin.test", ca_key, ca_certificate.subject, names, valid)
    paths = directory / "origin-ca.pem", directory / "origin.pem", directory / "origin.key"
    paths[0].write_bytes(ca_certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[2].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def issue(
    name: str,
    ca_key: ec.EllipticCurvePrivateKey | None,
    issuer: x509.Name | None,
    names: Sequence[str] = NAMES,
    valid: dt.timedelta = A_WEEK,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = ca_key or key
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - valid)
        .not_valid_after(now + valid)
        .add_extension(x509.BasicConstraints(ca=ca_key is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
    )
    if ca_key is None:
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    else:
        alternative = x509.SubjectAlternativeName([x509.DNSName(x) for x in (*names, "localhost")])
        builder = builder.add_extension(alternative, critical=False)
    return key, builder.sign(signer, hashes.SHA256())
