"""A real gateway under traffic, watched by Prometheus and Alertmanager with the shipped rules.

Every query of every dashboard has an answer, and alerts reach a webhook and end again.
"""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from deploy.dashboards.board import Board, Panel
from deploy.dashboards.everything import BOARDS
from schoolgate import bootstrap
from schoolgate.core.approvals import AccessRequest
from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore, open_database
from tests import gateway, leaking
from tests.dashboards import queries
from tests.gateway import Gateway, eventually
from tests.origin import Origin
from tests.services.requested import APPROVE, DECLINE, HEAD, TEACHER, approvals, form, scope
from tests.system import watching
from tests.system.conftest import program
from tests.system.watching import Watching

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# Of the contract, and without a sample yet: as soon as one has, its panels are held to have an answer.
COMING = {
    "schoolgate_feed_age_seconds",
    "schoolgate_feed_domains",
    "schoolgate_feed_held",
    "schoolgate_feed_last_result",
    "schoolgate_incidents_open",
    "schoolgate_locked_list_ok",
    "schoolgate_stream_seconds_total",
}
RATE, RANGE_SECONDS = "10s", 60
SURGE = 200
BLOCKED, ROUND = "http://www.bet365.com/", "http://protonvpn.com/"


@dataclass(frozen=True)
class Scene:
    """What the tests look at."""

    gate: Gateway
    watch: Watching
    service: Approvals
    waiting: AccessRequest

    def shown(self) -> str:
        """Give what the gateway shows."""
        return self.gate.get("metrics").text


