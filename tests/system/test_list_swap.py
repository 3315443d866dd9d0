"""A gateway under requests takes up new lists, and takes them back, without one request that goes wrong."""

from itertools import groupby
from pathlib import Path

import pytest

from tests import gateway
from tests.gateway import ROOT, eventually
from tests.origin import Origin
from tests.publisher import listed, publishing, register
from tests.steady import DEVICES, asking

OPEN, CLOSED, NEW = "open.test", "closed.test", "new.test"
# So many before and after each change.
_LEAST = 20


@pytest.mark.long
def test_new_lists_and_a_rollback_lose_no_request(site: Origin, tmp_path: Path) -> None:
    """What both generations let through or block never fails; what only one blocks changes once."""
    pages = {name: f"http://{name}:{site.http_port}/bytes/100" for name in (OPEN, CLOSED, NEW)}
    with publishing() as publisher:
        (tmp_path / "categories").mkdir()
        feed: dict[str, object] = {"lists": {"bets": listed("bets.txt")}}
        (tmp_path / "categories" / "feeds.yaml").write_text(register(publisher.base, theirs=feed))
        others = b"".join(b"bad%d.example\n" % number for number in range(20_000))
        publisher.lists["bets.txt"] = others + CLOSED.encode()
        config = gateway.write_config(
            tmp_path,
            proxy=gateway.to_origin(site, tuple(pages)),
            lists={
                "dirs": [str(ROOT / "categories"), str(tmp_path / "categories")],
                "feeds": ["theirs"],
            },
        )
        assert gateway.schoolgate("lists", "update", "--config", str(config)).returncode == 0
        with (
            gateway.running(config) as running,
            asking(running.proxy, list(pages.values()), 0.02) as steady,
        ):

            def settled(status: int) -> bool:
                """Say whether every device has been answered so for a while."""
                last = [steady.statuses(pages[NEW], device)[-_LEAST:] for device in DEVICES]
                return all(found == [status] * _LEAST for found in last)

            def figures() -> list[float]:
                names = ("domains", "held", "last_result")
                return [
                    running.metric(rf'^schoolgate_feed_{name}{{feed="theirs"}}') for name in names
                ]

            assert eventually(lambda: settled(200))
            assert figures() == [20_001, 0, 1]
            assert running.metric(r'^schoolgate_feed_age_seconds{feed="theirs"}') > 0
            publisher.lists["bets.txt"] = others + f"{CLOSED}\n{NEW}".encode()
            assert "generation 2 is live" in running.run("lists", "update").stdout
            assert eventually(lambda: settled(403))
            assert figures() == [20_002, 0, 1]
            assert "generation 1 is live" in running.run("lists", "rollback", "1").stdout
            assert eventually(lambda: settled(200))
            assert figures() == [20_001, 1, 1]
        for device in DEVICES:
            assert set(steady.statuses(pages[OPEN], device)) == {200}
            assert set(steady.statuses(pages[CLOSED], device)) == {403}
            # An answer on its way when its site was closed may be cut.
            changes = [status for status in steady.statuses(pages[NEW], device) if status]
            assert [status for status, _ in groupby(changes)] == [200, 403, 200]
        assert not any(line.startswith("ERROR") for line in running.lines)
