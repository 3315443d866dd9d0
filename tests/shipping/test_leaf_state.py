"""What a leaf keeps and who takes from it, asked of a real server."""

from pathlib import Path

import pytest
from nats.aio.client import Client

from schoolgate.shipping import Access
from schoolgate.shipping.leaf_state import LeafState, leaf_state
from tests import nats
from tests.gateway import free_port

pytestmark = pytest.mark.long


async def _published(client: Client) -> None:
    stream = client.jetstream()
    await stream.add_stream(name="JOURNAL_hill_gw1", subjects=["journal.hill.gw1"])
    for _ in range(3):
        await stream.publish("journal.hill.gw1", b"x")


async def _taken(client: Client) -> None:
    await client.jetstream().pull_subscribe("journal.hill.gw1", "centre")


def test_messages_and_who_takes_them_are_counted(tmp_path: Path) -> None:
    with nats.serving(*nats.plain(tmp_path, free_port())) as server:
        access = Access(server.url)
        with pytest.raises(OSError, match=r"stream not found|NotFound"):
            leaf_state(access, "hill", "gw1")
        nats.asked(server.url, _published)
        assert leaf_state(access, "hill", "gw1") == LeafState(3, 0)
        nats.asked(server.url, _taken)
        assert leaf_state(access, "hill", "gw1") == LeafState(3, 1)
    with pytest.raises(OSError, match="nats://"):
        leaf_state(access, "hill", "gw1")