@pytest.fixture(scope="module")
def scene(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("watched")
    (directory / "watch").mkdir()
    proxy = gateway.to_origin(site)
    selftest = {"enabled": True, "every_seconds": 2}
    sections = {"proxy": proxy, "portal": {"enabled": True}, "selftest": selftest}
    config = gateway.write_config(directory, **sections)
    with ExitStack() as opened:
        gate = opened.enter_context(gateway.running(config, leaking.COMMAND))
        target = gate.address("metrics").removeprefix("http://").removesuffix("/metrics")
        watch = opened.enter_context(watching.running(directory / "watch", target))
        database = open_database(f"sqlite:///{gate.state}/schoolgate.db")
        opened.callback(database.dispose)
        service = approvals(ApprovalStore(database))
        opened.enter_context(traffic(gate, site))
        # One is decided now, and one has waited since the day before yesterday.
        now = bootstrap.now()
        decided = service.submit(form(scope(now=now)), TEACHER, now)
        seen = "schoolgate_access_requests_open"
        assert eventually(lambda: bool(watch.ask("query", query=f"{seen} > 0")["result"]))
        service.act(decided.id, decided.version, APPROVE, HEAD, bootstrap.now())
        past = now - timedelta(days=2)
        waiting = service.submit(form(scope("https://friends.example/", now=past)), TEACHER, past)
        yield Scene(gate, watch, service, waiting)


@contextmanager
def traffic(gate: Gateway, site: Origin) -> Iterator[None]:
    """Ask for pages all the time: open ones, blocked ones, ways round, and the portal's."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.5):
            with suppress(httpx.HTTPError), gate.client() as client:
                client.get(f"http://origin.test:{site.http_port}/")
                client.get(f"https://origin.test:{site.https_port}/")
                client.get(BLOCKED)
                client.get(ROUND)
                httpx.get(gate.address("portal"), trust_env=False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join()


def missing(scene: Scene) -> set[str]:
    """Give what is to come and is not there yet."""
    text = scene.shown()
    return {name for name in COMING if not re.search(rf"^{name}[{{ ]", text, re.MULTILINE)}


def answered(watch: Watching, panel: Panel, expr: str) -> bool:
    """Ask as Grafana does, and say whether anything but "not a number" came."""
    if panel.kind.is_instant:
        result = watch.ask("query", query=expr)["result"]
        return any(one["value"][1] != "NaN" for one in result)
    end = bootstrap.now().timestamp()
    times = {"start": end - RANGE_SECONDS, "end": end, "step": 2}
    result = watch.ask("query_range", query=expr, **times)["result"]
    return any(value != "NaN" for one in result for _, value in one["values"])


def asked(board: Board, lacking: set[str], **chosen: str) -> Iterator[tuple[Panel, str]]:
    """Give each query of a dashboard that can have an answer, for what a viewer chose."""
    for panel in board.panels():
        for query in panel.queries:
            names = {name for name, _ in queries.selectors(query.expr)}
            if not names & lacking:
                # As Grafana writes a value into a query.
                written = {n: re.escape(one).replace("\\", "\\\\") for n, one in chosen.items()}
                variables = queries.ANY | written
                span = f"{RANGE_SECONDS}s"
                yield panel, queries.filled(query.expr, variables, RATE, span)


def unanswered(scene: Scene, board: Board, **chosen: str) -> list[str]:
    """Give the titles of panels that stay empty."""
    found = asked(board, missing(scene), **chosen)
    return [panel.title for panel, expr in found if not answered(scene.watch, panel, expr)]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_panel_has_an_answer(scene: Scene, board: Board) -> None:
    assert eventually(lambda: not unanswered(scene, board)), unanswered(scene, board)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
@pytest.mark.parametrize("name", ["job", "instance"])
def test_every_panel_has_an_answer_for_one_gateway(scene: Scene, board: Board, name: str) -> None:
    for value in values(scene, "schoolgate_policy_version", name):
        chosen = {name: value}
        assert eventually(partial(lambda one: not unanswered(scene, board, **one), chosen))


@pytest.mark.parametrize(
    ("board", "variable"),
    [
        pytest.param(board, variable, id=f"{board.uid}-{variable.name}")
        for board in BOARDS
        for variable in board.variables
    ],
)
def test_whatever_a_viewer_chooses_no_query_fails(
    scene: Scene, board: Board, variable: Any
) -> None:
    """Not each category was asked for by each group, so that a panel may be empty; not all are."""
    found = values(scene, variable.metric, variable.name)
    assert found
    for value in found:
        every = list(asked(board, missing(scene), **{variable.name: value}))
        assert sum(answered(scene.watch, panel, expr) for panel, expr in every)


def values(scene: Scene, metric: str, label: str) -> list[str]:
    return list(scene.watch.ask(f"label/{label}/values", **{"match[]": metric}))


def test_what_is_shown_is_valid(scene: Scene) -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=scene.shown(),
        text=True,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    answer = httpx.get(
        scene.gate.address("metrics"),
        headers={"Accept": "application/openmetrics-text;version=1.0.0"},
        trust_env=False,
    )
    families = list(text_string_to_metric_families(answer.text))  # type: ignore[no-untyped-call]
    assert len(families) > 30


def test_no_page_and_no_address_is_in_the_figures(scene: Scene) -> None:
    text = scene.shown()
    for word in ("bet365", "protonvpn", "127.0.0.1", "games.example", "friends.example", "teacher"):
        assert word not in text


def test_what_a_client_asks_for_makes_no_more_series(scene: Scene) -> None:
    def series() -> set[str]:
        lines = scene.shown().splitlines()
        return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}

    with scene.gate.client() as client:
        client.get("http://www.williamhill.com/")
        before = series()
        for number in range(50):
            client.get(f"http://n{number}.williamhill.com/{number}?q={number}")
    assert series() == before


def fires_and_ends(scene: Scene, alert: str) -> None:
    assert eventually(lambda: scene.watch.told.of(alert, "firing")), alert
    assert eventually(lambda: scene.watch.told.of(alert, "resolved")), alert


def test_a_surge_is_told_and_ends(scene: Scene) -> None:
    with scene.gate.client() as client:
        for _ in range(SURGE):
            client.get(BLOCKED)
    fires_and_ends(scene, "SchoolgateBlockedSurge")


def test_a_dead_worker_is_told_and_ends(scene: Scene) -> None:
    os.kill(scene.gate.processes()[0], signal.SIGKILL)
    fires_and_ends(scene, "SchoolgateWorkerReplaced")
    assert scene.gate.metric("schoolgate_worker_up") == gateway.WORKERS


def test_a_request_that_waits_is_told_until_it_is_decided(scene: Scene) -> None:
    told, alert = scene.watch.told, "SchoolgateRequestWaits"
    assert eventually(lambda: told.of(alert, "firing"))
    assert eventually(lambda: any(alert in mail for mail in told.mails))
    assert not told.of(alert, "resolved")
    waiting = scene.waiting
    scene.service.act(waiting.id, waiting.version, DECLINE, HEAD, bootstrap.now())
    assert eventually(lambda: told.of(alert, "resolved"))


def test_filtering_that_stops_is_told_and_that_it_is_back(scene: Scene) -> None:
    """The workers let everything through for some seconds, of which nothing else says a word."""
    told, alert = scene.watch.told, "SchoolgateSelfTestFailed"
    assert not told.of(alert, "firing")
    flag = scene.gate.config.parent / leaking.LEAK
    flag.touch()
    try:
        assert eventually(lambda: told.of(alert, "firing"))
    finally:
        flag.unlink()
    assert eventually(lambda: told.of(alert, "resolved"))


def test_what_needs_no_alert_raises_none(scene: Scene) -> None:
    """Ordinary traffic, and what the tests above did on purpose."""
    fired = {alert for alert, status in scene.watch.told.alerts if status == "firing"}
    on_purpose = {
        "SchoolgateBlockedSurge",
        "SchoolgateCircumventionSurge",
        "SchoolgateConcern",
        # Nobody is told of the request that has waited for two days: there is no mail server.
        "SchoolgateMailLate",
        "SchoolgateRequestWaits",
        "SchoolgateSelfTestFailed",
        # One look that met the killed worker is as long as the alert waits here.
        "SchoolgateWorkerDown",
        "SchoolgateWorkerReplaced",
        # Of the machine that the tests share.
        "SchoolgateWorkersLate",
    }
    assert fired <= on_purpose


def test_a_gateway_that_has_ended_is_told(scene: Scene) -> None:
    scene.gate.process.send_signal(signal.SIGINT)
    assert scene.gate.process.wait(gateway.PATIENCE_SECONDS) == 0
    assert eventually(lambda: scene.watch.told.of("SchoolgateDown", "firing"))
