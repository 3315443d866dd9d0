"""The addons decide alike in our own proxy and in a stock mitmdump."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway import PATIENCE_SECONDS, ROOT, Gateway
from tests.origin import Origin

# Of nobody else: a warning that another test clicks through is not shown again that day.
CLIENT = "127.0.7.1"
MITMDUMP = str(Path(sys.executable).with_name("mitmdump"))
SCRIPT = str(ROOT / "addons" / "schoolgate_addon.py")


@pytest.fixture
def stock(own_config: Path) -> Iterator[Gateway]:
    """A stock mitmdump with the script, on the configuration of a gateway."""
    process = subprocess.Popen(
        [MITMDUMP, "-s", SCRIPT, "--listen-host", "127.0.0.1", "-p", "0"],
        env={**os.environ, "SCHOOLGATE_CONFIG": str(own_config)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if "listening at" in line:
            break
    drain = threading.Thread(target=process.stdout.read, daemon=True)
    drain.start()
    lines.append(f"proxy http://{lines[-1].rpartition(' at ')[2].strip().rstrip('.')}")
    try:
        yield Gateway(process, own_config, own_config.parent / "state", lines)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        drain.join(PATIENCE_SECONDS)
        process.stdout.close()


@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_both_give_the_same_decisions(
    gate: Gateway, stock: Gateway, site: Origin, http2: bool
) -> None:
    https, http = site.https_port, site.http_port
    urls = [
        "http://www.bet365.com/",
        "https://www.bet365.com/",
        f"https://www.bbc.co.uk:{https}/bitesize",
        f"http://origin.test:{http}/bytes/100000",
        "http://192.168.1.1/",
        f"https://www.dropbox.com:{https}/",
        f"https://www.nordvpn.com:{https}/",
        f"http://www.childline.org.uk:{http}/",
        "https://10.0.0.1/",
    ]

    def decisions(through: Gateway) -> list[tuple[int, str | None, str | None]]:
        with through.client(http2=http2, address=CLIENT) as client:
            answers = [client.get(url) for url in urls]
        names = "x-schoolgate-clause", "x-schoolgate-verdict"
        return [(a.status_code, a.headers.get(names[0]), a.headers.get(names[1])) for a in answers]

    ours = decisions(gate)
    assert ours == decisions(stock)
    assert {status for status, _, _ in ours} == {200, 403}
    assert any("nothing is filtered" in line for line in stock.lines), "its limit is told at start"


def test_a_broken_policy_ends_mitmdump(own_config: Path) -> None:
    """mitmproxy would go on as an open proxy."""
    policies = own_config.parent / "policies"
    policies.mkdir()
    text = own_config.read_text().replace(str(ROOT / "config/policies"), str(policies))
    own_config.write_text(text)
    (policies / "wellstead.yaml").write_text("id: [\n")
    done = subprocess.run(
        [MITMDUMP, "-s", SCRIPT, "--listen-host", "127.0.0.1", "-p", "0"],
        env={**os.environ, "SCHOOLGATE_CONFIG": str(own_config)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "wellstead.yaml:2: is not valid YAML" in done.stdout + done.stderr
