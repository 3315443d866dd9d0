"""To NATS JetStream, to a real server that is away, killed, full, or lets in nobody without a key."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import nkeys
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from schoolgate.core.shipment import Shipment, message_id, unpacked
from schoolgate.shipping import Access, JetStream
from schoolgate.shipping.receivers import Place
from tests import nats
from tests.gateway import PATIENCE_SECONDS, eventually, free_port
from tests.shipping.test_shipper import Fake, Stage

pytestmark = pytest.mark.long
STREAM = "JOURNAL_hermitage_gw1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[nats.Server]:
    with nats.serving(*nats.plain(tmp_path, free_port())) as server:
        yield server


def receiver(server: nats.Server, **access: Path) -> JetStream:
    return JetStream(Access(server.url, **access), "hermitage", "gw1")


def messages(server: nats.Server) -> list[Msg]:
    """Give what the stream has."""
    count = nats.api(server.url, f"STREAM.INFO.{STREAM}")["state"]["messages"]

    async def read(client: Client) -> list[Msg]:
        stream = client.jetstream()
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
        got = await stream.pull_subscribe("", stream=STREAM, config=config)
        return [(await got.fetch(1, PATIENCE_SECONDS))[0] for _ in range(count)]

    return nats.asked(server.url, read)


def stage_of(directory: Path, to: JetStream) -> Stage:
    journal = directory / "journal"
    journal.mkdir()
    stage = Stage(journal, Fake())
    stage.receiver = to  # type: ignore[assignment]
    stage.shipper = stage.begun()
    return stage


def tried(stage: Stage) -> None:
    """Ship as the thread does, which goes back to what is known to have come when there is an error."""
    try:
        while stage.shipper.step():
            pass
    except OSError as error:
        stage.shipper._failed(error)


def ids(server: nats.Server) -> list[str]:
    return [json.loads(line)["id"] for one in messages(server) for line in unpacked(one.data).lines]


def test_lines_come_with_their_place_and_without_names(tmp_path: Path, server: nats.Server) -> None:
    to = receiver(server)
    stage = stage_of(tmp_path, to)
    stage.write("a", "b")
    stage.ship()
    [message] = messages(server)
    assert message.subject == "journal.hermitage.gw1"
    got = unpacked(message.data)
    assert [json.loads(line) for line in got.lines] == [{"id": "a"}, {"id": "b"}]
    assert (got.start, got.after) == (0, stage.file.stat().st_size)
    assert message.headers is not None
    assert message.headers["Nats-Msg-Id"] == message_id("hermitage", "gw1", got)
    to.close()


def test_the_same_lines_sent_twice_are_there_once_and_more_lines_are_another_message(
    server: nats.Server,
) -> None:
    to = receiver(server)
    for after in (10, 10, 20):
        to.send([{"id": "x"}], Place("day#1", 0, after, [10]))
    to.close()
    assert [unpacked(one.data).after for one in messages(server)] == [10, 20]


def test_what_waits_while_the_server_is_killed_comes_once_it_is_back(
    tmp_path: Path, server: nats.Server
) -> None:
    to = receiver(server)
    stage = stage_of(tmp_path, to)
    stage.write("a")
    stage.ship()
    server.end(signal.SIGKILL)
    stage.write("b")
    tried(stage)
    assert stage.counted["up"] is False
    server.start()

    def came() -> bool:
        tried(stage)
        return bool(stage.counted["up"])

    assert eventually(came)
    assert ids(server) == ["a", "b"]
    assert stage.counted["dropped"] == 0
    to.close()


def test_nothing_counts_as_sent_that_the_stream_has_not_acknowledged(server: nats.Server) -> None:
    to = receiver(server)
    place = Place("day#1", 0, 10, [10])
    to.send([{"id": "a"}], place)
    nats.api(server.url, f"STREAM.DELETE.{STREAM}")
    with pytest.raises(OSError, match=r".+"):
        to.send([{"id": "b"}], Place("day#1", 10, 20, [20]))
    to.close()
    # Once it connects again it makes the stream.
    to.send([{"id": "b"}], Place("day#1", 10, 20, [20]))
    to.close()
    assert ids(server) == ["b"]


def test_the_stream_forgets_by_age_and_size_as_the_settings_say(server: nats.Server) -> None:
    for days, megabytes in ((14, 100), (7, 50)):
        to = JetStream(Access(server.url), "hermitage", "gw1", days, megabytes)
        to.send([{"id": "a"}], Place("day#1", 0, days, [days]))
        to.close()
        config = nats.api(server.url, f"STREAM.INFO.{STREAM}")["config"]
        assert config["max_age"] == days * 86_400 * 10**9
        assert config["max_bytes"] == megabytes * 10**6
        assert config["discard"] == "old"


def test_only_who_has_the_key_is_let_in(tmp_path: Path) -> None:
    import nacl.signing

    seed = nkeys.encode_seed(bytes(nacl.signing.SigningKey.generate()), nkeys.PREFIX_BYTE_USER)
    key = tmp_path / "gw1.nk"
    key.write_bytes(seed)
    config, url = nats.plain(tmp_path, free_port())
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    with config.open("a") as more:
        more.write(f"authorization {{ users: [ {{ nkey: {public} }} ] }}\n")
    with nats.serving(config, url) as server:
        shut_out = receiver(server)
        with pytest.raises(OSError, match="Authorization"):
            shut_out.send([{"id": "a"}], Place("day#1", 0, 10, [10]))
        shut_out.close()
        let_in = receiver(server, nkey_file=key)
        let_in.send([{"id": "a"}], Place("day#1", 0, 10, [10]))
        let_in.close()


def test_a_message_that_is_too_large_is_refused_for_good(server: nats.Server) -> None:
    import os

    from schoolgate.shipping.receivers import RefusedByReceiverError

    to = receiver(server)
    with pytest.raises(RefusedByReceiverError):
        to.send([{"id": os.urandom(1_200_000).hex()}], Place("day#1", 0, 10, [10]))
    to.close()


def test_two_shipments_of_other_files_have_other_ids() -> None:
    one, other = (Shipment(name, 0, 1, [1], [b"{}"]) for name in ("a#1", "a#2"))
    assert message_id("h", "g", one) != message_id("h", "g", other)
