"""Locked lists through the real command: closed for everybody, alerted, and nothing kept of the address."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests import gateway
from tests.gateway import Gateway, eventually, put, schoolgate
from tests.lists.locked import NAMED, put_list
from tests.origin import Origin
from tests.proxy.test_gate import TRUSTED

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a directory of root's"),
]

READ, WHOLE = "origin.test", "www.dropbox.com"
# One address for each worker.
DEVICES = ("127.0.3.2", "127.0.3.3")
OK = rf'^schoolgate_locked_list_ok{{list="{NAMED}"}}'
ALERTS = r'^schoolgate_alerts_total{severity="high",theme="illegal"}'


@pytest.fixture(scope="module")
def own(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a list; each test leaves it as it found it."""
    directory = tmp_path_factory.mktemp("locked")
    (directory / "locked").mkdir()
    put_list(directory / "locked", f"{READ}/bytes/7\n{TRUSTED}/bytes/8\n{WHOLE}\n")
    config = gateway.write_config(
        directory, proxy=gateway.to_origin(site), lists={"locked_required": [NAMED]}
    )
    with gateway.running(config) as running:
        yield running


def locked(own: Gateway) -> Path:
    return own.config.parent / "locked"


def url(site: Origin, path: str = "/bytes/7", host: str = READ) -> str:
    return f"https://{host}:{site.https_port}{path}"


def status(client: httpx.Client, address: str) -> int:
    """Ask; again where the connection was cut because the rules changed."""
    try:
        return client.get(address).status_code
    except gateway.CUT:
        return client.get(address).status_code


def everywhere(own: Gateway, address: str, want: int) -> bool:
    """Wait until every worker gives a status."""
    with ExitStack() as opened:
        clients = [opened.enter_context(own.client(address=device)) for device in DEVICES]
        return all(eventually(lambda c=client: status(c, address) == want) for client in clients)  # type: ignore[misc]


def test_a_page_is_closed_and_nothing_is_said_or_kept_of_it(own: Gateway, site: Origin) -> None:
    with own.client(address="127.0.9.1") as client:
        before = own.metric(ALERTS)
        answer = client.get(url(site, "/bytes/%37?who=1"), headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["x-schoolgate-clause"]) == (403, "D-3-illegal")
        assert answer.headers["x-schoolgate-category"] == ""
        assert "nobody here can open it" in answer.text
        for word in ("illegal", "Illegal", "ticket", "/bytes", NAMED):
            assert word not in answer.text, word
        assert client.get(url(site, "/bytes/7/below")).status_code == 403
        assert client.get(url(site, "/bytes/6")).status_code == 200

    def mine() -> list[dict[str, Any]]:
        return [each for each in own.journal() if each.get("client") == "127.0.9.1"]

    assert eventually(lambda: len(mine()) >= 4)
    alerts = [each for each in mine() if each["event"] == "alert.raised"]
    blocked = [each for each in mine() if each.get("verdict") == "block"]
    # Two pages of one site, and one alert.
    assert (len(alerts), len(blocked)) == (1, 2)
    assert (alerts[0]["theme"], alerts[0]["host"], alerts[0]["feed"]) == ("illegal", READ, NAMED)
    for each in (*alerts, *blocked):
        assert len(each["list_hash"]) == 64
        for key in ("url", "search", "method", "entry", "status"):
            assert key not in each
        assert "bytes" not in str({k: v for k, v in each.items() if k != "bytes_down"})
    assert eventually(lambda: own.metric(ALERTS) == before + 1)


def test_a_host_is_closed_by_its_name_and_one_with_a_part_is_read(
    own: Gateway, site: Origin
) -> None:
    with own.client() as client:
        assert client.get(url(site, "/bytes/1", WHOLE)).status_code == 403
        # Of a category of which the name would be enough.
        assert client.get(url(site, "/bytes/8", TRUSTED)).status_code == 403
        assert client.get(url(site, "/bytes/1", TRUSTED)).status_code == 200


