"""The real command, started with a configuration of the test's own."""

import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpcore
import httpx
import yaml

from tests.origin import NAMES, Origin

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "schoolgate")
READY = "schoolgate is filtering"
# Generous: a busy machine must not make a test fail.
PATIENCE_SECONDS = 120
# More than one, whatever machine this is; not as many as a large one would start.
WORKERS = 2
# What a client sees of a connection that was cut, by what it had not read yet.
CUT = (httpx.RemoteProtocolError, httpx.NetworkError)


class _Http2First(ssl.SSLContext):
    """Offers HTTP/2 alone, where the library offers HTTP/1.1 first."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        super().set_alpn_protocols(["h2"])


class _From(httpcore.SyncBackend):
    """Connects from an address of the test's choice."""

    def __init__(self, address: str | None) -> None:
        super().__init__()
        self._address = address

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return super().connect_tcp(
            host, port, timeout, local_address or self._address, socket_options
        )


@dataclass
class Gateway:
    """A running gateway."""

    process: "subprocess.Popen[str]"
    config: Path
    state: Path
    lines: list[str]

    def address(self, name: str) -> str:
        """Give an address that the command printed, e.g. of ``proxy``."""
        return next(line.split()[1] for line in self.lines if line.startswith(name + " "))

    @property
    def proxy(self) -> str:
        """The proxy's URL."""
        return self.address("proxy")

    @property
    def ca_file(self) -> Path:
        """The certificate that a client must trust."""
        return self.state / "ca" / "schoolgate-ca.crt"

    def client(
        self,
        *,
        http2: bool = False,
        address: str | None = None,
        sign_in: tuple[str, str] | None = None,
        over_tls: bool = False,
        fields: Sequence[tuple[str, str]] = (),
    ) -> httpx.Client:
        """Give a client that goes through the proxy and trusts its CA.

        Args:
            http2: speak HTTP/2 with sites.
            address: from which it connects.
            sign_in: name and password for the proxy.
            over_tls: speak TLS with the proxy.
            fields: further headers of requests to the proxy, such as a CONNECT.
        """
        context = (_Http2First if http2 else ssl.SSLContext)(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(str(self.ca_file))
        transport = httpx.HTTPTransport(verify=context)
        # httpx's own pool knows no local address for proxied connections.
        proxy = self.proxy.replace("http://127.0.0.1", "https://localhost", over_tls)
        transport._pool = httpcore.HTTPProxy(
            proxy,
            proxy_auth=(sign_in[0].encode(), sign_in[1].encode()) if sign_in else None,
            proxy_headers=list(fields),
            ssl_context=context,
            proxy_ssl_context=context if over_tls else None,
            http2=http2,
            network_backend=_From(address),
        )
        return httpx.Client(transport=transport, timeout=PATIENCE_SECONDS)

    def get(self, name: str) -> httpx.Response:
        """Ask an address that the command printed, e.g. of ``health``, past the proxy."""
        return httpx.get(self.address(name), trust_env=False, timeout=PATIENCE_SECONDS)

    def metric(self, pattern: str) -> float:
        """Give the sum of the samples whose line matches a pattern; 0 for none."""
        text = self.get("metrics").text
        return sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if not line.startswith("#") and re.search(pattern, line)
        )

    def journal(self) -> list[dict[str, Any]]:
        """Give every line of the journal so far; one that is still being written has no end."""
        return [
            json.loads(line)
            for path in sorted((self.state / "journal").glob("*.jsonl"))
            for line in path.read_bytes().split(b"\n")[:-1]
        ]

    def processes(self, kind: str = "worker") -> list[int]:
        """Give the process ids of the workers, in their order, or of another kind of process."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}")
        children = [int(pid) for pid in (task / "children").read_text().split()]
        named = {pid: _name_of(pid) for pid in children}
        found = [pid for pid, name in named.items() if name.startswith(f"sg {kind}")]
        return sorted(found, key=lambda pid: (named[pid], pid))

    def resident_bytes(self) -> int:
        """Give how much memory all workers hold."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.processes()]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command on the same configuration and state."""
        return schoolgate(*arguments, "--config", str(self.config))


