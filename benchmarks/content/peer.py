"""e2guardian as Debian sets it up, over plain HTTP: what its scan of a page costs."""

import random
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.gateway.engines import LOOPBACK, Rules, listening
from benchmarks.gateway.load import LoadError
from benchmarks.gateway.peers import E2guardian, give, program, write_options
from benchmarks.gateway.processes import usage
from tests import gateway, media_origin

PAGES = 60


@dataclass(frozen=True)
class Peer:
    """What was measured.

    Attributes:
        version: of the program.
        scan_ms: CPU of a page beyond that of the same bytes as a file that it does not scan, milliseconds.
    """

    version: str
    scan_ms: float


def measured(page: bytes) -> Peer | None:
    """Measure it, where it is installed; None where it is not."""
    engine = E2guardian()
    try:
        version = engine.version()
    except LoadError:
        return None
    with media_origin.running() as origin, _running(engine) as (port, pid):
        origin.bodies["/page"] = page, "text/html; charset=utf-8"
        origin.bodies["/file"] = page, "application/octet-stream"
        proxy = f"http://{LOOPBACK}:{port}"
        with httpx.Client(proxy=proxy, trust_env=False, timeout=60) as client:
            taken: dict[str, list[float]] = {"/page": [], "/file": []}
            for number in range(PAGES):
                for path, each in taken.items():
                    before = usage(pid).cpu_seconds
                    answer = client.get(origin.url(f"{path}?{number}", LOOPBACK))
                    assert answer.content == page, "it was let through whole"
                    each.append(usage(pid).cpu_seconds - before)
    scan = statistics.median(taken["/page"]) - statistics.median(taken["/file"])
    return Peer(version, scan * 1e3)


@contextmanager
def _running(engine: E2guardian) -> Iterator[tuple[int, int]]:
    # Its user must get there.
    folder = Path(f"/tmp/e2guardian-{random.randrange(1 << 32):x}")
    folder.mkdir()
    try:
        port = gateway.free_port()
        config = engine.settings(folder, Rules())
        write_options(config, {"filterports": str(port)})
        write_options(config.parent / "e2guardianf1.conf", {"sslmitm": "off"})
        give(folder, "e2guardian")
        command = (program("e2guardian"), "-N", "-c", str(config))
        with listening(command, folder, port) as pid:
            yield port, pid
    finally:
        shutil.rmtree(folder)
