"""A gateway of a trust says how it is: from its files and its board, and into its school's database."""

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate import __version__
from schoolgate.bootstrap.exposition import Beside, Shown
from schoolgate.bootstrap.gateway_state import Looking, policy_of
from schoolgate.bootstrap.worker import JOURNAL_FAULT
from schoolgate.bundles.manifest import BundleFile, Manifest
from schoolgate.bundles.store import BundleStore
from schoolgate.lists.generations import Generation, begin, finish, make_live, write_manifest
from schoolgate.services.gateway_reporting import EVERY_SECONDS
from schoolgate.services.selftest_results import Result, Round, write_round
from schoolgate.settings import Settings, load_settings
from schoolgate.shipping.tail import Position, write_position
from schoolgate.storage import open_database
from schoolgate.storage.gateway_states import MIXED, GatewayState, GatewayStates
from schoolgate.workers import Board, Row
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.storage.days import at

MARK = 0x00AB_CDEF_0123
UP, DOWN = Row(5.0, True, mark=MARK), Row()
TRUST = {"school": "hermitage", "gateway": "gw1"}
STARTED = at(8)


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        ([UP, UP], "00abcdef0123"),
        ([UP, DOWN], "00abcdef0123"),
        ([UP, Row(5.0, False, mark=7)], "00abcdef0123"),
        ([UP, Row(5.0, True, mark=7)], MIXED),
        ([UP, Row(5.0, True)], "00abcdef0123"),
        ([DOWN, DOWN], ""),
        ([], ""),
    ],
)
def test_the_policy_is_that_of_the_workers_that_serve(rows: list[Row], want: str) -> None:
    assert policy_of(rows) == want


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    to = [{"kind": "journald", "socket": str(tmp_path / "none")}]
    config = gateway.write_config(
        tmp_path,
        trust=TRUST,
        bundles={"url": "https://centre.example/bundles", "ring": "canary"},
        selftest={"enabled": True},
        shipping={"to": to},
    )
    settings = load_settings(config, {})
    settings.journal_dir.mkdir(parents=True)
    return settings


def seen(look: Looking) -> GatewayState:
    found = look()
    assert found is not None
    return found


@pytest.fixture
def look(settings: Settings) -> Iterator[Looking]:
    rows = [UP, UP, Row(5.0, True), Row(5.0, True), Row(5.0, True)]
    board = Board(len(rows))
    board.write(1e12, rows)
    with socket.socket() as listener:
        beside = (Beside.JOBS, Beside.SELFTEST)
        shown = Shown(listener, Path(), board, 2, settings.journal_dir, beside)
        yield Looking(settings, shown, STARTED)


PLAIN = GatewayState(
    "hermitage", "gw1", __version__, STARTED, ring="canary", policy="00abcdef0123",
    workers_wanted=2, workers_up=2,
)  # fmt: skip


def test_of_a_gateway_that_has_nothing_yet_it_says_what_runs(look: Looking) -> None:
    assert look() == PLAIN


def test_a_gateway_that_starts_says_nothing_for_a_minute(look: Looking) -> None:
    look.shown.board.write(1e12, [UP, DOWN, UP, UP, UP])
    look.started = datetime.now(UTC)
    assert look() is None
    look.started -= timedelta(minutes=1)
    found = look()
    assert found is not None
    assert (found.workers_up, found.workers_wanted) == (1, 2)


def test_what_does_not_run_is_said_by_its_kind(look: Looking) -> None:
    rows = [Row(5.0, True, JOURNAL_FAULT, mark=MARK), DOWN, UP, DOWN, UP]
    look.shown.board.write(0.0, rows)
    want = ("jobs", "journal", "supervisor")
    assert look() == replace(PLAIN, workers_up=1, faults=want)


