"""What SQLite and PostgreSQL give for the same value is one value, and what differs stays different."""

from datetime import UTC, datetime
from ipaddress import IPv6Address
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, DateTime, Text, Uuid
from sqlalchemy.dialects import postgresql, sqlite

from schoolgate.storage.moved_values import canonical, comparable, for_file, for_server, kind

SIX = datetime(2026, 11, 22, 18, tzinfo=UTC)
NUMBER = UUID("12345678123456781234567812345678")


@pytest.mark.parametrize(
    ("types", "want"),
    [
        ((Text(), postgresql.JSONB()), "json"),
        ((sqlite.JSON(), JSON()), "json"),
        ((DateTime(), postgresql.TIMESTAMP(timezone=True)), "time"),
        ((sqlite.BOOLEAN(), Boolean()), "bool"),
        ((sqlite.CHAR(32), Uuid()), "uuid"),
        ((sqlite.CHAR(39), postgresql.INET()), "address"),
        ((BigInteger(), BigInteger()), ""),
        ((Text(), Text()), ""),
    ],
)
def test_either_side_says_how_a_column_compares(types: tuple[Any, Any], want: str) -> None:
    assert kind(*types) == kind(*reversed(types)) == want


@pytest.mark.parametrize(
    ("how", "in_file", "on_server"),
    [
        ("json", '{"a": 1, "b": [1.0, null]}', '{"b": [1, null], "a": 1}'),
        ("json", "null", "null"),
        ("time", "2026-11-22 18:00:00", SIX),
        ("time", "2026-11-22 18:00:00.000000", SIX),
        ("bool", 1, True),
        ("bool", 0, False),
        ("uuid", NUMBER.hex, str(NUMBER)),
        ("address", "fd00::1", IPv6Address("fd00::1")),
        ("address", "10.0.0.1", "10.0.0.1/32"),
        ("", 1, 1.0),
        ("", "Zoë", "Zoë"),
        ("", b"\x00\xff", memoryview(b"\x00\xff")),
        *((how, None, None) for how in ("json", "time", "bool", "uuid", "address", "")),
    ],
)
def test_what_both_give_for_one_value_is_the_same(how: str, in_file: Any, on_server: Any) -> None:
    assert comparable(how, canonical(how, in_file)) == comparable(how, canonical(how, on_server))


@pytest.mark.parametrize(
    ("how", "one", "other"),
    [
        ("json", '{"a": 1}', '{"a": "1"}'),
        ("json", "null", None),
        ("json", "[1, 2]", "[2, 1]"),
        ("time", "2026-11-22 18:00:00", "2026-11-22 18:00:00.000001"),
        ("bool", 0, None),
        ("", "1", 1),
        ("", "a", "a "),
        ("", "", None),
        ("", '{"a": 1}', '{"a":1}'),
    ],
)
def test_what_differs_stays_different(how: str, one: Any, other: Any) -> None:
    assert comparable(how, canonical(how, one)) != comparable(how, canonical(how, other))


@pytest.mark.parametrize(
    ("how", "value", "want"),
    [
        ("time", SIX, "2026-11-22 18:00:00"),
        ("uuid", NUMBER, NUMBER.hex),
        ("json", "[1]", "[1]"),
        ("", 7, 7),
        ("time", None, None),
    ],
)
def test_a_file_gets_values_as_django_writes_them(how: str, value: Any, want: Any) -> None:
    assert for_file(how, value) == want


def test_a_server_takes_them_as_they_are() -> None:
    assert for_server("time", SIX) is SIX
    assert for_server("uuid", NUMBER) == str(NUMBER)
    assert for_server("uuid", None) is None
