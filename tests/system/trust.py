"""A trust on this machine: NATS at the centre, leaves beside two schools' gateways, and who writes tables."""

import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from schoolgate.core.nats_files import Files, centre_text, identity, leaf_text
from schoolgate.shipping import Access, JetStream
from tests.gateway import COMMAND, PATIENCE_SECONDS, ROOT, free_port
from tests.nats import Server
from tests.shipping.test_shipper import Fake, Stage
from tests.system import slapd

GATEWAYS = (("hermitage", "gw1"), ("hill", "gw1"))
CENTRE: dict[str, Any] = {"user": "centre", "password": "c"}
GATEWAY: dict[str, Any] = {"user": "gateway", "password": "g"}


@dataclass
class Line:
    """A line between a leaf and the centre, which can be cut."""

    port: int
    to: int
    is_cut: bool = False
    _open: list[socket.socket] = field(default_factory=list)

    def run(self, server: socket.socket) -> None:
        while True:
            try:
                here, _ = server.accept()
                there = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                if server.fileno() < 0:
                    return
                here.close()
                continue
            if self.is_cut:
                here.close()
                there.close()
                continue
            self._open += [here, there]
            for one, other in ((here, there), (there, here)):
                threading.Thread(target=_carry, args=(one, other), daemon=True).start()

    def cut(self) -> None:
        self.is_cut = True
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def heal(self) -> None:
        self.is_cut = False


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    for each in (one, other):
        each.close()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = Line(server.getsockname()[1], port)
        threading.Thread(target=line.run, args=(server,), daemon=True).start()
        yield line
        line.cut()
        server.shutdown(socket.SHUT_RDWR)


@dataclass
class Trust:
    """What runs."""

    directory: Path
    centre: Server
    leaves: dict[tuple[str, str], Server]
    lines: dict[tuple[str, str], Line]
    consumer: "subprocess.Popen[bytes] | None" = None

    @property
    def tables(self) -> Path:
        return self.directory / "tables"

    def command(self, *arguments: str) -> list[str]:
        user = self.directory / "centre.user"
        user.write_text(":".join(CENTRE.values()) + "\n")
        reached = ["--nats", self.centre.url, "--user-file", str(user)]
        return [*COMMAND, "trust", arguments[0], *reached, *arguments[1:]]

    def consume(self) -> None:
        """Start who writes tables."""
        out, figures = str(self.tables), str(self.directory / "figures.prom")
        self.consumer = subprocess.Popen(
            self.command("consume", "--out", out, "--metrics", figures, "--every", "0.5", "--wait", "5"),
            cwd=ROOT,
        )  # fmt: skip

    def end_consumer(self, number: int) -> int:
        assert self.consumer is not None
        self.consumer.send_signal(number)
        return self.consumer.wait(PATIENCE_SECONDS)

    def shipping(self, gateway: tuple[str, str]) -> Stage:
        """Give a journal and who ships it to its leaf."""
        journal = self.directory / "-".join(gateway)
        journal.mkdir()
        user = self.directory / "gateway.user"
        user.write_text(":".join(GATEWAY.values()) + "\n")
        stage = Stage(journal, Fake())
        access = Access(self.leaves[gateway].url, user_file=user)
        stage.receiver = JetStream(access, *gateway)  # type: ignore[assignment]
        stage.shipper = stage.begun()
        return stage


@contextmanager
def trust(directory: Path) -> Iterator[Trust]:
    """Run the servers, which know each other by certificates; the leaves are on lines that can be cut."""
    clients, leaves = free_port(), free_port()
    keys = make_keys(directory)
    with ExitStack() as opened:
        place = Files(str(directory / "centre"), str(keys))
        text = centre_text(GATEWAYS, f"127.0.0.1:{clients}", f"127.0.0.1:{leaves}", place)
        servers = {("", ""): server(directory / "centre.conf", text, clients)}
        lines = {}
        for one in GATEWAYS:
            port, name = free_port(), "-".join(one)
            lines[one] = opened.enter_context(line_to(leaves))
            of_one = Files(str(directory / f"leaf-{name}"), str(keys / name))
            there = f"localhost:{lines[one].port}"
            leaf = leaf_text(*one, there, f"127.0.0.1:{port}", of_one)
            servers[one] = server(directory / f"{name}.conf", leaf, port)
        for each in servers.values():
            opened.callback(each.end)
            each.start()
        found = Trust(directory, servers.pop(("", "")), servers, lines)
        yield found
        if found.consumer is not None and found.consumer.poll() is None:
            found.end_consumer(15)


def server(file: Path, text: str, port: int, within: Sequence[str] = ()) -> Server:
    """Give a server of a configuration, with what the environment of the service has."""
    for name, value in (("CENTRE", CENTRE), ("GATEWAY", GATEWAY)):
        text = text.replace(f"${name}_PASSWORD", value["password"])
    file.write_text(text)
    return Server(file, f"nats://127.0.0.1:{port}", within=within)


def make_keys(
    directory: Path, gateways: Sequence[tuple[str, str]] = GATEWAYS, host: str = "localhost"
) -> Path:
    """Make the centre's certificate, for a host, and each gateway's, of one authority."""
    keys, authority_key = directory / "keys", ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Trust authority")])
    ca = slapd.signed(
        issuer, issuer, authority_key.public_key(), authority_key, authority=True
    ).public_bytes(Encoding.PEM)
    of = {keys: ("server", host)}
    of |= {keys / "-".join(one): ("gateway", identity(*one)) for one in gateways}
    for place, (name, known) in of.items():
        place.mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, known)])
        shown = slapd.signed(subject, issuer, key.public_key(), authority_key, host=known)
        (place / "ca.pem").write_bytes(ca)
        (place / f"{name}.pem").write_bytes(shown.public_bytes(Encoding.PEM))
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (place / f"{name}.key").write_bytes(text)
    return keys