def test_the_bundle_and_its_ring_are_those_in_force(look: Looking, settings: Settings) -> None:
    store, one = BundleStore(settings.bundles_dir), BundleFile(path="x", length=1, sha256="a" * 64)
    for number, version in ((3, 11), (2, 12)):
        manifest = Manifest(
            version=version, bundle=number, ring="all", made=at(8), expires=at(9), files=(one,)
        )
        aside = store.lay_out(manifest.as_bytes(), {})
        store.put_in_force(aside, manifest, 5)
        assert look() == replace(PLAIN, bundle=number, bundle_version=version, ring="all")
    store.tried(at(9), "the centre cannot be reached")
    assert seen(look).faults == ("bundle",)
    shutil.rmtree(settings.bundles_dir / "generations")
    settings.bundles_dir.joinpath("status.json").write_text("{")
    assert seen(look).faults == ("bundle",)


def test_lists_and_index_are_as_old_as_they_say(look: Looking, settings: Settings) -> None:
    aside = begin(settings.lists_dir)
    write_manifest(Generation(aside, 4, at(7), "test"))
    live = finish(settings.lists_dir, aside, 4)
    make_live(settings.lists_dir, 4)
    (live / "sites.index").touch()
    found = seen(look)
    assert (found.lists, found.lists_made) == (4, at(7))
    assert found.index_made is not None
    assert abs(datetime.now(UTC) - found.index_made) < timedelta(hours=1)


def test_what_the_selftest_found_and_what_waits_is_counted(
    look: Looking, settings: Settings
) -> None:
    results = tuple(Result("block", group, ok) for group, ok in (("a", True), ("b", False)))
    write_round(settings.selftest_file, Round(datetime.now(UTC), 60, 1, results))
    kept = settings.state_dir / "kept-requests"
    kept.mkdir()
    for name in ("a.json", "b.json", "c.new", "d.unreadable"):
        (kept / name).touch()
    found = seen(look)
    assert (found.selftest_failures, found.kept_requests) == (1, 2)


def test_the_journal_waits_since_the_first_line_that_somebody_lacks(
    look: Looking, settings: Settings
) -> None:
    lines = [json.dumps({"ts": at(hour).isoformat()}) + "\n" for hour in (9, 10)]
    day = f"{at(9):%Y-%m-%d}.jsonl"
    (settings.journal_dir / day).write_text("".join(lines))
    kept = settings.state_dir / "shipping"
    kept.mkdir()
    for offset, want in ((0, at(9)), (len(lines[0]), at(10)), (len("".join(lines)), None)):
        write_position(kept / "journald.json", Position(day, offset))
        assert seen(look).unsent_since == want


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("reporting")
    copied = shutil.copytree(gateway.ROOT / "config", directory / "config")
    policies = str(copied / "policies")
    config = gateway.write_config(directory, trust=TRUST, policies_dir=policies)
    with gateway.running(config) as gate:
        yield gate


@pytest.mark.long
def test_a_running_gateway_reports_and_says_at_once_what_has_changed(running: Gateway) -> None:
    settings = load_settings(running.config, {})
    database = open_database(settings.database_url)
    store = GatewayStates(database)
    assert eventually(lambda: bool(store.read().reports))
    [first] = store.read().reports
    state = first.state
    assert (state.school, state.gateway, state.program) == ("hermitage", "gw1", __version__)
    assert (state.workers_up, state.workers_wanted) == (gateway.WORKERS, gateway.WORKERS)
    assert eventually(lambda: len(store.read().reports[0].state.policy) == 12)
    state = store.read().reports[0].state
    assert (state.faults, state.selftest_failures, state.bundle) == ((), None, 0)
    assert state.started_at < first.clock
    # One machine has one clock.
    assert abs(first.clock - first.at) < timedelta(seconds=5)
    policy = settings.policies_dir / "wellstead.yaml"
    gateway.put(policy, policy.read_text() + "# changed\n")
    before = store.read().reports[0]
    assert eventually(lambda: store.read().reports[0].state.policy not in (state.policy, MIXED, ""))
    # Long before the next one would have been due.
    assert store.read().reports[0].at - before.at < timedelta(seconds=EVERY_SECONDS)
    database.dispose()
