"""What is measured: our gateway, the tuned proxy in it without the filter, and a stock mitmdump."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gateway.certificates import Authority
from benchmarks.gateway.load import LoadError
from benchmarks.gateway.origin import Origin, listens
from benchmarks.gateway.processes import started
from tests import gateway

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
_MORE_CATEGORIES = "categories"


@dataclass
class Rules:
    """What every engine is told to do, so that all do the same work: hosts by what becomes of them."""

    passed: set[str] = field(default_factory=set)
    decrypted: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)

    @property
    def hosts(self) -> list[str]:
        """Give all hosts."""
        return sorted(self.passed | self.decrypted | self.blocked)

    def add(self, more: "Rules") -> None:
        """Take up more hosts; a host that is here already stays what it is."""
        known = set(self.hosts)
        self.passed |= more.passed - known
        self.decrypted |= more.decrypted - known
        self.blocked |= more.blocked - known


@dataclass
class Stage:
    """What every engine is given.

    Attributes:
        directory: for the engines' files; each makes a folder of its name in it.
        authority: the CA that the peers decrypt with.
        lists: a folder with one text file a category, or none.
        core: the one to run on; empty for any.
    """

    directory: Path
    origin: Origin
    authority: Authority
    rules: Rules
    lists: Path | None
    core: Sequence[str]

    @property
    def addresses(self) -> dict[str, str]:
        """Give the address of every host: at the origin."""
        passed, others = self.origin.tickets_address, self.origin.address
        return {host: passed if host in self.rules.passed else others for host in self.rules.hosts}

    @property
    def hosts_file(self) -> Path:
        """Give the same as a file in the form of /etc/hosts, written anew."""
        path = self.directory / "hosts"
        lines = [f"{address} {host}\n" for host, address in self.addresses.items()]
        path.write_text("127.0.0.1 localhost\n" + "".join(lines))
        return path

    def folder(self, key: str) -> Path:
        """Make an engine's folder, which programs that give up root may enter too."""
        folder = self.directory / key
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        return folder

    def command(self, *command: str) -> list[str]:
        """Give a command on the proxies' core, for which every host is on loopback."""
        words = f'mount --bind "{self.hosts_file}" /etc/hosts && exec "$@"'
        rights = [] if os.geteuid() == 0 else ["--map-root-user"]
        return [*self.core, "unshare", *rights, "--mount", "sh", "-c", words, "sh", *command]


@dataclass(frozen=True)
class Proxy:
    """A running engine: where it listens, its first process, and the CA that it decrypts with.

    Attributes:
        words: what it said when it was ready.
    """

    address: tuple[str, int]
    pid: int
    ca_file: Path
    words: str = ""


class Engine(ABC):
    """One kind of proxy."""

    key: str
    title: str

    @abstractmethod
    def version(self) -> str:
        """Give name and version.

        Raises:
            LoadError: when it is not installed.
        """

    @abstractmethod
    def running(self, stage: Stage) -> contextlib.AbstractContextManager[Proxy]:
        """Run it."""


class Schoolgate(Engine):
    """Our gateway as a school has it: full policy, lists, journal and metrics on."""

    key = "ours"

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        if workers > 1:
            self.key = f"ours{workers}"
        self.title = "schoolgate" if workers == 1 else f"schoolgate, {workers} workers"

    def version(self) -> str:
        """Give the version."""
        return gateway.schoolgate("--version").stdout.strip().replace(", version", "")

    def config(self, stage: Stage, policies: Path | None = None) -> Path:
        """Write the configuration, and build the index of all lists.

        Raises:
            LoadError: when the gateway refuses them.
        """
        folder = stage.folder(self.key)
        feed = folder / "state" / "lists" / "feeds" / "school"
        more = folder / _MORE_CATEGORIES
        if stage.lists is not None and not feed.exists():
            feed.mkdir(parents=True)
            for file in stage.lists.glob("*.txt"):
                shutil.copyfile(file, feed / file.name.replace("_", "-"))
            self._more_categories(folder, [file.stem for file in feed.iterdir()])
        sections: dict[str, Any] = {"policies_dir": str(policies)} if policies else {}
        config = gateway.write_config(
            folder,
            proxy={
                "listen": f"{LOOPBACK}:0",
                "workers": self.workers,
                "allow_private_destinations": ["127.0.0.0/8"],
                "hosts": stage.addresses,
                "upstream_ca": str(stage.origin.authority.certificate_file),
            },
            lists={"dirs": [str(ROOT / "categories"), str(more)]} if more.exists() else {},
            **sections,
        )
        done = gateway.schoolgate("lists", "build", "--config", str(config))
        if done.returncode:
            raise LoadError(f"schoolgate lists build: {(done.stdout + done.stderr)[-500:]}")
        return config

    def _more_categories(self, folder: Path, names: Sequence[str]) -> None:
        """Make a category for each list of a supplier that has no category of ours."""
        (folder / _MORE_CATEGORIES).mkdir()
        for name in names:
            if not (ROOT / "categories" / f"{name}.yaml").exists():
                text = {"id": name, "title": name, "description": "A supplier's.", "domains": []}
                (folder / _MORE_CATEGORIES / f"{name}.yaml").write_text(json.dumps(text))

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Proxy]:
        """Run it."""
        config = self.config(stage)
        # Several workers are there to use several cores.
        core = stage.core if self.workers == 1 else ()
        with gateway.running(config, (*core, *gateway.COMMAND)) as ours:
            words = next(line for line in ours.lines if gateway.READY in line)
            if f"{self.workers} worker" not in words:
                raise LoadError(f"asked for {self.workers} workers: {words}")
            yield Proxy(split(ours.proxy), ours.process.pid, ours.ca_file, words)


