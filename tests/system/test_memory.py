"""Large bodies stream through; they are never held in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import gateway
from tests.origin import Origin

pytestmark = pytest.mark.long

GIGABYTE = 1_000_000_000
MEGABYTE = 1_000_000


def test_a_download_of_a_gigabyte_grows_memory_by_less_than_50_mb(
    own_config: Path, site: Origin
) -> None:
    with gateway.running(own_config) as own, own.client() as client:
        url = f"https://origin.test:{site.https_port}/bytes"
        assert client.get(f"{url}/1000").status_code == 200
        before = peak = own.resident_bytes()
        received = 0
        with client.stream("GET", f"{url}/{GIGABYTE}") as answer:
            for i, chunk in enumerate(answer.iter_raw()):
                received += len(chunk)
                if i % 500 == 0:
                    peak = max(peak, own.resident_bytes())
        print(f"memory: {before / 1e6:.0f} MB before, at most {(peak - before) / 1e6:.1f} MB more")
        assert received == GIGABYTE
        assert peak - before < 50 * MEGABYTE


def test_an_upload_of_300_mb_grows_memory_by_less_than_50_mb(
    own_config: Path, site: Origin
) -> None:
    with gateway.running(own_config) as own, own.client() as client:
        url = f"https://origin.test:{site.https_port}/"
        assert client.post(url, content=b"y").status_code == 200
        before = peak = own.resident_bytes()

        def body() -> Iterator[bytes]:
            nonlocal peak
            for _ in range(300):
                peak = max(peak, own.resident_bytes())
                yield b"y" * MEGABYTE

        received = site.received
        assert client.post(url, content=body()).status_code == 200
        assert site.received - received == 300 * MEGABYTE
        assert peak - before < 50 * MEGABYTE
