"""Requests a second through schoolgate and through a stock mitmdump, interleaved in one run.

``make bench`` prints the table; ``--write`` puts it into its section of docs/performance.md.
"""

import argparse
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.page import write_section
from schoolgate.bootstrap import load_engine
from schoolgate.core.clients import Client
from schoolgate.core.policy import WebRequest
from schoolgate.core.urls import parse_web_url
from schoolgate.settings import load_settings
from tests import gateway, origin

ROUNDS = 7
REQUESTS = 400
MITMDUMP = str(Path(sys.executable).with_name("mitmdump"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    text = report()
    print(text)
    if arguments.write:
        write_section("proxy", text)


def report() -> str:
    """Measure everything, and give the section."""
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        with (
            origin.running(base) as site,
            gateway.running(gateway.write_config(base, proxy=gateway.to_origin(site))) as ours,
            stock_mitmdump() as stock,
        ):
            allowed = f"http://127.0.0.1:{site.http_port}/"
            rows = [
                compare("allowed page, connection kept", ours.proxy, stock, allowed),
                compare(
                    "allowed 100 KB, connection kept",
                    ours.proxy,
                    stock,
                    f"http://127.0.0.1:{site.http_port}/bytes/100000",
                ),
            ]
    lines = [
        "## The proxy beside stock mitmdump",
        "",
        (
            f"Printed by `make bench` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
            f"Python {platform.python_version()}; median of {ROUNDS} interleaved rounds of "
            f"{REQUESTS} requests on one connection."
        ),
        "",
        "| workload | schoolgate, requests/s | stock mitmdump | ratio (lowest to highest round) |",
        "|---|---|---|---|",
        *rows,
        "",
        (
            f"One decision, warm, from Python: {decision_us():.1f} µs median "
            f"(parsing the URL and the look-ups in the index included)."
        ),
        "",
    ]
    return "\n".join(lines)


def compare(name: str, ours: str, stock: str, url: str) -> str:
    """Give a row of the table."""
    load(ours, url), load(stock, url)
    pairs = [(load(ours, url), load(stock, url)) for _ in range(ROUNDS)]
    ratios = [mine / theirs for mine, theirs in pairs]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return f"| {name} | {mine:.0f} | {theirs:.0f} | {statistics.median(ratios):.2f} ({spread}) |"


def load(proxy: str, url: str) -> float:
    """Ask for a URL over and over on one connection; give requests a second."""
    host, _, port = proxy.removeprefix("http://").partition(":")
    authority = url.split("/")[2]
    request = f"GET {url} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()
    with socket.create_connection((host, int(port))) as connection:
        stream = connection.makefile("rb")
        began = time.perf_counter()
        for _ in range(REQUESTS):
            connection.sendall(request)
            read_answer(stream.readline, stream.read)
        return REQUESTS / (time.perf_counter() - began)


def read_answer(line: Callable[[], bytes], read: Callable[[int], bytes]) -> None:
    """Read one answer to its end."""
    status = line()
    if b" 200" not in status:
        raise RuntimeError(f"the proxy answered {status!r}")
    length, chunked = 0, False
    while (header := line().lower().strip()) != b"":
        if header.startswith(b"content-length:"):
            length = int(header.partition(b":")[2])
        chunked = chunked or header == b"transfer-encoding: chunked"
    if not chunked:
        read(length)
        return
    while size := int(line(), 16):
        read(size + 2)
    line()


def listens(port: int) -> bool:
    """Tell whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def stock_mitmdump() -> Iterator[str]:
    """Run mitmdump as it comes, and give its address."""
    port = gateway.free_port()
    process = subprocess.Popen(
        [MITMDUMP, "-q", "--listen-host", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if not gateway.eventually(lambda: listens(port)):
            raise TimeoutError(f"nothing listens on port {port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def decision_us() -> float:
    """Give the median time of a decision over sites that are listed and sites that are not."""
    engine = load_engine(load_settings(gateway.ROOT / "config" / "schoolgate.yaml", {}))
    client = Client("10.0.0.1", engine.policy.default_group)
    now = datetime.now(UTC)
    urls = ["https://www.bbc.co.uk/bitesize", "https://www.bet365.com/", "https://a.b.example/x"]
    samples = []
    for _ in range(2_000):
        began = time.perf_counter()
        for url in urls:
            engine.decide(WebRequest(parse_web_url(url), client), now)
        samples.append((time.perf_counter() - began) / len(urls) * 1e6)
    return statistics.median(samples)


if __name__ == "__main__":
    main()
