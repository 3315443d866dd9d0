"""Prometheus and Alertmanager from Debian with the shipped rules, in which only the times are shorter."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml
from aiosmtpd.controller import Controller

from tests.gateway import PATIENCE_SECONDS, ROOT, eventually, free_port
from tests.system.conftest import program

# Thirty times as fast: what takes five minutes takes ten seconds.
_FASTER = 30
SCRAPE = "2s"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(?<=\[)(\d+)([smhd])(?=\])|(?<=offset )(\d+)([smhd])|^(\d+)([smhd])$")


def faster(text: str) -> str:
    """Give an expression or a time of a configuration with each duration a thirtieth of what it is."""

    def shorter(match: re.Match[str]) -> str:
        number, unit = (part for part in match.groups() if part)
        return f"{int(number) * _UNITS[unit] * 1_000 // _FASTER}ms"

    return _DURATION.sub(shorter, text)


def all_faster(document: Any) -> Any:
    """Give a configuration in which every duration is shorter."""
    if isinstance(document, dict):
        return {key: all_faster(value) for key, value in document.items()}
    if isinstance(document, list):
        return [all_faster(value) for value in document]
    return faster(document) if isinstance(document, str) else document


@dataclass
class Told:
    """What reached the webhook and the mail server.

    Attributes:
        alerts: names of alerts with their status, as ``firing`` or ``resolved``.
        mails: subjects.
    """

    alerts: list[tuple[str, str]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

    def of(self, alert: str, status: str) -> bool:
        """Ask whether an alert was told with a status."""
        return (alert, status) in self.alerts

    def last(self, alert: str) -> str:
        """Give the status with which an alert was told last; "" for none."""
        return next((status for name, status in reversed(self.alerts) if name == alert), "")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a mail."""
        self.mails.append(envelope.content.decode("utf-8", "replace"))
        return "250 taken"


@dataclass(frozen=True)
class Watching:
    """What runs.

    Attributes:
        url: of Prometheus.
        told: what Alertmanager told of.
    """

    url: str
    told: Told

    def ask(self, path: str, **asked: Any) -> Any:
        """Ask Prometheus; an error is a failure."""
        answer = httpx.get(
            f"{self.url}/api/v1/{path}", params=asked, trust_env=False, timeout=PATIENCE_SECONDS
        )
        body = answer.json()
        assert body["status"] == "success", f"{asked}: {body}"
        return body["data"]


@contextmanager
def running(directory: Path, target: str, centre: Sequence[str] = ()) -> Iterator[Watching]:
    """Run both, with a webhook and a mail server.

    Args:
        directory: for what they keep.
        target: host and port of a gateway's metrics.
        centre: of those of a trust's centre.
    """
    told = Told()
    with ExitStack() as opened:
        hook = opened.enter_context(_webhook(told))
        mail = Controller(told, hostname="127.0.0.1", port=free_port())
        mail.start()
        opened.callback(mail.stop)
        manager, watcher = free_port(), free_port()
        config = directory / "alertmanager.yml"
        config.write_text(_alertmanager(hook, mail.port))
        opened.enter_context(
            _program(
                directory,
                "prometheus-alertmanager",
                f"--config.file={config}",
                f"--storage.path={directory / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{manager}",
                "--cluster.listen-address=",
            )
        )
        _write_prometheus(directory, target, centre, manager)
        opened.enter_context(
            _program(
                directory,
                "prometheus",
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{watcher}",
            )
        )
        url = f"http://127.0.0.1:{watcher}"
        for port in (watcher, manager):
            assert eventually(partial(_is_ready, f"http://127.0.0.1:{port}"))
        yield Watching(url, told)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _program(directory: Path, name: str, *arguments: str) -> Iterator[None]:
    with (directory / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [program(name), *arguments], cwd=directory, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _write_prometheus(directory: Path, target: str, centre: Sequence[str], manager: int) -> None:
    shipped = ROOT / "deploy/prometheus"
    config = yaml.safe_load((shipped / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": SCRAPE, "evaluation_interval": "1s"}
    [alertmanagers] = config["alerting"]["alertmanagers"]
    alertmanagers["static_configs"] = [{"targets": [f"127.0.0.1:{manager}"]}]
    [job] = [one for one in config["scrape_configs"] if one["job_name"] == "schoolgate"]
    job["static_configs"][0]["targets"] = [target]
    config["scrape_configs"] = [
        job,
        {"job_name": "schoolgate-trust", "static_configs": [{"targets": list(centre)}]},
    ]
    (directory / "rules").mkdir()
    for rules in (shipped / "rules").glob("*.yml"):
        fast = all_faster(yaml.safe_load(rules.read_text()))
        (directory / "rules" / rules.name).write_text(yaml.safe_dump(fast))
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))


def _alertmanager(hook: int, mail: int) -> str:
    config = all_faster(yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text()))
    config["global"]["smtp_smarthost"] = f"127.0.0.1:{mail}"
    for receiver in config["receivers"]:
        for one in receiver["webhook_configs"]:
            one["url"] = f"http://127.0.0.1:{hook}/schoolgate"
    return str(yaml.safe_dump(config))


@contextmanager
def _webhook(told: Told) -> Iterator[int]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.alerts += [(one["labels"]["alertname"], one["status"]) for one in sent["alerts"]]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
