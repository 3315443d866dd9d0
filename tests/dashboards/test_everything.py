"""The dashboards are those of the code, pass Grafana's schema and linter's rules, and know no person."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.dashboards.board import Board
from deploy.dashboards.everything import BOARDS, read, texts, write
from tests.dashboards import queries
from tests.data import shared
from tests.gateway import ROOT

DIRECTORY = ROOT / "deploy/grafana/dashboards"
MADE = read(DIRECTORY)
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Of Grafana's list (packages/grafana-data/src/valueFormats/categories.ts).
UNITS = {
    "short",
    "locale",
    "none",
    "s",
    "reqps",
    "cps",
    "Bps",
    "bytes",
    "percentunit",
    "bool_yes_no",
}
# Nothing by which a person is known may be asked for.
PERSONAL = {"user", "client", "device", "host", "url", "address", "ip", "entry", "network"}
PANELS = [
    pytest.param(made["title"], panel, id=f"{made['uid']}-{panel['title']}".replace(" ", "-"))
    for made in MADE.values()
    for panel in made["panels"]
    if panel["type"] != "row"
]


def recorded() -> set[str]:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules/schoolgate.rules.yml").read_text())
    return {rule["record"] for group in rules["groups"] for rule in group["rules"]}


def excluded(rule: str) -> set[tuple[str, str]]:
    lint = yaml.safe_load((DIRECTORY / ".lint").read_text())
    entries = lint["exclusions"].get(rule, {}).get("entries", [])
    return {(entry["dashboard"], entry["panel"]) for entry in entries}


def test_what_is_kept_is_what_the_code_makes() -> None:
    """After a change: python -m deploy.dashboards."""
    assert {file.name: file.read_text() for file in DIRECTORY.iterdir()} == dict(texts())


def test_what_is_written_is_what_is_made(tmp_path: Path) -> None:
    write(tmp_path / "made")
    assert {file.name: file.read_text() for file in (tmp_path / "made").iterdir()} == dict(texts())


def test_the_five_dashboards_are_there() -> None:
    titles = {made["title"].removeprefix("Schoolgate: ") for made in MADE.values()}
    assert titles == {"Gateway", "Filtering", "Requests for access", "Safeguarding", "Trust"}


@pytest.mark.parametrize("name", MADE)
def test_the_schema_of_grafana_is_met(name: str) -> None:
    schema = json.loads(
        shared("cases/09-monitoring/grafana-schema/dashboard.jsonschema.json").read_text()
    )
    checked = jsonschema.Draft7Validator(schema)
    assert [error.message for error in checked.iter_errors(MADE[name])] == []


@pytest.mark.parametrize("name", MADE)
def test_nobody_changes_a_dashboard_but_in_the_code(name: str) -> None:
    """uneditable-dashboard."""
    assert MADE[name]["editable"] is False


@pytest.mark.parametrize("name", MADE)
def test_a_viewer_chooses_data_source_job_and_instance(name: str) -> None:
    """template-datasource, template-job, template-instance, template-on-time-change-reload."""
    variables = {one["name"]: one for one in MADE[name]["templating"]["list"]}
    sources = [one for one in variables.values() if one["type"] == "datasource"]
    assert [(one["name"], one["label"], one["query"]) for one in sources] == [
        ("datasource", "Data Source", "prometheus")
    ]
    for label in ("job", "instance"):
        one = variables[label]
        assert (one["type"], one["label"], one["datasource"]) == ("query", label, SOURCE)
        assert (one["multi"], one["includeAll"], one["allValue"]) == (True, True, ".+")
    for one in variables.values():
        if one["type"] == "query":
            assert one["refresh"] == 2
            [asked] = re.findall(r"label_values\((.*), \w+\)", one["query"])
            queries.parsed(asked)


@pytest.mark.parametrize("name", MADE)
def test_each_dashboard_leads_to_the_portal_and_to_the_others(name: str) -> None:
    links = {link["type"]: link for link in MADE[name]["links"]}
    assert links["link"]["url"] == "${portal}"
    assert links["dashboards"]["tags"] == ["schoolgate"] == MADE[name]["tags"]


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_each_panel_says_what_it_shows(board: str, panel: dict[str, Any]) -> None:
    """panel-title-description, panel-units, panel-datasource, panel-no-targets."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["datasource"] == SOURCE
    assert panel["targets"]
    assert all(target["datasource"] == SOURCE for target in panel["targets"])
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_each_query_keeps_to_the_rules(board: str, panel: dict[str, Any]) -> None:
    """target-promql, target-job, target-instance, target-rate-interval, target-counter-agg."""
    is_of_the_centre = all(
        (board, panel["title"]) in excluded(f"target-{label}-rule") for label in ("job", "instance")
    )
    may_range = (board, panel["title"]) in excluded("target-rate-interval-rule")
    for target in panel["targets"]:
        expr = target["expr"]
        for _, matchers in queries.selectors(expr):
            if is_of_the_centre:
                assert matchers == {"job": "schoolgate-trust"}, expr
            else:
                assert matchers["job"] == matchers["instance"] == ".+", expr
        allowed = {"$__range"} if may_range else {"$__rate_interval"}
        assert queries.ranges(expr) <= allowed
        assert not [name for name in queries.outside_of_rates(expr) if name.endswith("_total")]


@pytest.mark.parametrize(("board", "panel"), PANELS)
def test_no_query_asks_for_a_person(board: str, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        labels = {name for _, matchers in queries.selectors(target["expr"]) for name in matchers}
        labels |= set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", target["expr"]))))
        labels |= set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
        assert not labels & PERSONAL


def test_each_recorded_metric_that_is_asked_for_is_recorded() -> None:
    asked = {
        name
        for board in BOARDS
        for panel in board.panels()
        for query in panel.queries
        for name, _ in queries.selectors(query.expr)
        if ":" in name
    }
    assert asked <= recorded()


def test_provisioning_finds_them() -> None:
    provisioning = ROOT / "deploy/grafana/provisioning"
    [provider] = yaml.safe_load((provisioning / "dashboards/schoolgate.yaml").read_text())[
        "providers"
    ]
    assert provider["options"]["path"] == "/usr/share/doc/schoolgate/examples/grafana/dashboards"
    assert provider["allowUiUpdates"] is False
    [source] = yaml.safe_load((provisioning / "datasources/schoolgate.yaml").read_text())[
        "datasources"
    ]
    assert source["type"] == "prometheus"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_the_guide_has_a_picture_of_each(board: Board) -> None:
    """After a change: make pictures."""
    assert f"(images/{board.uid}.png)" in (ROOT / "docs/monitoring.md").read_text()
    assert (ROOT / f"docs/images/{board.uid}.png").stat().st_size < 500_000
