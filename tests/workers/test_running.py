"""The real command with two workers under load: killed, stopped, reloaded, added up."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests import gateway
from tests.gateway import Gateway, eventually
from tests.origin import Origin
from tests.workers import load

# Steered by the address modulo two: an even one reaches worker 1, an odd one worker 2.
FIRST, SECOND = "127.0.0.2", "127.0.0.3"
MEGABYTE = 1_000_000
DOWNLOAD = 100 * MEGABYTE
ALLOWED = r'^schoolgate_requests_total{.*verdict="allow"'
RESTARTS = "^schoolgate_worker_restarts_total"
UP = "^schoolgate_worker_up"


def ask(own: Gateway, site: Origin, address: str, times: int) -> None:
    with own.client(address=address) as client:
        for _ in range(times):
            assert client.get(f"http://origin.test:{site.http_port}/").status_code == 200


def is_whole(own: Gateway, pid: int) -> bool:
    """Give whether all workers serve, and that one is none of them."""
    return pid not in own.processes() and own.metric(UP) == gateway.WORKERS


def test_each_client_has_its_worker_and_the_figures_are_those_of_all(
    own_config: Path, site: Origin
) -> None:
    with gateway.running(own_config) as own:
        ask(own, site, FIRST, 3)
        ask(own, site, SECOND, 4)
        assert own.metric(ALLOWED) == 7
        assert own.metric(r"^schoolgate_decision_seconds_count") == 7
        assert own.metric("^schoolgate_grants_active ") == 0
        assert own.metric("^schoolgate_policy_version ") == 1
        assert [own.metric(UP + f'{{worker="{n}"}}') for n in (1, 2)] == [1, 1]
        assert len(own.processes()) == gateway.WORKERS
        assert len(own.processes("metrics")) == 1
    found = [(line["client"], line["worker"]) for line in own.journal()]
    assert sorted(found) == [(FIRST, 1)] * 3 + [(SECOND, 2)] * 4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_only_the_clients_of_a_worker_that_dies_or_hangs_notice_and_soon_they_have_another(
    own_config: Path, site: Origin, number: signal.Signals
) -> None:
    with gateway.running(own_config) as own:
        ask(own, site, SECOND, 5)
        assert own.metric(ALLOWED) == 5
        long = load.Download(own, site, FIRST, DOWNLOAD)
        with load.clients(own, site, [FIRST, SECOND]) as (others, its_own):
            victim = own.processes()[1]
            began = time.monotonic()
            os.kill(victim, number)
            assert eventually(lambda: victim not in own.processes())
            assert eventually(lambda: len(own.processes()) == gateway.WORKERS)
            before = its_own.done
            load.more([its_own], 1)
            print(f"{number.name}: served again after {time.monotonic() - began:.2f} s")
            load.more([others, its_own])
        assert eventually(lambda: is_whole(own, victim))
        assert own.metric(RESTARTS + '{worker="1"}') == 0
        assert own.metric(RESTARTS + '{worker="2"}') == 1
        # One connection at a time: the one that was there. What waited for the worker is served.
        assert len(its_own.failures) <= 1
        assert others.failures == []
        assert long.finish() == DOWNLOAD
        # What was shown of the worker before it died is still shown; only its last moment is gone.
        assert own.metric(ALLOWED) >= 5 + 1 + others.done + its_own.done - before
    ids = [line["id"] for line in own.journal()]
    assert len(set(ids)) == len(ids)


def test_a_reload_costs_nobody_a_connection(own_config: Path, site: Origin) -> None:
    with gateway.running(own_config) as own:
        addresses = [f"127.0.0.{number}" for number in range(2, 6)]
        downloads = [load.Download(own, site, address, DOWNLOAD) for address in (FIRST, SECOND)]
        with load.clients(own, site, addresses) as asking:
            for _ in range(3):
                # Those with a download stay until it ends.
                before = set(own.processes())
                own.process.send_signal(signal.SIGHUP)
                assert eventually(lambda: len(set(own.processes()) - before) == gateway.WORKERS)  # noqa: B023
                load.more(asking)
        assert [client.failures for client in asking] == [[]] * len(addresses)
        print(f"{sum(client.done for client in asking)} connections over 3 reloads, none failed")
        assert [download.finish() for download in downloads] == [DOWNLOAD] * 2
        assert eventually(lambda: len(own.processes()) == gateway.WORKERS)
        assert own.metric(UP) == gateway.WORKERS
        assert own.metric(RESTARTS) == 0
        asked = sum(client.done for client in asking) + len(downloads)
        assert own.metric(ALLOWED) == asked
    ids = [line["id"] for line in own.journal()]
    assert len(set(ids)) == len(ids) == asked


def test_a_reload_reads_the_settings_again_and_says_what_needs_a_restart(
    own_config: Path, site: Origin
) -> None:
    changed = gateway.to_origin(site)
    with gateway.running(own_config) as own:
        ask(own, site, FIRST, 1)
        before = own.processes()
        gateway.write_config(
            own_config.parent, gateway="renamed", proxy={**changed, "listen": "127.0.0.1:1"}
        )
        own.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: not set(before) & set(own.processes()))
        ask(own, site, FIRST, 1)
        assert any("A change of proxy.listen needs a restart" in line for line in own.lines)
    assert [line["gateway"] for line in own.journal()] == ["gateway", "renamed"]


def test_a_reload_of_what_is_wrong_changes_nothing(own_config: Path, site: Origin) -> None:
    with gateway.running(own_config) as own:
        before = own.processes()
        good = own_config.read_text()
        own_config.write_text("proxi: 5\n")
        own.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: any("unknown key 'proxi'" in line for line in own.lines))
        own_config.write_text(good)
        block = own_config.parent / "local" / "block.txt"
        block.write_text("not a host\n")
        own.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: sum("is not relieved" in line for line in own.lines) == 2)
        assert own.processes() == before
        ask(own, site, FIRST, 1)


def test_a_replacement_serves_even_when_the_files_are_wrong_meanwhile(
    own_config: Path, site: Origin
) -> None:
    """With what was in force at the start, and says so."""
    with gateway.running(own_config) as own:
        (own_config.parent / "local" / "block.txt").write_text("not a host\n")
        victim = own.processes()[0]
        os.kill(victim, signal.SIGKILL)
        assert eventually(lambda: is_whole(own, victim))
        ask(own, site, FIRST, 1)
        said = "what was in force at the start of the gateway is in force"
        assert any(said in line for line in own.lines)


def test_the_health_says_which_worker_does_not_serve(own_config: Path) -> None:
    with gateway.running(own_config) as own:
        pid = own.process.pid
        os.kill(pid, signal.SIGSTOP)
        said = "The supervisor has not answered for "
        assert eventually(lambda: said in own.get("health").text)
        assert own.get("health").status_code == 503
        os.kill(pid, signal.SIGCONT)
        assert eventually(lambda: own.get("health").text == "ok\n")


def test_whoever_shows_the_metrics_is_replaced_too(own_config: Path) -> None:
    with gateway.running(own_config) as own:
        [victim] = own.processes("metrics")
        os.kill(victim, signal.SIGKILL)
        assert own.get("health").text == "ok\n"
        assert own.metric(UP) == gateway.WORKERS
        assert own.processes("metrics") != [victim]
