"""Where the soak plays: two origins on loopback, a gateway with the full policy, many clients."""

import itertools
import os
import random
import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gateway import origin as files
from benchmarks.gateway.processes import cores
from tests import gateway, origin
from tests.gateway import Gateway

# Of categories whose name is all that must be known.
PASSED = ("www.barclays.co.uk", "www.khanacademy.org")
# More names than any cache of contexts or answers may keep, so that they fill and turn over.
READ = tuple(f"s{number}.soak.example" for number in range(400))
BLOCKED = tuple(f"w{number}.bet365.com" for number in range(700))
TALKS = "origin.test"
CLIENTS = tuple(f"127.{net}.0.{host}" for net in range(2, 7) for host in range(1, 61))

SMALL = files.path(1_000)
LARGE = files.path(100_000)
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Site:
    """A host at an origin."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """Give host and port."""
        return f"{self.host}:{self.port}"


@dataclass
class Stage:
    """What the clients of a soak know.

    Attributes:
        gate: the gateway.
        files: nginx, for files.
        talks: the origin that takes bodies and speaks WebSocket and HTTP/2.
        trusting: a client's TLS context that trusts the gateway and the origins.
        only_http2: the same, offering HTTP/2 alone.
        doubting: one that trusts the origins alone.
    """

    gate: Gateway
    files: files.Origin
    talks: origin.Origin
    trusting: ssl.SSLContext
    only_http2: ssl.SSLContext
    doubting: ssl.SSLContext
    _clients: Iterator[str] = field(default_factory=lambda: itertools.cycle(CLIENTS))

    def passed(self) -> Site:
        """Give a host that is carried unread."""
        return Site(random.choice(PASSED), self.files.tls_port)

    def read(self) -> Site:
        """Give a host that is decrypted."""
        return Site(random.choice(READ), self.files.tls_port)

    def blocked(self) -> Site:
        """Give a host that is blocked by its name."""
        return Site(random.choice(BLOCKED), self.files.tls_port)

    def plain(self, site: Site) -> Site:
        """Give the same host without TLS."""
        return Site(site.host, self.files.http_port)

    def dial(self) -> socket.socket:
        """Connect to the proxy, from the next client's address."""
        host, _, port = self.gate.proxy.removeprefix("http://").partition(":")
        return socket.create_connection(
            (host, int(port)), timeout=PATIENCE_SECONDS, source_address=(next(self._clients), 0)
        )


@contextmanager
def standing(directory: Path, bytes_of_a_download: int, workers: int) -> Iterator[Stage]:
    """Start everything.

    Raises:
        LoadError: when nginx is not installed or does not start.
    """
    # Blocked ones are never asked; a certificate of that many names would be half of the memory.
    names = (*PASSED, "*.soak.example")
    with (
        files.running(directory, names, (), cores().others) as site,
        origin.running(directory) as talks,
    ):
        site.need([SMALL, LARGE])
        # Without a block on the disk.
        with (site.folder / "www" / download_path(bytes_of_a_download).lstrip("/")).open("wb") as f:
            f.truncate(bytes_of_a_download)
        both = directory / "both.pem"
        authorities = site.authority.certificate_file, talks.ca_file
        both.write_bytes(b"\n".join(file.read_bytes() for file in authorities))
        hosts = dict.fromkeys((*PASSED, *READ, *BLOCKED), site.address) | {TALKS: "127.0.0.1"}
        proxy = {
            "listen": "127.0.0.1:0",
            "workers": workers,
            "allow_private_destinations": ["127.0.0.0/8"],
            "hosts": hosts,
            "upstream_ca": str(both),
        }
        with gateway.running(gateway.write_config(directory, proxy=proxy)) as gate:
            yield Stage(
                gate,
                site,
                talks,
                _context(both, gate.ca_file),
                _context(both, gate.ca_file, alpn="h2"),
                _context(both),
            )


def download_path(size: int) -> str:
    """Give the path of the large file."""
    return files.path(size, "bin")


def raise_descriptor_limit() -> int:
    """Allow this process as many descriptors as it may have, and give how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def end_at_once(connection: socket.socket) -> None:
    """Close a connection with a reset."""
    linger = (1).to_bytes(4, "little") + bytes(4)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    if isinstance(connection, ssl.SSLSocket):
        os.close(connection.detach())
    else:
        connection.close()


def _context(*authorities: Path, alpn: str = "http/1.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for authority in authorities:
        context.load_verify_locations(str(authority))
    context.set_alpn_protocols([alpn])
    return context
