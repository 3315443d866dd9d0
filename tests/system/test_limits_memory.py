"""What stalls, and what comes in tiny pieces, is not kept in memory, however much it is."""

from pathlib import Path

import pytest

from tests import gateway, wire
from tests.gateway import Gateway
from tests.origin import Origin
from tests.wire import http2

pytestmark = pytest.mark.long

MEGABYTE = 1_000_000


@pytest.mark.parametrize("streams", [1, 30])
def test_stalled_downloads_of_400_mb_grow_memory_by_less_than_50_mb(
    own_config: Path, site: Origin, streams: int
) -> None:
    with gateway.running(own_config) as own, http2(own, site.https_port) as client:
        client.finish(client.ask("/bytes/1000"))
        before = own.resident_bytes()
        large = [client.ask(f"/bytes/{400 * MEGABYTE}") for _ in range(streams)]
        client.receive_until_quiet()
        print(f"{(own.resident_bytes() - before) / 1e6:.1f} MB more for {streams} streams")
        assert own.resident_bytes() - before < 50 * MEGABYTE
        # The streams that wait share the room of the connection with the one that follows.
        client.connection.increment_flow_control_window((streams + 1) * 65_536)
        assert client.finish(client.ask("/small")) == b"origin says hello over HTTP/2"
        assert not client.ended & set(large)


def test_a_slow_reader_of_400_mb_gets_all_of_it(own_config: Path, site: Origin) -> None:
    with gateway.running(own_config) as own, http2(own, site.https_port) as client:
        client.finish(client.ask("/bytes/1000"))
        before = own.resident_bytes()
        large = client.ask(f"/bytes/{400 * MEGABYTE}")
        client.receive_until_quiet()
        assert len(client.finish(large)) == 400 * MEGABYTE
        assert own.resident_bytes() - before < 50 * MEGABYTE


def test_empty_frames_without_an_end_are_not_kept(own_config: Path) -> None:
    """They cost a client nothing, not even room in a window."""
    with (
        gateway.running(own_config) as own,
        wire.serving(lambda _peer: _wait(own)) as port,
        http2(own, port) as client,
    ):
        stuck = client.ask("/", "POST")
        client.receive()
        before = own.resident_bytes()
        empty = b"\0\0\0\0\0" + stuck.to_bytes(4, "big")
        for _ in range(300):
            client.socket.sendall(empty * 1000)
        client.connection.ping(b"12345678")
        client.flush()
        client.receive()
        assert own.resident_bytes() - before < 10 * MEGABYTE


def _wait(own: Gateway) -> None:
    own.process.wait(60)