class Bare(Engine):
    """The tuned proxy without our filter: no decision, journal, metrics or guard."""

    key = "bare"
    title = "the tuned proxy without filter"

    def version(self) -> str:
        """It is the same code."""
        return ""

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Proxy]:
        """Run it."""
        folder = stage.folder(self.key)
        (folder / "mitmproxy-ca.pem").write_bytes(stage.authority.pem)
        port = gateway.free_port()
        command = [sys.executable, "-m", "benchmarks.gateway.bare", str(port), str(folder)]
        command.append(str(stage.origin.authority.certificate_file))
        with listening(stage.command(*command), folder, port) as pid:
            yield Proxy((LOOPBACK, port), pid, stage.authority.certificate_file)


class Mitmdump(Engine):
    """mitmdump as it comes, with its own RSA CA and a small addon that blocks."""

    key = "mitmdump"
    title = "stock mitmdump"
    _program = Path(sys.executable).with_name("mitmdump")

    def version(self) -> str:
        """Give the version."""
        return first_line([str(self._program), "--version"]).replace("Mitmproxy:", "mitmproxy")

    @contextmanager
    def running(self, stage: Stage) -> Iterator[Proxy]:
        """Run it."""
        folder = stage.folder(self.key)
        port = gateway.free_port()
        (folder / "blocked.txt").write_text("\n".join(sorted(stage.rules.blocked)))
        command = [str(self._program), "-q", "--listen-host", LOOPBACK, "-p", str(port)]
        command += ["-s", str(Path(__file__).with_name("stock_rule.py"))]
        options = {
            "confdir": folder,
            "ssl_verify_upstream_trusted_ca": stage.origin.authority.certificate_file,
        }
        for name, value in options.items():
            command += ["--set", f"{name}={value}"]
        if stage.rules.passed:
            hosts = "|".join(map(re.escape, sorted(stage.rules.passed)))
            command += ["--ignore-hosts", f"^({hosts}):"]
        env = {"SCHOOLGATE_BENCH_BLOCKED": str(folder / "blocked.txt")}
        with listening(stage.command(*command), folder, port, env) as pid:
            yield Proxy((LOOPBACK, port), pid, folder / "mitmproxy-ca-cert.pem")


@contextmanager
def listening(
    command: Sequence[str], folder: Path, port: int, env: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a proxy until the end, once it listens; give its process.

    Raises:
        LoadError: when it does not start.
    """
    kept = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}
    log = folder / "words.log"
    with started(command, log, env={**kept, **(env or {})}) as process:
        gateway.eventually(lambda: process.poll() is not None or listens(LOOPBACK, port))
        if process.poll() is not None or not listens(LOOPBACK, port):
            raise LoadError(f"{folder.name} did not start: {log.read_text()[-500:]}")
        yield process.pid


def split(address: str) -> tuple[str, int]:
    """Give host and port of a URL."""
    parts = urllib.parse.urlsplit(address)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def first_line(command: Sequence[str]) -> str:
    """Give the first line that a program prints.

    Raises:
        LoadError: when it is not installed.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        raise LoadError(f"{Path(command[0]).name} is not installed") from error
    return next(iter((done.stdout or done.stderr).splitlines()), "")
