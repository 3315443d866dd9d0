"""A device that browses all the time, run inside its namespace: one line of JSON for each attempt.

``python -m tests.system.knocking CA_FILE ADDRESS PROXY …`` asks for an allowed and a blocked site, through
each proxy and past them at the address of the sites, twice a second at least, whether or not it is answered.
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial

ALLOWED, BLOCKED = "origin.test", "www.bet365.com"
HELLO = b"origin says hello"
# Between two attempts of a kind, and until one is given up.
EVERY_SECONDS = 0.4
PATIENCE_SECONDS = 1.0

type Place = tuple[str, int]
type Ask = Callable[[str], Coroutine[None, None, bytes]]


async def page(place: Place, host: str) -> bytes:
    """Ask a proxy for a page."""
    return await _asked(place, f"GET http://{host}/ HTTP/1.1", host)


async def redirected(address: str, host: str) -> bytes:
    """Ask whoever is at the address of a site for its page."""
    return await _asked((address, 80), "GET / HTTP/1.1", host)


async def tunnel(place: Place, trusted: ssl.SSLContext, host: str) -> bytes:
    """Ask a site within TLS by a tunnel."""
    reader, writer = await asyncio.open_connection(*place)
    try:
        writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        if b" 200 " not in (head := await reader.readuntil(b"\r\n\r\n")):
            return head
        await writer.start_tls(trusted, server_hostname=host)
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return await reader.read(1 << 16)
    finally:
        writer.close()


async def _asked(place: Place, line: str, host: str) -> bytes:
    reader, writer = await asyncio.open_connection(*place)
    try:
        writer.write(f"{line}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return await reader.read(1 << 16)
    finally:
        writer.close()


async def _attempt(kind: str, host: str, ask: Ask) -> None:
    began, came = time.monotonic(), b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            came = await ask(host)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        outcome = type(error).__name__
    else:
        outcome = _outcome(came)
    said = {"kind": kind, "host": host, "began": began, "ended": time.monotonic(), "came": outcome}
    print(json.dumps(said), flush=True)


def _outcome(came: bytes) -> str:
    """Say what came: the site, its refusal, or neither."""
    if HELLO in came:
        return "site"
    return "refused" if b" 403 " in came[:20] else "nothing"


async def _main(ca_file: str, address: str, *proxies: str) -> None:
    trusted = ssl.create_default_context(cafile=ca_file)
    kinds: dict[str, Ask] = {"redirected": partial(redirected, address)}
    for proxy in proxies:
        host, _, port = proxy.rpartition(":")
        place = host.strip("[]"), int(port)
        kinds[f"page by {host}"] = partial(page, place)
        kinds[f"tunnel by {host}"] = partial(tunnel, place, trusted)
    attempts: set[asyncio.Task[None]] = set()
    while True:
        for kind, ask in kinds.items():
            for asked in (ALLOWED, BLOCKED):
                task = asyncio.create_task(_attempt(kind, asked, ask))
                attempts.add(task)
                task.add_done_callback(attempts.discard)
        await asyncio.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