def eventually(true: Callable[[], bool]) -> bool:
    """Wait for what another thread or process does; the journal writes off the loop."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def clause(client: httpx.Client, url: str) -> str:
    """Give the clause of a block page, "" for the site's own answer, ``cut`` for none."""
    try:
        return str(client.get(url).headers.get("x-schoolgate-clause", ""))
    except CUT:
        return "cut"


def put(path: Path, text: str) -> None:
    """Replace a file that a gateway looks at, which never sees half of it."""
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(text)
    aside.replace(path)


def stay_within_a_day() -> None:
    """Wait for midnight to pass where it is near: what holds for a day or a lesson ends then."""
    london = ZoneInfo("Europe/London")
    while datetime.now(london).date() != (datetime.now(london) + timedelta(minutes=2)).date():
        time.sleep(1)


def free_port() -> int:
    """Give a free port that nobody gets meanwhile.

    It is below those that the kernel hands out, and of those that are this process's of the tests.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    of = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    for port in random.sample(range(10_000 + number, 32_000, of), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port is free")


def schoolgate(
    *arguments: str, env: dict[str, str] | None = None, stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=_environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def write_config(directory: Path, **sections: Any) -> Path:
    """Write a configuration on free ports, with its state below the directory."""
    settings = {
        "policy": "wellstead",
        "policies_dir": str(ROOT / "config/policies"),
        "state_dir": str(directory / "state"),
        # Test origins listen anywhere.
        "proxy": {"listen": "127.0.0.1:0", "workers": WORKERS, "tunnel_ports": ["1-65535"]},
        "metrics": {"listen": "127.0.0.1:0"},
        # Only where a test asks for it: it takes a second of a processor to start.
        "portal": {"enabled": False, "listen": "127.0.0.1:0"},
        # Likewise: it asks all the time.
        "selftest": {"enabled": False},
        "lists": {
            "dirs": [str(ROOT / "categories")],
            "local": str(directory / "local"),
            "locked": str(directory / "locked"),
        },
    }
    for name, value in sections.items():
        section = settings.get(name)
        settings[name] = {**section, **value} if isinstance(section, dict) else value
    (directory / "local").mkdir(exist_ok=True)
    path = directory / "schoolgate.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def to_origin(origin: Origin, names: Sequence[str] = NAMES) -> dict[str, Any]:
    """Give the proxy settings with which every test name, or some others, lead to the origin."""
    return {**to_here(*names), "upstream_ca": str(origin.ca_file)}


def to_here(*names: str) -> dict[str, Any]:
    """Give the proxy settings with which some names lead to this machine."""
    return {
        "listen": "127.0.0.1:0",
        "allow_private_destinations": ["127.0.0.1/32"],
        "hosts": dict.fromkeys(names, "127.0.0.1"),
    }


@contextmanager
def running(config: Path, command: Sequence[str] = COMMAND, *, ends: int = 0) -> Iterator[Gateway]:
    """Start the gateway, and stop it as Ctrl-C does if it still runs; it must end with that code."""
    process = subprocess.Popen(
        [*command, "run", "--config", str(config)],
        cwd=ROOT,
        env=_environment({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    ready = threading.Event()
    reader = threading.Thread(target=_read, args=(process, lines, ready), daemon=True)
    reader.start()
    try:
        if not ready.wait(PATIENCE_SECONDS) or not any(READY in line for line in lines):
            process.kill()
            reader.join(PATIENCE_SECONDS)
            raise RuntimeError("the gateway did not start:\n" + "\n".join(lines))
        state = Path(yaml.safe_load(config.read_text())["state_dir"])
        yield Gateway(process, config, state, lines)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        code = process.wait(PATIENCE_SECONDS)
        reader.join(PATIENCE_SECONDS)
        assert process.stdout is not None
        process.stdout.close()
    assert code == ends, "the gateway did not stop cleanly:\n" + "\n".join(lines)


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


def _read(process: "subprocess.Popen[str]", lines: list[str], ready: threading.Event) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if READY in line:
            ready.set()
    ready.set()


def _environment(extra: dict[str, str] | None) -> dict[str, str]:
    """Give the environment without this machine's own schoolgate settings and proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SCHOOLGATE_") and not name.lower().endswith("_proxy")
    }
    return {**kept, "COLUMNS": "100", **(extra or {})}
