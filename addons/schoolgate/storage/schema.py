"""The tables that keep what people asked for and decided, its audit trail, mail to be sent, and versions."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
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
    Column("page", Text, nullable=False, server_default=text("''")),
    Column("periods", Text, nullable=False, server_default=text("''")),
    Column("networks", Text, nullable=False, server_default=text("''")),
    Column("request_id", Integer),
    Column("review_on", String(10)),
    CheckConstraint("ends > starts", name="ends_after_start"),
    # A request is approved once.
    UniqueConstraint("request_id"),
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

# Who signed in on which device; ended ones are kept for a while.
bindings = Table(
    "bindings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("also", JSON, nullable=False),
    Column("address", Text, nullable=False),
    Column("mac", String(17), nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=False, index=True),
    Column("state", String(16), nullable=False),
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

# `content` is the whole request; the columns are what it is looked for by.
requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("requester", Text, nullable=False, index=True),
    Column("host", Text, nullable=False, index=True),
    Column("submitted_at", UtcTime, nullable=False),
    Column("ends", UtcTime, nullable=False),
    # Of the form that was sent: sending it again makes no second request.
    Column("submission", String(64)),
    Column("content", JSON, nullable=False),
    UniqueConstraint("submission"),
)

request_history = Table(
    "request_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("request_id", Integer, ForeignKey("requests.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", String(32)),
    Column("action", String(32), nullable=False),
    Column("before", String(16)),
    Column("after", String(16), nullable=False),
    Column("words", JSON, nullable=False),
    # Of people who act on the same version at once, one wins.
    UniqueConstraint("request_id", "version"),
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delegate", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("starts", UtcTime, nullable=False),
    Column("ends", UtcTime, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    CheckConstraint("ends > starts", name="ends_after_start"),
)

site_reports = Table(
    "site_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("reporter", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("handled_by", Text, nullable=False),
    Column("handled_at", UtcTime),
    Column("note", Text, nullable=False),
)

site_blocks = Table(
    "site_blocks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("report_id", Integer, ForeignKey("site_reports.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("lifted_at", UtcTime),
    Column("lifted_reason", Text, nullable=False, server_default=text("''")),
)

accidents = Table(
    "accidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", UtcTime, nullable=False, index=True),
)

# Mail that is to be sent, written in the transaction of what it tells of.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("audience", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcTime),
    Column("gave_up_at", UtcTime),
    Column("last_error", Text, nullable=False),
)

# Accounts, in lower case, that want one mail a day.
digest_readers = Table("digest_readers", metadata, Column("account", Text, primary_key=True))

# Mail of the outbox that stands, or is to stand, in the digest of an account.
digest_lines = Table(
    "digest_lines",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", Text, nullable=False),
    Column("mail_id", Integer, ForeignKey("outbox.id"), nullable=False),
    Column("digest_id", Integer, ForeignKey("outbox.id"), index=True),
    UniqueConstraint("account", "mail_id"),
)

# Handshakes that failed after the gateway's certificate; clients are pseudonyms.
pinning_failures = Table(
    "pinning_failures",
    metadata,
    Column("host", Text, primary_key=True),
    Column("device_kind", Text, primary_key=True),
    Column("client", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("failures", Integer, nullable=False),
)

pinning_decisions = Table(
    "pinning_decisions",
    metadata,
    Column("host", Text, primary_key=True),
    Column("is_accepted", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

stream_accounts = Table(
    "stream_accounts",
    metadata,
    Column("who", Text, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("milliseconds", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("streams", JSON, nullable=False),
)

# What of the journal is not deleted while it is needed as evidence.
journal_holds = Table(
    "journal_holds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("since", String(10), nullable=False),
    Column("until", String(10)),
    Column("reason", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("lifted_at", UtcTime),
)

# Of a week or a term, as they are sent.
regular_reports = Table(
    "regular_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("period", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    UniqueConstraint("kind", "period"),
)

# How each gateway of a school says that it is; one that is named anew in the settings has another row.
gateway_states = Table(
    "gateway_states",
    metadata,
    Column("gateway", String(40), primary_key=True),
    Column("school", String(40), nullable=False),
    Column("program", String(40), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("bundle", BigInteger, nullable=False),
    Column("bundle_version", BigInteger, nullable=False),
    Column("ring", String(40), nullable=False),
    Column("policy", String(16), nullable=False),
    Column("lists", Integer, nullable=False),
    Column("lists_made", UtcTime),
    Column("index_made", UtcTime),
    Column("workers_wanted", Integer, nullable=False),
    Column("workers_up", Integer, nullable=False),
    Column("selftest_failures", Integer),
    Column("kept_requests", Integer, nullable=False),
    Column("unsent_since", UtcTime),
    # Kinds, with spaces between them.
    Column("faults", String(400), nullable=False),
    Column("clock", UtcTime, nullable=False),
    Column("reported_at", UtcTime, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("opened_at", UtcTime, nullable=False),
    Column("opened_by", Text, nullable=False),
    # ``alert:7``, ``accident:7``, ``report:7`` or ``circumvention``.
    Column("origin", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("group", Text, nullable=False),
    Column("about", String(16), nullable=False),
    Column("theme", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("summary", Text, nullable=False),
    Column("assigned_to", Text, nullable=False),
    Column("closed_at", UtcTime, index=True),
    Column("outcome", String(32), nullable=False),
)

incident_notes = Table(
    "incident_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", Integer, ForeignKey("incidents.id"), nullable=False, index=True),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("words", Text, nullable=False),
)

# Signs of harm; the columns are what they are looked for by, and `content` is the rest.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("last_at", UtcTime, nullable=False),
    Column("times", Integer, nullable=False),
    Column("who", Text, nullable=False, index=True),
    Column("group", Text, nullable=False),
    Column("about", String(16), nullable=False),
    Column("theme", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("host", Text, nullable=False),
    Column("content", JSON, nullable=False),
    Column("incident_id", Integer, ForeignKey("incidents.id"), index=True),
)

# Append only: a migration puts triggers on it that refuse UPDATE and DELETE.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# What an erasure deletes: the chain holds without it.
audit_details = Table(
    "audit_details",
    metadata,
    Column("audit_id", Integer, primary_key=True, autoincrement=False),
    Column("salt", String(64), nullable=False),
    Column("content", JSON, nullable=False),
)

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("name", Text, primary_key=True),
    Column("pseudonym", String(80), nullable=False),
    UniqueConstraint("pseudonym"),
)

# The rows `overlay`, `policy`, `lists`, `bindings` and `audit` are put in by migrations; that of `audit`
# holds the number and the hash of the last entry.
versions = Table(
    "versions",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("label", Text, nullable=False),
)
