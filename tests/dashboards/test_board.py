"""How panels are drawn: thresholds by which way is bad, and one moment or a course of time."""

from typing import Any

import pytest

from deploy.dashboards.board import Board, Kind, Panel, Query, build


def drawn(**changes: Any) -> Any:
    panel = Panel("Waiting", "What waits.", [Query("up", "{{job}}")], "short", **changes)
    return build(Board("x", "X", "For a test.", (("Row", (panel,)),))).panels[1]  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({}, [(None, "green")]),
        ({"bad": 3.0}, [(None, "green"), (3.0, "red")]),
        ({"bad": 3.0, "falls": True}, [(None, "red"), (3.0, "green")]),
    ],
)
def test_what_is_bad_is_red(changes: dict[str, Any], want: list[tuple[float | None, str]]) -> None:
    steps = drawn(**changes).field_config.defaults.thresholds.steps
    assert [(step.value, step.color) for step in steps] == want


@pytest.mark.parametrize(
    ("kind", "type_", "instant"),
    [
        (Kind.LINES, "timeseries", False),
        (Kind.STACK, "timeseries", False),
        (Kind.NUMBER, "stat", False),
        (Kind.BARS, "bargauge", True),
        (Kind.TABLE, "table", True),
    ],
)
def test_bars_and_tables_show_one_moment(kind: Kind, type_: str, instant: bool) -> None:
    panel = drawn(kind=kind)
    assert panel.type_val == type_
    assert bool(panel.targets[0].instant) is instant


def test_a_table_is_one_for_all_that_was_found_without_the_time() -> None:
    """Each line of an answer would else be a table of its own, of which one is seen."""
    panel = drawn(kind=Kind.TABLE)
    assert panel.targets[0].format_val.value == "table"
    [organised] = panel.transformations
    assert organised.options["excludeByName"] == {"Time": True}
    assert organised.options["renameByName"] == {"Value": "value"}


def test_only_the_values_of_a_table_have_the_colour_of_a_threshold() -> None:
    config = drawn(kind=Kind.TABLE, bad=1.0, falls=True).field_config
    assert config.defaults.custom is None or config.defaults.custom.cell_options is None
    [override] = config.overrides
    assert override.matcher.options == {"mode": "include", "names": ["value"]}


def test_bars_lie_beside_the_names_of_categories_and_begin_at_nothing() -> None:
    panel = drawn(kind=Kind.BARS)
    assert panel.options.orientation.value == "horizontal"
    assert panel.field_config.defaults.min_val == 0
