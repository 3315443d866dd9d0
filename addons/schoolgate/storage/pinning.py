"""Keeps which handshakes fail after the gateway's certificate, and what was decided on their sites."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, delete, func, insert, select, update

from schoolgate.core.errors import RefusedError
from schoolgate.core.pinning import Evidence, Failure, PinDecision
from schoolgate.storage import schema
from schoolgate.storage.audit import record
from schoolgate.storage.connections import reading, writing

KEPT_DAYS = 30
# What a program that fails everywhere could fill; a school has a few dozen pinned sites.
MOST_KEPT = 20_000


class PinningTable:
    """Failures and decisions in the database; each call is one transaction.

    Every method raises `UnavailableError` when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, failures: Mapping[Failure, int], today: date) -> None:
        """Add to what is known, and forget what is old; beyond `MOST_KEPT` nothing new is kept."""
        table = schema.pinning_failures
        old = (today - timedelta(days=KEPT_DAYS)).isoformat()
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.day < old))
            kept = connection.execute(select(func.count()).select_from(table)).scalar_one()
            for failure, count in failures.items():
                values = failure._asdict() | {"day": failure.day.isoformat()}
                here = [table.c[name] == value for name, value in values.items()]
                added = update(table).where(*here).values(failures=table.c.failures + count)
                if connection.execute(added).rowcount == 0 and kept < MOST_KEPT:
                    connection.execute(insert(table).values(**values, failures=count))
                    kept += 1

    def evidence(self) -> list[Evidence]:
        """Give what is known of each site and kind of device, that with the most clients first."""
        table = schema.pinning_failures
        clients = func.count(func.distinct(table.c.client))
        query = (
            select(
                table.c.host,
                table.c.device_kind,
                func.sum(table.c.failures),
                clients,
                func.count(func.distinct(table.c.day)),
                func.max(table.c.day),
            )
            .group_by(table.c.host, table.c.device_kind)
            .order_by(clients.desc(), table.c.host, table.c.device_kind)
        )
        with reading(self._engine) as connection:
            return [
                Evidence(host, kind, int(failures), of_clients, days, date.fromisoformat(last))
                for host, kind, failures, of_clients, days, last in connection.execute(query)
            ]

    def decide(
        self, host: str, actor: str, reason: str, *, is_accepted: bool, now: datetime
    ) -> PinDecision:
        """Keep what somebody decided on a site, in the place of what was decided before.

        Raises:
            RefusedError: when there is no reason.
        """
        if not reason.strip():
            raise RefusedError("give a reason: it is what people are shown later")
        table = schema.pinning_decisions
        values = {"is_accepted": is_accepted, "at": now, "actor": actor, "reason": reason.strip()}
        action = "pinning.accepted" if is_accepted else "pinning.declined"
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.host == host))
            connection.execute(insert(table).values(host=host, **values))
            record(connection, now, actor, action, f"host:{host}", {"reason": reason.strip()})
        return PinDecision(host, is_accepted, now, actor, reason.strip())

    def decisions(self) -> dict[str, PinDecision]:
        """Give what was decided, by host."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(schema.pinning_decisions))
            return {
                row.host: PinDecision(row.host, row.is_accepted, row.at, row.actor, row.reason)
                for row in rows
            }
