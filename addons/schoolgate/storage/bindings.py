"""Keeps who signed in on which device, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.versions import BINDINGS, raise_version

# A sign-in that ended is of use for a question about yesterday, and personal data afterwards.
KEPT_SECONDS = 7 * 86_400.0


class BindingTable:
    """The bindings in the database; each call is one transaction.

    Every method raises `UnavailableError` when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, binding: Binding) -> None:
        """Keep a new binding, or the new state of one with the same id; forget what ended long ago."""
        table = schema.bindings
        with writing(self._engine) as connection:
            # After the end of this one, which is in the future or now.
            connection.execute(delete(table).where(table.c.until < binding.since - KEPT_SECONDS))
            connection.execute(delete(table).where(table.c.id == binding.id))
            connection.execute(insert(table).values(**_row(binding)))
            raise_version(connection, BINDINGS)

    def get(self, binding_id: str) -> Binding | None:
        """Give one, in whatever state."""
        query = select(schema.bindings).where(schema.bindings.c.id == binding_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return _binding(row) if row is not None else None

    def since(self, at: float) -> Sequence[Binding]:
        """Give every binding that ends after some time, in whatever state."""
        with reading(self._engine) as connection:
            return _read(connection, at)


def read_bindings(connection: Connection, now: datetime) -> tuple[Binding, ...]:
    """Give every binding that has not ended at a time, banned ones too."""
    return tuple(
        binding
        for binding in _read(connection, now.timestamp())
        if binding.state is not BindingState.ENDED
    )


def _read(connection: Connection, at: float) -> list[Binding]:
    table = schema.bindings
    query = select(table).where(table.c.until > at).order_by(table.c.since, table.c.id)
    return [_binding(row) for row in connection.execute(query)]


def _row(binding: Binding) -> Mapping[str, Any]:
    return asdict(binding) | {"also": sorted(binding.also), "state": binding.state.value}


def _binding(row: Row[Any]) -> Binding:
    values = dict(row._mapping)
    values["also"] = frozenset(values["also"])
    values["state"] = BindingState(values["state"])
    return Binding(**values)
