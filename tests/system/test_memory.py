"""Large bodies stream through; they are never held in memory."""

import os
from collections.abc import Iterator
from pathlib import Path

from tests import gateway
from tests.gateway import Gateway
from tests.origin import Origin

GIGABYTE = 1_000_000_000
MEGABYTE = 1_000_000


def resident_bytes(gate: Gateway) -> int:
    """Give how much memory the gateway's process holds."""
    pages = int(Path(f"/proc/{gate.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_download_of_a_gigabyte_grows_memory_by_less_than_50_mb(
    own_config: Path, site: Origin
) -> None:
    with gateway.running(own_config) as own, own.client() as client:
        url = f"https://origin.test:{site.https_port}/bytes"
        assert client.get(f"{url}/1000").status_code == 200
        before = peak = resident_bytes(own)
        received = 0
        with client.stream("GET", f"{url}/{GIGABYTE}") as answer:
            for i, chunk in enumerate(answer.iter_raw()):
                received += len(chunk)
                if i % 500 == 0:
                    peak = max(peak, resident_bytes(own))
        print(f"memory: {before / 1e6:.0f} MB before, at most {(peak - before) / 1e6:.1f} MB more")
        assert received == GIGABYTE
        assert peak - before < 50 * MEGABYTE


def test_an_upload_of_300_mb_grows_memory_by_less_than_50_mb(
    own_config: Path, site: Origin
) -> None:
    with gateway.running(own_config) as own, own.client() as client:
        url = f"https://origin.test:{site.https_port}/"
        assert client.post(url, content=b"y").status_code == 200
        before = peak = resident_bytes(own)

        def body() -> Iterator[bytes]:
            nonlocal peak
            for _ in range(300):
                peak = max(peak, resident_bytes(own))
                yield b"y" * MEGABYTE

        received = site.received
        assert client.post(url, content=body()).status_code == 200
        assert site.received - received == 300 * MEGABYTE
        assert peak - before < 50 * MEGABYTE
