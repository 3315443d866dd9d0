"""Values of columns as SQLite and PostgreSQL give them, brought to one form in which they compare."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, DateTime, Uuid
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.types import TypeEngine


def kind(*types: TypeEngine[Any]) -> str:
    """Give how a column's values compare, "" as they are, by the types that both sides have for it."""
    for name, known in (
        ("json", JSON),
        ("time", DateTime),
        ("bool", Boolean),
        ("uuid", Uuid),
        ("address", INET),
    ):
        if any(isinstance(each, known) for each in types):
            return name
    return ""


def canonical(kind: str, value: Any) -> Any:
    """Give a value as either database might have given it."""
    if value is None:
        return None
    match kind:
        case "time":
            at = datetime.fromisoformat(value) if isinstance(value, str) else value
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        case "bool":
            return bool(value)
        case "uuid":
            return UUID(str(value))
        case "address":
            # As inet writes one host.
            return str(value).removesuffix("/32").removesuffix("/128")
    return bytes(value) if isinstance(value, memoryview) else value


def comparable(kind: str, value: Any) -> Any:
    """Give what JSON can say of a value, the same for equal values."""
    if kind == "json" and value is not None:
        # A null of JSON is another thing than none.
        return [_whole(json.loads(value))]
    if isinstance(value, bytes):
        return value.hex()
    return _whole(value) if value is None or isinstance(value, float | int | str) else str(value)


def _whole(value: Any) -> Any:
    """Give a value without the difference between 1 and 1.0, and without the order of keys."""
    if isinstance(value, dict):
        return {key: _whole(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def for_server(kind: str, value: Any) -> Any:
    """Give a value as PostgreSQL takes it."""
    return str(value) if kind == "uuid" and value is not None else value


def for_file(kind: str, value: Any) -> Any:
    """Give a value as SQLite keeps it."""
    if value is None:
        return None
    match kind:
        case "time":
            # As Django writes it.
            return str(value.replace(tzinfo=None))
        case "uuid":
            return value.hex
    return value
