"""Reading decisions back: rows that schoolgate did not write are named, never left out."""

import pytest
from sqlalchemy import Engine, text

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.overlays import read_overlay
from tests.storage.days import at

GRANT = {
    "entry": "example.com",
    "subject": "everyone",
    "starts": "2026-11-23T09:00:00.000000+00:00",
    "ends": "2026-11-23T15:00:00.000000+00:00",
    "decided_by": "headteacher",
    "reason": "history lesson",
    "created_at": "2026-11-23T08:00:00.000000+00:00",
}
SUSPENSION = {name: value for name, value in GRANT.items() if name not in ("entry", "decided_by")}


def put(engine: Engine, table: str, row: dict[str, str]) -> None:
    values = ", ".join(f":{name}" for name in row)
    with writing(engine) as connection:
        connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)


def test_a_row_becomes_a_value(engine: Engine) -> None:
    put(engine, "grants", GRANT)
    put(engine, "suspensions", SUSPENSION)
    with reading(engine) as connection:
        overlay = read_overlay(connection, at(10))
    assert [(g.entry.text, g.starts, g.ends) for g in overlay.grants] == [
        ("example.com", at(9), at(15))
    ]
    assert [(str(s.subject), s.starts, s.ends) for s in overlay.suspensions] == [
        ("everyone", at(9), at(15))
    ]


@pytest.mark.parametrize(
    ("table", "row", "want"),
    [
        ("grants", GRANT | {"subject": "nobody"}, "grant 1 in the database cannot be read"),
        ("grants", GRANT | {"decided_by": "caretaker"}, "grant 1 in the database cannot be read"),
        ("suspensions", SUSPENSION | {"subject": "user:"}, "suspension 1 in the database cannot"),
    ],
)
def test_a_row_that_means_nothing_is_named(
    engine: Engine, table: str, row: dict[str, str], want: str
) -> None:
    put(engine, table, row)
    with pytest.raises(UnavailableError, match=want), reading(engine) as connection:
        read_overlay(connection, at(10))
