"""The product's own master with no addons of ours: what the proxy costs before it filters.

Started as ``python -m benchmarks.gateway.bare PORT CA_DIR UPSTREAM_CA``.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter

from schoolgate.proxy.guard import Guard
from schoolgate.proxy.master import ProxyMaster, ProxyOptions


async def serve(port: int, ca_dir: Path, upstream_ca: Path) -> None:
    """Run it until a signal; the one place that knows how the product builds its master."""
    errors = Counter("faults", "Faults.", ["hook"], registry=CollectorRegistry())
    guard = Guard(cast("Any", None), errors, lambda _: None)
    master = ProxyMaster(ProxyOptions(ca_dir, upstream_ca), guard, [])
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    listener.setblocking(False)

    def accept() -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = listener.accept()
            connection.setblocking(False)
            master.take(connection)

    async with master.started():
        asyncio.get_running_loop().add_reader(listener, accept)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, master.should_exit.set)
        gc.collect()
        gc.freeze()
        await master.should_exit.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
