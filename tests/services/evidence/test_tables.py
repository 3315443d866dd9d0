"""The same facts as tables and as JSON."""

import json
from dataclasses import replace

from schoolgate.services.evidence import Facts, as_json, tables


def test_every_table_has_cells_for_its_columns(facts: Facts) -> None:
    made = list(tables(facts))
    assert len({one.id for one in made}) == len(made)
    for table in made:
        assert all(len(row) == len(table.columns) for row in table.rows), table.id
        assert all(isinstance(cell, str) for row in table.rows for cell in row)


def test_what_could_not_be_read_is_not_said_to_be_none(facts: Facts) -> None:
    blind = replace(facts, opened=None, own_lines=None, feeds=None, safeguarding=None, changes=None)
    said = {one.id: one.without for one in tables(blind) if not one.rows}
    for name in ("exceptions", "own-lists", "feeds", "safeguarding", "changes"):
        assert said[name] == "It could not be read."


def test_json_holds_both(facts: Facts) -> None:
    told = json.loads(as_json(facts))
    assert told["facts"]["since"] == "2026-11-01"
    assert told["facts"]["tests"]["state"] == "never"
    assert {one["state"] for one in told["answers"]} >= {"shown", "partly", "not met"}
