"""Events of two schools come to the centre once, whoever is killed or cut off; no school sees another's."""

import asyncio
import json
import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import duckdb
import nats.errors
import pytest
from nats.aio.client import Client

from schoolgate.core.shipment import Shipment, packed
from tests import nats as servers
from tests.gateway import PATIENCE_SECONDS, eventually
from tests.shipping.test_shipper import Stage
from tests.system.trust import CENTRE, GATEWAY, GATEWAYS, Trust, trust

pytestmark = pytest.mark.long
FIRST, OTHER = GATEWAYS


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trust]:
    with trust(tmp_path_factory.mktemp("trust")) as found:
        named = ["/".join(one) for one in GATEWAYS]
        subprocess.run(found.command("sources", *named), check=True)
        yield found


class Load:
    """Two gateways that write and ship all the time; each line has a number of its own."""

    def __init__(self, place: Trust) -> None:
        self.stages = {one: place.shipping(one) for one in GATEWAYS}
        self.count, self.lock = 0, threading.Lock()
        self.ending = threading.Event()
        self.threads = [
            threading.Thread(target=stage.shipper.run, args=(self.ending,), daemon=True)
            for stage in self.stages.values()
        ]
        self.threads.append(threading.Thread(target=self._write, daemon=True))

    def _write(self) -> None:
        while not self.ending.is_set():
            self.more(50)
            self.ending.wait(0.02)

    def more(self, count: int) -> None:
        with self.lock:
            names = [str(self.count + n) for n in range(count)]
            for one, stage in self.stages.items():
                stage.write(*(f"{'-'.join(one)}-{name}" for name in names))
            self.count += count

    def all(self) -> Counter[str]:
        return Counter(f"{'-'.join(one)}-{n}" for one in self.stages for n in range(self.count))


def ids(place: Trust) -> Counter[str]:
    if not list(place.tables.glob("school=*/*/*/*.parquet")):
        return Counter()
    with duckdb.connect() as duck:
        asked = f"SELECT id FROM read_parquet('{place.tables}/school=*/*/*/*.parquet')"
        return Counter(one for (one,) in duck.execute(asked).fetchall())


def grows(place: Trust) -> bool:
    before = sum(ids(place).values())
    return eventually(lambda: sum(ids(place).values()) > before)


def test_each_event_comes_once_whoever_is_killed_or_cut_off(place: Trust) -> None:
    load = Load(place)
    place.consume()
    for thread in load.threads:
        thread.start()
    assert grows(place)
    for _ in range(3):
        assert place.end_consumer(signal.SIGKILL) == -signal.SIGKILL
        place.consume()
        assert grows(place)
    for server in (place.centre, place.leaves[FIRST], place.leaves[OTHER], place.centre):
        server.end(signal.SIGKILL)
        load.more(2_000)
        server.start()
        assert grows(place)
    for line in place.lines.values():
        line.cut()
    load.more(10_000)
    # The leaves keep it meanwhile, and nothing waits in the journals.
    assert eventually(lambda: all(not one.counted["behind"] for one in load.stages.values()))
    for line in place.lines.values():
        line.heal()
    load.ending.set()
    for thread in load.threads:
        thread.join(PATIENCE_SECONDS)
    for stage in load.stages.values():
        _rest(stage)
    assert eventually(lambda: sum(ids(place).values()) >= 2 * load.count)
    assert place.end_consumer(signal.SIGTERM) == 0
    assert ids(place) == load.all()
    figures = (place.directory / "figures.prom").read_text()
    missing = re.findall(r"^schoolgate_gathered_missing_bytes\{.*\} (\S+)$", figures, re.MULTILINE)
    assert missing
    assert set(missing) == {"0.0"}
    assert all(stage.counted["dropped"] == 0 for stage in load.stages.values())


def _rest(stage: Stage) -> None:
    """Ship what is left, as the thread did."""

    def done() -> bool:
        try:
            while stage.shipper.step():
                pass
        except OSError as error:
            stage.shipper._failed(error)
            return False
        return True

    assert eventually(done)
    stage.shipper._receiver.close()


# What an owner of a gateway could ask of its leaf, to get at another school's journal or at the centre's.
OF_OTHERS = [
    f"$JS.{domain}.API.{what}"
    for domain in ("centre", "JOURNAL_hill_gw1")
    for what in (
        "INFO",
        "STREAM.NAMES",
        "STREAM.LIST",
        "STREAM.INFO.JOURNAL",
        "STREAM.INFO.JOURNAL_hill_gw1",
        "STREAM.MSG.GET.JOURNAL",
        "STREAM.MSG.GET.JOURNAL_hill_gw1",
        "STREAM.PURGE.JOURNAL",
        "STREAM.DELETE.JOURNAL",
        "STREAM.DELETE.JOURNAL_hill_gw1",
        "STREAM.UPDATE.JOURNAL",
        "STREAM.CREATE.MINE",
        "CONSUMER.CREATE.JOURNAL",
        "CONSUMER.CREATE.JOURNAL_hill_gw1",
        "CONSUMER.DURABLE.CREATE.JOURNAL.mine",
        "CONSUMER.NAMES.JOURNAL",
        "CONSUMER.MSG.NEXT.JOURNAL.tables",
        "CONSUMER.DELETE.JOURNAL.tables",
    )
] + ["JS.JOURNAL_hill_gw1.API.CONSUMER.CREATE.JOURNAL_hill_gw1", "$JS.ACK.JOURNAL.tables.1.1.1.1.1"]


def test_a_school_is_told_nothing_of_another_or_the_centre(place: Trust) -> None:
    async def told(client: Client) -> list[str]:
        found = []
        for what in OF_OTHERS:
            with suppress(nats.errors.NoRespondersError, nats.errors.TimeoutError):
                answer = await client.request(what, b'{"name":"MINE"}', timeout=0.3)
                if "error" not in json.loads(answer.data):
                    found.append(what)
        return found

    assert servers.asked(place.leaves[FIRST].url, told, **GATEWAY) == []
    # The centre itself is answered.
    assert "error" not in servers.api(place.centre.url, "STREAM.INFO.JOURNAL", **CENTRE)


def test_a_school_hears_nothing_of_another(place: Trust) -> None:
    async def heard(client: Client) -> set[str]:
        everything = await client.subscribe(">")
        await client.flush()
        for one in GATEWAYS:
            await _published(place, one)
        found = set()
        # Servers themselves talk without end.
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while True:
                    found.add((await everything.next_msg(timeout=3)).subject)
        return found

    found = servers.asked(place.leaves[FIRST].url, heard, **GATEWAY)
    assert "journal.hermitage.gw1" in found
    assert not [one for one in found if "hill" in one]


async def _published(place: Trust, gateway: tuple[str, str]) -> None:
    client = Client()
    await client.connect(place.leaves[gateway].url, allow_reconnect=False, **GATEWAY)
    one = Shipment("secret.jsonl#1", 0, 10, [10], [b'{"id":"secret"}'])
    await client.jetstream().publish("journal." + ".".join(gateway), packed(one))
    await client.close()


def test_nobody_is_let_in_at_the_centre_without_a_key(place: Trust) -> None:
    async def nothing(_client: Client) -> None:
        return None

    for given in ({}, GATEWAY, {**CENTRE, "password": "x"}):
        with pytest.raises(nats.errors.Error):
            servers.asked(place.centre.url, nothing, **given)
