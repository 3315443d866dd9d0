"""mitmproxy's own handler or ours, with an addon that does what paths say and one that notes every hook.

Run with ``stock`` (mitmproxy as it comes), ``ours``, or ``answered`` (ours behind a gate that answers
each CONNECT itself), the directory of the CA, the file of the
origin's CA, and how long an addon thinks, in seconds. It prints its port;
asked by a line, it prints the hooks since the last time, once no client is connected.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mitmproxy import http, options
from mitmproxy.addons import disable_h2c, next_layer, proxyserver, tlsconfig
from mitmproxy.connection import Client
from mitmproxy.hooks import all_hooks
from mitmproxy.master import Master
from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tls import ClientHelloData, TlsData

from schoolgate.proxy.master import REQUIRED_OPTIONS, ProxyMaster, ProxyOptions

NOT_TRAFFIC = {"load", "configure", "done", "running", "update", "add_log"}
IDLE_SECONDS = 1


class Behaviour:
    """Does in each hook what the path of the request names."""

    def __init__(self, thinking_seconds: float) -> None:
        self._thinking_seconds = thinking_seconds

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        match flow.request.path:
            case "/answer" | "/answer-upload":
                flow.response = http.Response.make(403, b"no", {"X-From": "the filter"})
            case "/stream-up":
                flow.request.stream = lambda data: [data.upper(), b"!"] if data else []
        self._kill(flow, "requestheaders")

    async def request(self, flow: http.HTTPFlow) -> None:
        if flow.request.path.startswith("/think"):
            await asyncio.sleep(self._thinking_seconds)
        if flow.request.path.startswith("/wait"):
            flow.intercept()
            asyncio.get_running_loop().call_later(self._thinking_seconds, flow.resume)
        if flow.request.path.startswith("/long-thought"):
            await asyncio.sleep(2 * IDLE_SECONDS)
        self._kill(flow, "request")

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if flow.request.path.startswith("/stream-down"):
            flow.response.stream = lambda data: data.upper()
        self._kill(flow, "responseheaders")

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        if flow.request.path.startswith("/change"):
            flow.response.content = b"changed"
        self._kill(flow, "response")

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        assert flow.websocket is not None
        if flow.websocket.messages[-1].content == b"drop me":
            flow.websocket.messages[-1].drop()

    def _kill(self, flow: http.HTTPFlow, hook: str) -> None:
        if flow.request.path == f"/kill-{hook}":
            flow.kill()


class Notes:
    """Notes every hook in order."""

    def __init__(self) -> None:
        self.hooks: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[[Any], None]:
        if name not in all_hooks or name in NOT_TRAFFIC:
            raise AttributeError(name)
        return lambda data: self.hooks.append((name, said(data)))


def said(data: Any) -> Any:
    """Give what matters of what a hook was called with."""
    match data:
        case http.HTTPFlow():
            request, response, to = data.request, data.response, data.server_conn
            messages = data.websocket.messages if data.websocket else []
            return {
                "request": [request.method, request.scheme, request.host, request.port],
                "target": [request.authority, request.path, request.http_version],
                "headers": [x.decode() for field in request.headers.fields for x in field],
                "sent": len(request.raw_content or b""),
                "status": response.status_code if response else None,
                "received": len(response.raw_content or b"") if response else None,
                "error": data.error.msg if data.error else None,
                "server": [to.address, to.sni, to.tls, to.state.name],
                "messages": [[m.from_client, repr(m.content), m.dropped] for m in messages],
            }
        case Client():
            return [data.state.name, data.sni, data.alpn and data.alpn.decode(), data.error]
        case ServerConnectionHookData():
            return [data.server.address, data.server.sni, data.server.state.name, data.server.error]
        case TlsData() | ClientHelloData():
            server = data.context.server
            return [data.context.client.sni, server.address, server.state.name]
        case NextLayer():
            return data.context.server.address
    raise TypeError(type(data).__name__)


class ClosesNothing:
    """A guard for addons that do not raise."""

    def close(self, hook: str, _data: object, error: BaseException) -> None:
        raise AssertionError(f"{hook} raised") from error


TOLD: dict[str, Any] = {**REQUIRED_OPTIONS, "tcp_timeout": IDLE_SECONDS}


async def stock(ca_dir: Path, origin_ca: str, behaviour: Behaviour, notes: Notes) -> None:
    """Run mitmproxy as it comes."""
    master = Master(options.Options(), asyncio.get_running_loop())
    server = proxyserver.Proxyserver()
    master.addons.add(server, disable_h2c.DisableH2C(), next_layer.NextLayer())
    master.addons.add(tlsconfig.TlsConfig(), behaviour, notes)
    master.options.update(
        listen_host="127.0.0.1",
        listen_port=0,
        confdir=str(ca_dir),
        ssl_verify_upstream_trusted_ca=origin_ca,
        **TOLD,
    )
    running = asyncio.ensure_future(master.run())
    while not server.listen_addrs():  # noqa: ASYNC110 - mitmproxy tells nobody
        await asyncio.sleep(0.01)
    answer(server.listen_addrs()[0][1], server.connections, notes)
    await running


async def of_ours(
    ca_dir: Path, origin_ca: str, behaviour: Behaviour, notes: Notes, *, answered: bool
) -> None:
    """Run ours, with a gate that answers each CONNECT or without."""
    told = ProxyOptions(ca_dir, Path(origin_ca))
    master = ProxyMaster(told, ClosesNothing(), (behaviour, notes), TOLD)  # type: ignore[arg-type]
    connections = master.addons.get("proxyserver").connections
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        async with master.started():
            answer(listener.getsockname()[1], connections, notes)
            while True:
                connection, _ = await loop.sock_accept(listener)
                master.take(connection, await answer_connect(connection) if answered else None)


async def answer_connect(connection: socket.socket) -> tuple[str, int] | None:
    """Answer a CONNECT and give where to, or leave everything else unread."""
    head = b""
    while b"\r\n\r\n" not in head:
        try:
            head = connection.recv(65_536, socket.MSG_PEEK)
        except BlockingIOError:
            await asyncio.sleep(0.01)
            continue
        if not head or not b"CONNECT ".startswith(head[:8]):
            return None
    connection.recv(head.index(b"\r\n\r\n") + 4)
    connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    host, _, port = head.split()[1].decode().rpartition(":")
    return host, int(port)


def answer(port: int, connections: dict[Any, Any], notes: Notes) -> None:
    """Print the port, and the hooks whenever a line asks for them."""

    def ask() -> None:
        if not sys.stdin.readline():
            asyncio.get_running_loop().stop()
        report()

    def report() -> None:
        loop = asyncio.get_running_loop()
        if connections or (notes.hooks and notes.hooks[-1][0] == "client_connected"):
            loop.call_later(0.02, report)
            return
        print(json.dumps(notes.hooks), flush=True)
        notes.hooks.clear()

    asyncio.get_running_loop().add_reader(sys.stdin, ask)
    print(port, flush=True)


async def main(kind: str, ca_dir: str, origin_ca: str, thinking_seconds: str) -> None:
    """Run one of the three."""
    parts = Path(ca_dir), origin_ca, Behaviour(float(thinking_seconds)), Notes()
    await (stock(*parts) if kind == "stock" else of_ours(*parts, answered=kind == "answered"))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
