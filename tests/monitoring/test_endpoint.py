"""The address that Prometheus and load balancers ask."""

import socket
import threading
from collections.abc import Iterator
from queue import Queue

import httpx
import pytest

from schoolgate.monitoring import Metrics, MetricsEndpoint

HOST = "127.0.0.1"


class Served:
    """An endpoint that listens, and what it finds wrong."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.metrics = Metrics()
        self.settled = 0
        self.noted: list[str] = []
        self.endpoint = MetricsEndpoint(
            self.metrics.registry, lambda: self.wrong, self.settle, lambda: self.noted
        )
        listener = socket.create_server((HOST, 0))
        self.port = listener.getsockname()[1]
        self.endpoint.start(listener)

    def settle(self) -> None:
        self.settled += 1

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
    running.wrong, running.noted = [], []
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


def test_metrics_are_shown_once_all_is_counted_health_at_once(served: Served) -> None:
    before = served.settled
    served.get("/healthz")
    assert served.settled == before
    served.get("/metrics")
    assert served.settled == before + 1


def test_whoever_accepts_takes_its_turns(served: Served) -> None:
    turns: Queue[str] = Queue()
    endpoint = MetricsEndpoint(served.metrics.registry, list)
    endpoint.start(
        socket.create_server((HOST, 0)), lambda: turns.put(threading.current_thread().name)
    )
    assert [turns.get(timeout=20) for _ in range(2)] == ["metrics", "metrics"]
    endpoint.stop()


def test_ipv6_is_served_too() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        # Nobody can ask there either.
        return
    endpoint = MetricsEndpoint(Metrics().registry, list)
    port = listener.getsockname()[1]
    endpoint.start(listener)
    assert httpx.get(f"http://[::1]:{port}/healthz", trust_env=False, timeout=20).text == "ok\n"
    endpoint.stop()


def test_the_port_is_free_again_after_the_end() -> None:
    made = Served()
    assert not can_listen(made.port)
    made.endpoint.stop()
    assert can_listen(made.port)
    made.endpoint.stop()  # a second time does nothing


@pytest.mark.parametrize(
    ("wrong", "status", "want"),
    [
        ([], 200, "ok\nThe portal is not serving.\n"),
        (
            ["Worker 1 is not serving."],
            503,
            "Worker 1 is not serving.\nThe portal is not serving.\n",
        ),
    ],
)
def test_a_note_is_told_and_leaves_the_health_as_it_is(
    served: Served, wrong: list[str], status: int, want: str
) -> None:
    served.wrong, served.noted = wrong, ["The portal is not serving."]
    answer = served.get("/healthz")
    assert (answer.status_code, answer.text) == (status, want)
