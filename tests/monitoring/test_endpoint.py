"""The address that Prometheus and load balancers ask."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from schoolgate.monitoring import Metrics, MetricsEndpoint

HOST = "127.0.0.1"


class Served:
    """An endpoint that listens, and what it finds wrong."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.metrics = Metrics()
        self.endpoint = MetricsEndpoint(self.metrics.registry, lambda: self.wrong)
        self.port = self.endpoint.start(HOST, 0)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://{HOST}:{self.port}{path}", trust_env=False, timeout=20)


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    made = Served()
    yield made
    made.endpoint.stop()


@pytest.fixture
def served(running: Served) -> Served:
    """An endpoint with which all is well."""
    running.wrong = []
    return running


def can_listen(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def test_metrics_are_served_as_prometheus_reads_them(served: Served) -> None:
    served.metrics.journal_dropped.inc(7)
    answer = served.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "schoolgate_journal_dropped_total 7.0" in answer.text


@pytest.mark.parametrize(
    ("wrong", "status", "text"),
    [
        ([], 200, "ok\n"),
        (["The journal cannot be written."], 503, "The journal cannot be written.\n"),
        (["One.", "Two."], 503, "One.\nTwo.\n"),
    ],
)
def test_health_is_ok_or_says_what_is_wrong(
    served: Served, wrong: list[str], status: int, text: str
) -> None:
    served.wrong = wrong
    answer = served.get("/healthz")
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/nothing", "/healthz/x"])
def test_anything_else_is_not_found(served: Served, path: str) -> None:
    answer = served.get(path)
    assert (answer.status_code, answer.text) == (404, "There is /metrics and /healthz.\n")


def test_requests_are_not_written_to_the_terminal(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    served.get("/healthz")
    served.get("/nothing")
    assert capfd.readouterr() == ("", "")


def test_an_address_in_use_is_refused_and_that_leaves_nothing_behind(served: Served) -> None:
    second = MetricsEndpoint(Metrics().registry, list)
    with pytest.raises(OSError, match="Address already in use"):
        second.start(HOST, served.port)
    second.stop()
    assert served.get("/healthz").status_code == 200


def test_the_port_is_free_again_after_the_end() -> None:
    made = Served()
    assert not can_listen(made.port)
    made.endpoint.stop()
    assert can_listen(made.port)
    made.endpoint.stop()  # a second time does nothing
