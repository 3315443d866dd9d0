"""The origin: nginx on loopback, plain and over TLS, that serves files of any size for any host."""

import contextlib
import random
import shutil
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.certificates import Authority, issue, make_authority
from benchmarks.gateway.load import LoadError
from benchmarks.gateway.processes import on_core, started
from tests import gateway

TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "application/javascript",
    "json": "application/json",
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "mp4": "video/mp4",
    "bin": "application/octet-stream",
}
# Words, so that a proxy that reads pages has something to read.
_TEXT = b"<p>The class will meet in the library on Monday to read about rivers and canals.</p>\n"
_PROGRAM = "nginx"
_LISTEN = "0A"  # of /proc/net/tcp
_TICKETS = "ssl_session_tickets on; ssl_conf_command Options AllowNoDHEKEX;"


@dataclass(frozen=True)
class Origin:
    """Where it listens, and who signed its certificates.

    Attributes:
        address: gives no session tickets, so that every handshake is a full one.
        tickets_address: gives them, and takes sessions up without a key exchange.
    """

    folder: Path
    authority: Authority
    address: str
    tickets_address: str
    http_port: int
    tls_port: int

    def need(self, paths: Iterable[str]) -> None:
        """Make the files of some paths, as `path` gives them."""
        for path in set(paths):
            file = self.folder / "www" / path.lstrip("/")
            if not file.exists():
                size = int(file.stem)
                file.write_bytes((_TEXT * (size // len(_TEXT) + 1))[:size])


def path(size: int, kind: str = "html") -> str:
    """Give the path of a file of that size in bytes and that type."""
    return f"/{size}.{kind}"


@contextmanager
def running(
    directory: Path, names: Sequence[str], others: Sequence[str], core: int
) -> Iterator[Origin]:
    """Run it.

    Args:
        directory: for its files.
        names: hosts that share one certificate.
        others: hosts with a certificate each.
        core: to run on.

    Raises:
        LoadError: when nginx is not installed or does not start.
    """
    program = shutil.which(_PROGRAM) or shutil.which(_PROGRAM, path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise LoadError("nginx is not installed: see deploy/bench-packages.txt")
    folder = directory / "origin"
    (folder / "www").mkdir(parents=True)
    authority = make_authority(folder, "bench origin CA")
    address, tickets_address = _addresses()
    ports = (80, 443) if _may_bind(address, 443) else (gateway.free_port(), gateway.free_port())
    origin = Origin(folder, authority, address, tickets_address, *ports)
    config = folder / "nginx.conf"
    config.write_text(_config(origin, names, others))
    command = [*on_core(core), program, "-p", str(folder), "-c", str(config)]
    with started([*command, "-e", str(folder / "error.log")], folder / "words.log") as process:
        listening = gateway.eventually(
            lambda: process.poll() is not None or listens(tickets_address, ports[1])
        )
        if not listening or process.poll() is not None:
            raise LoadError(f"nginx did not start: {(folder / 'words.log').read_text()[:300]}")
        yield origin


def listens(address: str, port: int) -> bool:
    """Tell whether somebody listens on a port, without a connection that he would count."""
    wanted = f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(fields[1] == wanted and fields[3] == _LISTEN for fields in map(str.split, lines))


def _addresses() -> tuple[str, str]:
    """Give two addresses of loopback that no other run has: e2guardian decrypts port 443 alone."""
    run = f"127.{random.randint(100, 199)}.{random.randint(1, 254)}"
    return f"{run}.1", f"{run}.2"


def _may_bind(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server((address, port)):
        return True
    return False


def _config(origin: Origin, names: Sequence[str], others: Sequence[str]) -> str:
    certificates = [(names, issue(origin.authority, names, origin.folder / "names.pem"))]
    for at, host in enumerate(others):
        certificates.append(
            ([host], issue(origin.authority, [host], origin.folder / f"host{at}.pem"))
        )
    types = " ".join(f"{kind} {ending};" for ending, kind in TYPES.items())
    servers = [
        f"server {{ listen {origin.address}:{origin.http_port} backlog=4096; }}",
        f"server {{ listen {origin.tickets_address}:{origin.http_port} backlog=4096; }}",
    ]
    for hosts, file in certificates:
        shared = (
            f"server_name {' '.join(hosts)}; ssl_certificate {file}; ssl_certificate_key {file};"
        )
        servers += [
            f"server {{ listen {origin.address}:{origin.tls_port} ssl; {shared} }}",
            f"server {{ listen {origin.tickets_address}:{origin.tls_port} ssl; {shared} {_TICKETS} }}",
        ]
    text = "\n  ".join(servers)
    # Files are made by whoever measures and read by nginx's own user.
    return f"""daemon off; worker_processes 1; pid {origin.folder}/nginx.pid;
user root;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; multi_accept on; }}
http {{
  access_log off;
  types {{ {types} }}
  root {origin.folder}/www;
  sendfile on; tcp_nodelay on;
  keepalive_requests 1000000000; keepalive_timeout 600;
  open_file_cache max=4096 inactive=600s; open_file_cache_valid 600s;
  server_names_hash_bucket_size 128; server_names_hash_max_size 4096;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets off; ssl_session_cache off;
  {text}
}}
"""
