"""A real gateway under traffic, watched by Prometheus and Alertmanager with the shipped rules.

Every query of every dashboard has an answer, and alerts reach a webhook and end again.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from deploy.dashboards.board import Board, Panel
from deploy.dashboards.everything import BOARDS
from schoolgate import bootstrap
from tests import gateway, leaking
from tests.dashboards import queries
from tests.gateway import eventually
from tests.origin import Origin
from tests.services.requested import DECLINE, HEAD
from tests.system.conftest import program
from tests.system.scene import BLOCKED, Scene, playing
from tests.system.watching import Watching

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a directory of root's"),
]

RATE, RANGE_SECONDS = "10s", 60
SURGE = 200


@pytest.fixture(scope="module")
def scene(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with playing(site, tmp_path_factory.mktemp("watched")) as scene:
        yield scene


def answered(watch: Watching, panel: Panel, expr: str) -> bool:
    """Ask as Grafana does, and say whether anything but "not a number" came."""
    if panel.kind.is_instant:
        result = watch.ask("query", query=expr)["result"]
        return any(one["value"][1] != "NaN" for one in result)
    end = bootstrap.now().timestamp()
    times = {"start": end - RANGE_SECONDS, "end": end, "step": 2}
    result = watch.ask("query_range", query=expr, **times)["result"]
    return any(value != "NaN" for one in result for _, value in one["values"])


def asked(board: Board, **chosen: str) -> Iterator[tuple[Panel, str]]:
    """Give each query of a dashboard, for what a viewer chose."""
    # As Grafana writes a value into a query.
    written = {name: re.escape(one).replace("\\", "\\\\") for name, one in chosen.items()}
    for panel in board.panels():
        for query in panel.queries:
            variables, span = queries.ANY | written, f"{RANGE_SECONDS}s"
            yield panel, queries.filled(query.expr, variables, RATE, span)


def unanswered(scene: Scene, board: Board, **chosen: str) -> list[str]:
    """Give the titles of panels that stay empty."""
    found = asked(board, **chosen)
    return [panel.title for panel, expr in found if not answered(scene.watch, panel, expr)]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_panel_has_an_answer(scene: Scene, board: Board) -> None:
    assert eventually(lambda: not unanswered(scene, board)), unanswered(scene, board)


CHOICES = [
    pytest.param(board, name, metric, id=f"{board.uid}-{name}")
    for board in BOARDS
    for name, metric in [
        ("job", "schoolgate_policy_version"),
        ("instance", "schoolgate_policy_version"),
        *((each.name, each.metric) for each in board.variables),
    ]
]


@pytest.mark.parametrize(("board", "name", "metric"), CHOICES)
def test_every_panel_has_an_answer_whatever_a_viewer_chooses(
    scene: Scene, board: Board, name: str, metric: str
) -> None:
    """Of a category that nothing was blocked of, what is said of blocked requests is empty, and no more."""
    found = values(scene, metric, name)
    assert found
    for value in found:
        chosen = {name: value}
        may_be_empty = {
            panel.title
            for panel in board.panels()
            if name == "category" and any('verdict="block"' in each.expr for each in panel.queries)
        }
        lacks = partial(lambda of: set(unanswered(scene, board, **of)), chosen)
        assert eventually(lambda lacks=lacks, but=may_be_empty: lacks() <= but), (value, lacks())  # type: ignore[misc]


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
    for word in (
        "bet365",
        "protonvpn",
        "127.0.0.1",
        "games.example",
        "friends.example",
        "teacher",
        "bing",
        "kill",
        "of-pupils",
    ):
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
    assert eventually(lambda: serving(scene) == gateway.WORKERS)


def serving(scene: Scene) -> float:
    """Give how many workers serve, as Prometheus has it."""
    found = scene.watch.ask("query", query="sum(schoolgate_worker_up)")["result"]
    return sum(float(one["value"][1]) for one in found)


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


def test_a_feed_that_is_stale_is_told_until_it_is_fetched(scene: Scene) -> None:
    told, alert = scene.watch.told, "SchoolgateFeedStale"
    assert eventually(lambda: told.last(alert) == "firing")
    scene.fetch()
    assert eventually(lambda: told.last(alert) == "resolved")


def test_a_receiver_of_the_journal_that_refuses_lines_and_one_that_is_away_are_told(
    scene: Scene,
) -> None:
    scene.came.status = 400
    assert eventually(lambda: scene.watch.told.of("SchoolgateShippingLost", "firing"))
    scene.came.status = 503
    assert eventually(lambda: scene.watch.told.of("SchoolgateShippingDown", "firing"))
    scene.came.status = 204
    fires_and_ends(scene, "SchoolgateShippingDown")
    fires_and_ends(scene, "SchoolgateShippingLost")


def test_what_needs_no_alert_raises_none(scene: Scene) -> None:
    """Ordinary traffic, and what the tests above did on purpose."""
    fired = {alert for alert, status in scene.watch.told.alerts if status == "firing"}
    on_purpose = {
        "SchoolgateBlockedSurge",
        "SchoolgateCircumventionSurge",
        "SchoolgateConcern",
        "SchoolgateDanger",
        "SchoolgateFeedStale",
        # Nobody is told of the request that has waited for two days: there is no mail server.
        "SchoolgateMailLate",
        "SchoolgateRequestWaits",
        "SchoolgateSelfTestFailed",
        "SchoolgateShippingDown",
        "SchoolgateShippingLost",
        # One look that met the killed worker is as long as the alert waits here.
        "SchoolgateWorkerDown",
        "SchoolgateWorkerReplaced",
        # Of the machine that the tests share.
        "SchoolgateDecisionsSlow",
        "SchoolgateWorkersLate",
    }
    assert fired <= on_purpose


def test_a_gateway_that_has_ended_is_told(scene: Scene) -> None:
    scene.gate.process.send_signal(signal.SIGINT)
    assert scene.gate.process.wait(gateway.PATIENCE_SECONDS) == 0
    assert eventually(lambda: scene.watch.told.of("SchoolgateDown", "firing"))
