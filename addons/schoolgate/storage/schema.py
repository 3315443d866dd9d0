"""The tables that keep what people decided by hand, its audit trail, and versions."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.exc import DontWrapMixin

# SQLite changes a table by copying it, and a constraint can only be carried over or dropped by name.
NAMING = {
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}


class NaiveTimeError(DontWrapMixin, ValueError):
    """A bug: a time without a zone was about to be stored."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as ISO 8601 text in UTC and of one width, so that text order is time order."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Give the text of an aware time.

        Raises:
            NaiveTimeError: when it has no zone.
        """
        if value is None:
            return None
        if value.utcoffset() is None:
            raise NaiveTimeError(f"{value} has no time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Give the aware time, in UTC, that a text stands for."""
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData(naming_convention=NAMING)

grants = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("starts", UtcTime, nullable=False),
    Column("ends", UtcTime, nullable=False, index=True),
    Column("decided_by", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    Column("revoked_reason", Text),
    CheckConstraint("ends > starts", name="ends_after_start"),
)

suspensions = Table(
    "suspensions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("starts", UtcTime, nullable=False),
    Column("ends", UtcTime, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("lifted_at", UtcTime),
    CheckConstraint("ends > starts", name="ends_after_start"),
)

supervisions = Table(
    "supervisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("starts", UtcTime, nullable=False),
    Column("ends", UtcTime, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("lifted_at", UtcTime),
    CheckConstraint("ends > starts", name="ends_after_start"),
)

# Warnings that were clicked through; those of past days are swept when others are added.
acceptances = Table(
    "acceptances",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("who", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
)

# Who has signed which version of the school's declaration.
signatures = Table(
    "signatures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("signed_at", UtcTime, nullable=False),
    Column("withdrawn_at", UtcTime),
)

# Append only: the first migration puts triggers on it that refuse UPDATE and DELETE.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
)

# The rows `overlay`, `policy` and `lists` are put in by the first migration.
versions = Table(
    "versions",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("label", Text, nullable=False),
)
