"""A gateway that ships its journal: each line reaches each receiver, whoever was away meanwhile."""

import json
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schoolgate.bootstrap.shipping_post import receiver_of
from schoolgate.settings.shipping import (
    JournaldSettings,
    LokiSettings,
    NatsSettings,
    OtlpSettings,
    SyslogSettings,
    Target,
)
from schoolgate.shipping import JetStream, Journald, Loki, OpenTelemetry, Syslog
from tests import gateway
from tests.gateway import Gateway, eventually, free_port
from tests.shipping.receiving import Came, http_receiver
from tests.shipping.test_journald import fields


@pytest.mark.parametrize(
    ("target", "want"),
    [
        (JournaldSettings(kind="journald"), Journald),
        (SyslogSettings(kind="syslog", host="logs.example"), Syslog),
        (LokiSettings(kind="loki", url="http://loki.example/"), Loki),
        (OtlpSettings(kind="otlp", url="http://otel.example/"), OpenTelemetry),
        (NatsSettings(kind="nats"), JetStream),
    ],
)
def test_each_kind_has_its_receiver(target: Target, want: type) -> None:
    assert type(receiver_of(target, "hill")) is want


def test_a_token_is_read_for_each_batch(tmp_path: Path) -> None:
    token, came = tmp_path / "token", Came()
    with http_receiver(came) as url:
        loki = receiver_of(
            LokiSettings(kind="loki", url=url, token_file=token, tenant="hill"), "hill"
        )
        for said in ("one", "two"):
            token.write_text(said + "\n")
            loki.send([{"event": "x"}])
        loki.close()
    assert [one["Authorization"] for one in came.headers] == ["Bearer one", "Bearer two"]
    assert {one["X-Scope-OrgID"] for one in came.headers} == {"hill"}


@dataclass
class Stage:
    """A gateway, and who gets its journal."""

    gate: Gateway
    loki: Came
    otlp: Came
    journald: socket.socket

    def ask(self, count: int) -> None:
        """Have so many lines written."""
        before = len(self.written())
        with self.gate.client() as client:
            for number in range(count):
                client.get(f"http://www.bet365.com/{number}")
        assert eventually(lambda: len(self.written()) == before + count)

    def written(self) -> list[str]:
        return [line["id"] for line in self.gate.journal()]

    def of_otlp(self) -> list[str]:
        return [
            attribute["value"]["stringValue"]
            for body in self.otlp.bodies
            for record in body["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
            for attribute in record["attributes"]
            if attribute["key"] == "schoolgate.id"
        ]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("shipping")
    loki, otlp = Came(port=free_port()), Came(port=free_port(), status=200)
    place = directory / "journald"
    to: list[dict[str, Any]] = [
        {"kind": "loki", "url": f"http://127.0.0.1:{loki.port}/loki/api/v1/push"},
        {"kind": "otlp", "url": f"http://127.0.0.1:{otlp.port}/v1/logs"},
        {"kind": "journald", "socket": str(place)},
    ]
    with ExitStack() as opened:
        taking = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        taking.bind(str(place))
        taking.settimeout(gateway.PATIENCE_SECONDS)
        opened.enter_context(http_receiver(otlp))
        config = gateway.write_config(directory, shipping={"to": to})
        yield Stage(opened.enter_context(gateway.running(config)), loki, otlp, taking)


@pytest.mark.long
def test_every_line_reaches_every_receiver_also_one_that_was_away(stage: Stage) -> None:
    stage.ask(20)
    assert eventually(lambda: stage.of_otlp() == stage.written())
    entries = [fields(stage.journald.recv(65_536)) for _ in range(20)]
    assert [one["SCHOOLGATE_ID"] for one in entries] == stage.written()
    # Nobody is there yet, and somebody is, and is away again, and is back.
    assert eventually(lambda: stage.gate.metric(r'shipping_up\{to="loki"\}') == 0)
    for _ in range(2):
        with http_receiver(stage.loki):
            assert eventually(lambda: {x["id"] for x in stage.loki.lines()} == set(stage.written()))
        stage.ask(10)
    with http_receiver(stage.loki):
        assert eventually(lambda: {x["id"] for x in stage.loki.lines()} == set(stage.written()))
    assert [line["id"] for line in stage.loki.lines()] == stage.written()


@pytest.mark.long
def test_what_is_sent_names_nobody_and_no_site(stage: Stage) -> None:
    stage.ask(1)
    assert eventually(lambda: stage.of_otlp() == stage.written())
    text = json.dumps(stage.otlp.bodies) + json.dumps(stage.loki.bodies)
    assert "W-6.3.1-gambling" in text
    assert "schoolgate.who" in text
    for word in ("bet365", "127.0.0.1"):
        assert word not in text


@pytest.mark.long
def test_it_is_counted_and_its_place_is_kept_for_nobody_else(stage: Stage) -> None:
    stage.ask(1)
    lines = r'shipping_lines_total\{to="otlp"\}'
    assert eventually(lambda: stage.gate.metric(lines) == len(stage.written()))
    assert stage.gate.metric(r"shipping_dropped_total\{") == 0
    assert eventually(lambda: stage.gate.metric(r'shipping_behind_bytes\{to="otlp"\}') == 0)
    directory = stage.gate.state / "shipping"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {path.name for path in directory.glob("*.json")} >= {"otlp.json", "journald.json"}
