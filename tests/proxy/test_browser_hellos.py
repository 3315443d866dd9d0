"""ClientHellos of browsers are decided by the name in them, whole or in pieces, as the table says."""

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import gateway, origin
from tests.data import shared
from tests.gateway import Gateway, eventually, put
from tests.hellos import TARGET, hello
from tests.origin import Origin
from tests.proxy.test_gate import ask_for_tunnel, dial

pytestmark = pytest.mark.long

OWN = {
    "plain": hello(),
    "with a hybrid key and ECH": hello(is_hybrid=True, has_ech=True),
    "in several records": hello(is_hybrid=True, record=200),
    "TLS 1.2": hello(versions=None),
}
# The list of the school's own that names the site, and what becomes of a connection to it.
VERDICTS = (("", "decrypt"), ("block.txt", "refuse"), ("pass.txt", "pass"))


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Origin, Path]]:
    """A gateway for which the site that the hellos name is at an origin of the test's."""
    directory = tmp_path_factory.mktemp("named")
    with origin.running(directory, (*origin.NAMES, TARGET)) as site:
        proxy = gateway.to_origin(site, (*origin.NAMES, TARGET))
        with gateway.running(gateway.write_config(directory, proxy=proxy)) as gate:
            yield gate, site, directory / "local"


def hellos(whose: str) -> dict[str, bytes]:
    """Give some by the name of the program."""
    if whose == "own":
        return OWN
    text = shared("cases/04-tls/clienthellos-curl_cffi.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["sni"] for line in lines} == {TARGET}
    return {line["client"]: base64.b64decode(line["raw"]) for line in lines}


def say(gate: Gateway, site: Origin, first: bytes, pieces: int) -> bytes:
    """Send a hello in a tunnel to the site that it names; give how the answer begins."""
    with dial(gate) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert ask_for_tunnel(connection, TARGET, site.https_port) == 200
        size = -(-len(first) // pieces)
        for at in range(0, len(first), size):
            connection.sendall(first[at : at + size])
        return connection.recv(3)


@pytest.mark.parametrize(("listed", "want"), VERDICTS)
def test_each_is_decided_by_its_name(
    named: tuple[Gateway, Origin, Path], listed: str, want: str
) -> None:
    gate, site, local = named
    for name in ("block.txt", "pass.txt"):
        put(local / name, f"{TARGET}\n" if name == listed else "")
    checked = gate.run("check", TARGET, "--json")
    assert json.loads(checked.stdout)["tls"] == want
    pattern = rf'schoolgate_connections_total\{{tls="{want}"\}}'

    def counts() -> bool:
        before = gate.metric(pattern)
        say(gate, site, OWN["plain"], 1)
        return eventually_more(gate, pattern, before)

    # Until the list is in force.
    assert eventually(counts)
    for whose in ("own", "browsers"):
        for client, first in hellos(whose).items():
            for pieces in (1, 4, len(first)) if whose == "own" else (1, 3):
                before, heads = gate.metric(pattern), len(site.heads)
                assert say(gate, site, first, pieces)[:1] == b"\x16", (client, pieces)
                assert eventually_more(gate, pattern, before), (client, pieces)
                assert len(site.heads) == heads


def eventually_more(gate: Gateway, pattern: str, before: float) -> bool:
    """Wait a moment for a figure to rise; a refused connection counts when it is over."""
    return any(gate.metric(pattern) > before for _ in range(40))
