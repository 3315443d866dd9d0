"""The internet of the rehearsal, run inside its namespace: every site, and what answers beside the web.

``python -m tests.system.internet DIRECTORY`` writes a line into ``seen.jsonl`` for whatever reached it.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.origin import NAMES, certificates

# Besides the web: DNS over TLS and QUIC, OpenVPN, WireGuard, SOCKS, and a port of no name.
TCP_PORTS = (853, 1080, 1194, 4444)
UDP_PORTS = (443, 853, 1194, 51820)
NUMBERS = ("198.18.0.9", "2001:2::9")
# Where HTTP/3 is spoken.
WEB = ("198.18.0.1", "[2001:2::1]")


class _Echo(asyncio.DatagramProtocol):
    def __init__(self, told: Callable[..., None], port: int) -> None:
        self._told, self._port = told, port

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._told(way="udp", port=self._port)
        self._transport.sendto(data, addr)


def _listening(port: int) -> list[str]:
    """Listen on every address, with a socket for each family."""
    return [
        f"fd://{socket.create_server((place, port), family=family).detach()}"
        for place, family in (("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6))
    ]


async def _main(directory: Path) -> None:
    seen = (directory / "seen.jsonl").open("a", buffering=1)

    def told(**what: object) -> None:
        seen.write(json.dumps(what) + "\n")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        host = dict(scope["headers"]).get(b"host", b"").decode()
        told(way=scope["scheme"], host=host, server=scope["server"][0])
        while (await receive()).get("more_body"):
            pass
        body = f"origin says hello over HTTP/{scope['http_version']}".encode()
        headers = [(b"content-type", b"text/plain"), (b"alt-svc", b'h3=":443"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def streamed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told(way="tcp", port=writer.get_extra_info("sockname")[1])
        writer.write(await reader.read(100))
        writer.close()

    loop = asyncio.get_running_loop()
    for port in TCP_PORTS:
        await asyncio.start_server(streamed, "::", port, family=socket.AF_INET6, reuse_port=True)
        await asyncio.start_server(streamed, "0.0.0.0", port, family=socket.AF_INET)
    for port in UDP_PORTS:
        for place in NUMBERS:
            made = partial(_Echo, told, port)
            await loop.create_datagram_endpoint(made, local_addr=(place, port))
    _, chain, key = certificates(directory, NAMES, timedelta(days=7))
    config = Config()
    config.bind, config.insecure_bind = _listening(443), _listening(80)
    config.quic_bind = [f"{place}:443" for place in WEB]
    config.certfile, config.keyfile = str(chain), str(key)
    config.accesslog = config.errorlog = None
    (directory / "up").touch()
    await serve(application, config)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