def test_no_command_and_no_list_lifts_an_entry(own: Gateway, site: Origin) -> None:
    head = ("--until", "1h", "--decided-by", "headteacher", "--reason", "x")
    refused = own.run("grants", "add", f"{READ}/bytes/7", *head)
    assert refused.returncode == 1
    assert "is locked there: nobody here can open it" in refused.stderr
    assert own.run("allow-lesson", "staff", f"{READ}/bytes/7", "--reason", "x").returncode != 0
    # What is around it may be opened, and it stays closed.
    assert own.run("grants", "add", READ, *head).returncode == 0
    local = own.config.parent / "local"
    put(local / "allow.txt", f"{READ}\n{READ}/bytes/7\n{WHOLE}\n")
    put(local / "pass.txt", f"{READ}\n{WHOLE}\n")
    put(local / "block.txt", "never-asked.example\n")
    other = own.run("check", "--json", f"https://{READ}/bytes/6").stdout
    assert '"grant": 1' in other
    assert everywhere(own, url(site), 403)
    assert everywhere(own, url(site, "/bytes/1", WHOLE), 403)
    assert own.run("grants", "revoke", "1").returncode == 0
    for name in ("allow.txt", "pass.txt", "block.txt"):
        (local / name).unlink()


def test_its_state_is_in_check_doctor_status_and_metrics(own: Gateway) -> None:
    found = yaml.safe_load(own.run("check", "--json", f"https://{READ}/bytes/7").stdout)
    assert (found["reason"], found["rule"], found["feed"], found["entry"]) == (
        "locked", "locked-list", NAMED, None,
    )  # fmt: skip
    state = found["locked"]
    assert (state["list"], state["version"], state["age_days"]) == (NAMED, "1", 0)
    assert (len(state["hash"]), len(state["entry_hash"])) == (64, 16)
    said = own.run("doctor").stdout
    assert f"locked list {NAMED}" in said
    assert "3 entries, version 1 of " in said
    (listed,) = yaml.safe_load(own.run("lists", "status", "--json").stdout)["locked"]
    assert (listed["list"], listed["entries"], listed["fault"]) == (NAMED, 3, "")
    assert state["hash"] == listed["hash"]
    shown = own.run("lists", "show", f"{READ}/bytes/7").stdout
    assert state["entry_hash"] in shown
    assert "bytes/7" not in shown
    assert eventually(lambda: own.metric(OK) == 1)
    assert own.metric(r"^schoolgate_locked_list_hash") == int(state["hash"][:12], 16)


def test_a_change_holds_on_all_workers_and_a_fault_changes_nothing(
    own: Gateway, site: Origin
) -> None:
    text = (locked(own) / f"{NAMED}.txt").read_text()
    assert everywhere(own, url(site, "/bytes/5"), 200)
    put_list(locked(own), f"{text}{READ}/bytes/5\n", version=2)
    assert everywhere(own, url(site, "/bytes/5"), 403)
    errors = own.metric(r"^schoolgate_reload_errors_total")
    put_list(locked(own), "<html>\n", version=3)
    assert eventually(lambda: own.metric(OK) == 0)
    assert own.metric(r"^schoolgate_reload_errors_total") > errors
    assert everywhere(own, url(site, "/bytes/5"), 403)
    assert "is no list" in own.run("doctor").stdout
    put_list(locked(own), text)
    assert everywhere(own, url(site, "/bytes/5"), 200)
    assert eventually(lambda: own.metric(OK) == 1)

    locked(own).chmod(0o777)
    assert eventually(lambda: own.metric(OK) == 0)
    assert everywhere(own, url(site), 403)
    assert any("can be written by others than root" in line for line in own.lines)
    locked(own).chmod(0o755)
    assert eventually(lambda: own.metric(OK) == 1)


def test_a_worker_that_is_replaced_meanwhile_has_the_last_good_list(
    own: Gateway, site: Origin
) -> None:
    locked(own).chmod(0o777)
    assert eventually(lambda: own.metric(OK) == 0)
    before = own.processes()
    os.kill(before[0], 9)
    assert eventually(lambda: len(own.processes()) == 2 and own.processes() != before)
    assert everywhere(own, url(site), 403)
    locked(own).chmod(0o755)
    assert eventually(lambda: own.metric(OK) == 1)


@pytest.mark.parametrize("trouble", ["missing", "writable", "damaged"])
def test_nothing_starts_where_a_list_cannot_be_believed(tmp_path: Path, trouble: str) -> None:
    config = gateway.write_config(tmp_path, lists={"locked_required": [NAMED]})
    (tmp_path / "locked").mkdir()
    if trouble != "missing":
        put_list(tmp_path / "locked", "<html>" if trouble == "damaged" else "bad.example")
    if trouble == "writable":
        (tmp_path / "locked").chmod(0o777)
    ended = schoolgate("run", "--config", str(config))
    assert ended.returncode == 2
    assert str(tmp_path / "locked") in ended.stderr
    assert gateway.READY not in ended.stdout
