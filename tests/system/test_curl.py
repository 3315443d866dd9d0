"""The first thing a technician tries: curl through the proxy."""

import subprocess
from pathlib import Path

import pytest

from tests.gateway import Gateway
from tests.origin import Origin
from tests.system.conftest import program


def curl(gate: Gateway, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program("curl"), "-sS", "-x", gate.proxy, "--cacert", str(gate.ca_file), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("url", ["http://www.bet365.com/", "https://www.bet365.com/"])
def test_gambling_is_blocked_and_the_answer_names_the_clause(
    gate: Gateway, url: str, version: str
) -> None:
    answer = curl(gate, "-i", version, url)
    assert answer.returncode == 0, answer.stderr
    assert " 403 " in answer.stdout
    assert "x-schoolgate-clause: w-6.3.1-gambling" in answer.stdout.lower()
    assert "Gambling, betting and gaming for stakes" in answer.stdout


@pytest.mark.parametrize(("version", "want"), [("--http1.1", "1.1"), ("--http2", "2")])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bitesize_opens(
    gate: Gateway, site: Origin, scheme: str, version: str, want: str, tmp_path: Path
) -> None:
    port = site.https_port if scheme == "https" else site.http_port
    spoken = want if scheme == "https" else "1.1"
    body = tmp_path / "body"
    url = f"{scheme}://www.bbc.co.uk:{port}/bitesize"
    answer = curl(gate, version, "-o", str(body), "-w", "%{http_code} %{http_version}", url)
    assert answer.stdout == f"200 {spoken}", answer.stderr
    assert body.read_text() == f"origin says hello over HTTP/{spoken}"


def test_a_client_that_does_not_trust_the_ca_sees_an_error_and_no_content(gate: Gateway) -> None:
    answer = subprocess.run(
        [program("curl"), "-sS", "-x", gate.proxy, "https://www.bet365.com/"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 60, answer.stderr
    assert answer.stdout == ""
