"""An address for Prometheus of a program that shows its figures by itself."""

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge

from schoolgate.bootstrap.asked import asked, metrics_listener
from schoolgate.core.errors import UnavailableError
from tests.gateway import free_port


def test_figures_and_health_are_shown_while_it_runs_and_not_after() -> None:
    registry, address = CollectorRegistry(), f"127.0.0.1:{free_port()}"
    Gauge("schoolgate_seen", "Seen.", registry=registry).set(3)
    wrong: list[str] = []
    with asked(address, registry, lambda: wrong):
        assert "schoolgate_seen 3.0" in httpx.get(f"http://{address}/metrics", trust_env=False).text
        assert httpx.get(f"http://{address}/healthz", trust_env=False).status_code == 200
        wrong.append("It is away.")
        assert httpx.get(f"http://{address}/healthz", trust_env=False).status_code == 503
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{address}/metrics", trust_env=False)


def test_without_an_address_nothing_is_opened() -> None:
    with asked("", CollectorRegistry(), list):
        pass


def test_an_address_that_is_in_use_is_said_with_what_to_do() -> None:
    with (
        metrics_listener("127.0.0.1:0") as first,
        pytest.raises(UnavailableError, match="give --metrics another address"),
    ):
        metrics_listener(f"127.0.0.1:{first.getsockname()[1]}")
