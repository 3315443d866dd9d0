"""Somebody at a school who asks all the time, run inside a namespace: a line of JSON for each request.

``python -m tests.system.counting CA_FILE SECONDS NAME=SOURCE@PROXY:PORT …`` asks for an allowed and a blocked
site by each way every so many seconds, and for the blocked one by a tunnel as well. No address is asked for
twice: who counts finds each again in a journal. It ends with SIGTERM, once all was answered.
"""

import asyncio
import json
import signal
import ssl
import sys
import time
from dataclasses import dataclass
from itertools import count

ALLOWED, BLOCKED = "origin.test", "www.bet365.com"
HELLO = b"origin says hello"
# Until one is given up: longer than a busy machine takes, so that it is a fault.
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody asks."""

    name: str
    source: str
    proxy: str
    port: int


def way(text: str) -> Way:
    """Read one, such as ``gw1=10.20.0.7@10.20.0.2:8080``."""
    name, _, rest = text.partition("=")
    source, _, place = rest.partition("@")
    proxy, _, port = place.rpartition(":")
    return Way(name, source, proxy, int(port))


def outcome(came: bytes) -> str:
    """Say what came: the site, its refusal, or neither."""
    if HELLO in came:
        return "site"
    return "refused" if b" 403 " in came[:20] else "nothing"


async def _attempt(by: Way, url: str, trusted: ssl.SSLContext | None) -> None:
    began, came = time.monotonic(), b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            came = await _asked(by, url, trusted)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        said = type(error).__name__
    else:
        said = outcome(came)
    line = {"way": by.name, "url": url, "began": began, "ended": time.monotonic(), "came": said}
    print(json.dumps(line), flush=True)


async def _asked(by: Way, url: str, trusted: ssl.SSLContext | None) -> bytes:
    host = url.split("/")[2]
    reader, writer = await asyncio.open_connection(by.proxy, by.port, local_addr=(by.source, 0))
    try:
        if trusted is not None:
            writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            if b" 200 " not in (head := await reader.readuntil(b"\r\n\r\n")):
                return head
            await writer.start_tls(trusted, server_hostname=host)
        asked = url.removeprefix(f"https://{host}")
        writer.write(f"GET {asked} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return await reader.read(1 << 16)
    finally:
        writer.close()


async def _main(trusted: ssl.SSLContext, seconds: float, ways: list[Way]) -> None:
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    async with asyncio.TaskGroup() as attempts:
        for number in count():
            for by in ways:
                own = f"n/{by.name}-{number}"
                for host in (ALLOWED, BLOCKED):
                    attempts.create_task(_attempt(by, f"http://{host}/{own}", None))
                attempts.create_task(_attempt(by, f"https://{BLOCKED}/{own}", trusted))
                # One after the other, and not all in one moment.
                await asyncio.sleep(seconds / len(ways))
            if ending.is_set():
                return


if __name__ == "__main__":
    known = ssl.create_default_context(cafile=sys.argv[1])
    asyncio.run(_main(known, float(sys.argv[2]), [way(one) for one in sys.argv[3:]]))
