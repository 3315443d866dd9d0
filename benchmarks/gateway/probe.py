"""Does a proxy do what a row says? Asked once before the load, with certificates checked."""

import socket
import ssl
from pathlib import Path

from benchmarks.gateway.engines import Proxy
from benchmarks.gateway.origin import Origin
from benchmarks.gateway.workloads import Workload

_PATIENCE_SECONDS = 20
_SHORTEST_PAGE = 100


def fault(proxy: Proxy, origin: Origin, workload: Workload) -> str:
    """Give why a proxy cannot be measured with a workload; empty when it does as it should."""
    if workload.want == "mix":
        return ""
    connection = next(iter(workload.plan(origin)))
    authority = f"{connection.host}:{connection.port}"
    target = workload.path
    try:
        with socket.create_connection(proxy.address, _PATIENCE_SECONDS) as plain:
            if connection.kind == "http":
                status, size = _ask(plain, f"http://{authority}{target}", authority)
            else:
                plain.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
                answer = _head(plain)
                if b" 200" not in answer.split(b"\r\n")[0]:
                    return "refuses the tunnel, no page"
                signer = (
                    origin.authority.certificate_file if workload.want == "pass" else proxy.ca_file
                )
                context = ssl.create_default_context(cafile=str(signer))
                context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
                with context.wrap_socket(plain, server_hostname=connection.host) as inner:
                    status, size = _ask(inner, target, authority)
    except ssl.SSLCertVerificationError as error:
        wrong = "decrypts it" if workload.want == "pass" else "does not decrypt it"
        return f"{wrong} ({error.verify_message})"
    except (OSError, ValueError) as error:
        return f"fails: {error or type(error).__name__}"
    wanted = int(Path(target).stem)
    if workload.want.startswith("block"):
        # e2guardian's page comes with 200.
        page = status == 403 or (status == 200 and size > 2 * wanted)
        return "" if page and size > _SHORTEST_PAGE else f"no block page but {status}"
    return "" if status == 200 and size >= wanted else f"{status} with {size} bytes"


def _ask(stream: socket.socket, target: str, host: str) -> tuple[int, int]:
    """Ask for a page; give the status and the length of its body."""
    request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    stream.sendall(request.encode())
    head = _head(stream)
    status = int(head.split()[1])
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    fields = {name.strip().lower(): value.strip() for name, _, value in lines}
    length = int(fields.get(b"content-length", -1))
    size = 0
    while size != length and (chunk := _receive(stream)):
        size += len(chunk)
    return status, size


def _head(stream: socket.socket) -> bytes:
    """Read up to the empty line, byte by byte: what follows may be TLS."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            raise ValueError("the connection ended before an answer")
        head += byte
    return head


def _receive(stream: socket.socket) -> bytes:
    try:
        return stream.recv(1 << 20)
    except ssl.SSLEOFError:
        return b""
