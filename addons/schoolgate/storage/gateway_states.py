"""How the gateways of a school are, as each says itself, and when the database heard it last."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing

MIXED = "mixed"
"""In place of a policy: the workers do not all have the same."""
# Whoever was silent for so long is taken for one that was sent away.
FORGOTTEN_AFTER = timedelta(days=90)
# The database's own clock, as `schema.UtcTime` writes times.
_CLOCKS = {
    "postgresql": text(
        "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"
    ),
    "sqlite": text("strftime('%Y-%m-%dT%H\\:%M\\:%f000+00\\:00', 'now')"),
}


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What a gateway says of itself; nothing of it is about people.

    Attributes:
        school: that it is of.
        gateway: its name there.
        program: version of schoolgate.
        started_at: when it was started, by its own clock.
        bundle: number of the bundle in force, as the centre made it; 0 for none.
        bundle_version: under which that was let out; 0 for none.
        ring: for which it was let out, else that which it asks for; "" where it asks for none.
        policy: first 12 digits of the SHA-256 of the policy in force; "" while no worker serves, and
            `MIXED` while workers differ.
        lists: number of the fetched lists that are live; 0 for none.
        lists_made: when these were made; None for none.
        index_made: when the index of all lists was built; None for none.
        workers_wanted: how many workers there should be.
        workers_up: how many serve.
        selftest_failures: what the self-test found wrong last; None where there is none.
        kept_requests: requests that wait on this gateway to be sent.
        unsent_since: time of the oldest line of the journal that a receiver does not have yet; None
            where all have come.
        faults: kinds of what else is wrong, such as ``journal``.
    """

    school: str
    gateway: str
    program: str
    started_at: datetime
    bundle: int = 0
    bundle_version: int = 0
    ring: str = ""
    policy: str = ""
    lists: int = 0
    lists_made: datetime | None = None
    index_made: datetime | None = None
    workers_wanted: int = 0
    workers_up: int = 0
    selftest_failures: int | None = None
    kept_requests: int = 0
    unsent_since: datetime | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway said last.

    Attributes:
        state: what.
        clock: what its clock said then.
        at: what the database's said.
    """

    state: GatewayState
    clock: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Reports:
    """What gateways said last.

    Attributes:
        at: when it was read, by the clock of the database.
        reports: by school and gateway.
    """

    at: datetime
    reports: tuple[Report, ...] = ()


class GatewayStates:
    """The gateways in the database of their school. Every method raises `UnavailableError` when it fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, state: GatewayState, now: Callable[[], datetime]) -> None:
        """Keep what a gateway says of itself in the place of what it said before.

        Args:
            state: of it.
            now: its clock, asked once the database listens: who waited for that is not slow.
        """
        table = schema.gateway_states
        with writing(self._engine) as connection:
            clock, at = now(), _now(connection)
            said = asdict(state) | {"faults": " ".join(state.faults)}
            values = {**said, "clock": clock, "reported_at": at}
            mine = update(table).where(table.c.gateway == state.gateway).values(values)
            if not connection.execute(mine).rowcount:
                connection.execute(insert(table).values(values))
            gone = table.c.reported_at < at - FORGOTTEN_AFTER
            connection.execute(delete(table).where(gone, table.c.gateway != state.gateway))

    def read(self) -> Reports:
        """Give what each gateway of the school said last."""
        table = schema.gateway_states
        with reading(self._engine) as connection:
            rows = connection.execute(select(table).order_by(table.c.school, table.c.gateway)).all()
            at = _now(connection)
        return Reports(at, tuple(_report(dict(row._mapping)) for row in rows))


def _now(connection: Connection) -> datetime:
    """Give what the clock of the database says."""
    said = connection.execute(select(_CLOCKS[connection.dialect.name])).scalar_one()
    return datetime.fromisoformat(said)


def _report(row: dict[str, object]) -> Report:
    clock, at = row.pop("clock"), row.pop("reported_at")
    assert isinstance(clock, datetime)
    assert isinstance(at, datetime)
    kinds = str(row.pop("faults"))
    state = GatewayState(**row)  # type: ignore[arg-type]
    return Report(replace(state, faults=tuple(kinds.split())), clock, at)
