"""Whatever raises, nothing goes through unfiltered: the request is blocked, counted and logged."""

import sys
from pathlib import Path

import httpx
import pytest

from tests import gateway
from tests.gateway import Gateway, eventually
from tests.origin import Origin

RAISING = str(Path(__file__).with_name("raising.py"))


def command(hook: str) -> tuple[str, ...]:
    return (sys.executable, RAISING, hook)


@pytest.mark.parametrize("hook", ["decide", "requestheaders", "request"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_fault_before_the_origin_is_asked_blocks_and_the_origin_is_not_contacted(
    own_config: Path, site: Origin, hook: str, scheme: str
) -> None:
    port = site.https_port if scheme == "https" else site.http_port
    url = f"{scheme}://origin.test:{port}"
    with gateway.running(own_config, command(hook)) as own, own.client() as client:
        before = len(site.hosts)
        answer = client.get(f"{url}/raise")
        assert answer.status_code == 403
        assert answer.headers["x-schoolgate-clause"] == "gateway-error"
        assert len(site.hosts) == before
        assert own.metric("^schoolgate_filter_errors_total") == 1
        assert eventually(lambda: any("Fault in" in line for line in own.lines))
        assert written(own) == ("block", "gateway-error")


@pytest.mark.parametrize("hook", ["responseheaders", "response"])
@pytest.mark.parametrize("path", ["/raise", "/raise-long"])
def test_a_fault_after_the_origin_answered_keeps_the_body_back(
    own_config: Path, site: Origin, hook: str, path: str
) -> None:
    with gateway.running(own_config, command(hook)) as own, own.client() as client:
        try:
            answer = client.get(f"http://origin.test:{site.http_port}{path}")
        except httpx.HTTPError:
            pass
        else:
            assert answer.status_code == 403
            assert "origin says hello" not in answer.text
        assert own.metric("^schoolgate_filter_errors_total") == 1
        assert written(own) == ("block", "gateway-error")
        assert client.get(f"http://origin.test:{site.http_port}/fine").status_code == 200


def written(own: Gateway) -> tuple[str, str]:
    """Give verdict and clause of the last line of the journal."""
    assert eventually(lambda: any(line["clause"] == "gateway-error" for line in own.journal()))
    line = own.journal()[-1]
    return line["verdict"], line["clause"]


@pytest.mark.parametrize("path", ["/bytes/1000000", "/short-and-chunked"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_fault_inside_a_stream_delivers_none_of_it_and_no_end(
    own_config: Path, site: Origin, scheme: str, path: str
) -> None:
    port = site.https_port if scheme == "https" else site.http_port
    received = b""
    with gateway.running(own_config, command("stream")) as own, own.client() as client:
        with (
            pytest.raises(httpx.HTTPError),
            client.stream("GET", f"{scheme}://origin.test:{port}{path}") as answer,
        ):
            for chunk in answer.iter_raw():
                received += chunk
        assert received == b""
        assert own.metric("^schoolgate_filter_errors_total") == 1
        assert written(own) == ("block", "gateway-error")


def test_a_fault_while_an_upload_streams_sends_none_of_it(own_config: Path, site: Origin) -> None:
    with gateway.running(own_config, command("stream")) as own, own.client() as client:
        before = site.received
        with pytest.raises(httpx.HTTPError):
            client.post(f"http://origin.test:{site.http_port}/", content=b"y" * 1_000_000)
        assert site.received == before
        assert own.metric("^schoolgate_filter_errors_total") == 1
