"""The workloads of the table: what is asked for, over which connections, and what must come."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.gateway.load import Connection
from benchmarks.gateway.origin import Origin, path

# A bank, a site that no list knows, and a betting shop.
PASSED = "www.barclays.co.uk"
DECRYPTED = "www.chess-club.example"
BLOCKED = "www.bet365.com"

CONNECTIONS = 16
BULK_BYTES = 100 * 2**20
_BULK_DOWNLOADS = 4


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Attributes:
        want: what must happen to it: ``pass``, ``decrypt``, ``http``, ``block`` or ``block-tls``.
        mode: as the load generator has it.
    """

    key: str
    title: str
    want: str
    host: str
    path: str
    mode: str
    slots: int = CONNECTIONS

    @property
    def bulk(self) -> bool:
        """Whether bytes are counted rather than answers."""
        return self.mode == "once"

    @property
    def paths(self) -> set[str]:
        """Give every path that is asked for."""
        return {self.path}

    def plan(self, origin: Origin, _round: int = 0) -> Iterator[Connection]:
        """Give the connections of a round: each slot from an address of its own."""
        paths = (self.path,) * (_BULK_DOWNLOADS if self.bulk else 1)
        kinds = {"pass": "resumed", "http": "http", "block": "http"}
        kind = kinds.get(self.want, "tls")
        port = origin.http_port if kind == "http" else origin.tls_port
        for at in range(self.slots):
            yield Connection(f"127.0.1.{at + 1}", kind, self.host, port, paths)


# What is no page is not judged by its words; e2guardian reads pages alone, too.
_SMALL, _LARGE, _BULK = path(1000, "css"), path(100_000, "css"), path(BULK_BYTES, "bin")
_SMALL_PAGE, _LARGE_PAGE = path(1000), path(100_000)

WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload(
            "pass-kept", "pass-through exchanges, connection kept", "pass", PASSED, _SMALL, "keep"
        ),
        Workload("pass-new", "new pass-through tunnels", "pass", PASSED, _SMALL, "cycle"),
        Workload("pass-bulk", "100 MB through a tunnel, MB/s", "pass", PASSED, _BULK, "once", 1),
        Workload(
            "tls-new", "HTTPS decrypted, new connection", "decrypt", DECRYPTED, _SMALL, "cycle"
        ),
        Workload(
            "tls-kept", "HTTPS decrypted, connection kept", "decrypt", DECRYPTED, _SMALL, "keep"
        ),
        Workload("tls-100k", "HTTPS decrypted, 100 KB", "decrypt", DECRYPTED, _LARGE, "keep"),
        Workload(
            "page-kept", "HTTPS decrypted, a page, kept", "decrypt", DECRYPTED, _SMALL_PAGE, "keep"
        ),
        Workload(
            "page-100k",
            "HTTPS decrypted, a page of 100 KB",
            "decrypt",
            DECRYPTED,
            _LARGE_PAGE,
            "keep",
        ),
        Workload("http-kept", "HTTP, connection kept", "http", DECRYPTED, _SMALL, "keep"),
        Workload("http-block", "HTTP block page", "block", BLOCKED, _SMALL, "keep"),
        Workload(
            "tls-block", "HTTPS block page, new connection", "block-tls", BLOCKED, _SMALL, "cycle"
        ),
    )
}
