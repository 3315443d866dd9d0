"""Who wants one mail a day instead of each at once, and what waits for it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, delete, insert, select, update

from schoolgate.storage import schema
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.outbox import Waiting, waiting_of

# Of the audience that a digest has in the outbox, before the account.
AUDIENCE = "digest"


class Digests:
    """The digests of the database. Every method raises `UnavailableError` when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def choose(self, account: str, *, daily: bool) -> None:
        """Note how an account wants its mail; what waits for a digest comes with the next one."""
        table = schema.digest_readers
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.account == account.lower()))
            if daily:
                connection.execute(insert(table).values(account=account.lower()))

    def readers(self) -> frozenset[str]:
        """Give the accounts that want a digest, in lower case."""
        with reading(self._engine) as connection:
            return frozenset(connection.execute(select(schema.digest_readers.c.account)).scalars())

    def put(self, mail: int, accounts: Iterable[str]) -> None:
        """Keep a mail of the outbox for the digests of some accounts, for each of them once."""
        table = schema.digest_lines
        with writing(self._engine) as connection:
            asked = select(table.c.account).where(table.c.mail_id == mail)
            known = set(connection.execute(asked).scalars())
            for account in sorted({one.lower() for one in accounts} - known):
                connection.execute(insert(table).values(account=account, mail_id=mail))

    def gather(self, until: datetime, subject: str, now: datetime) -> int:
        """Put a digest into the outbox for each account for which mail waits; give how many.

        Args:
            until: of mail that was written before this.
            subject: of the digests.
            now: when.
        """
        lines, outbox = schema.digest_lines, schema.outbox
        query = (
            select(lines.c.id, lines.c.account)
            .join(outbox, outbox.c.id == lines.c.mail_id)
            .where(lines.c.digest_id.is_(None), outbox.c.created_at < until)
        )
        with reading(self._engine) as connection:
            if connection.execute(query.limit(1)).first() is None:
                return 0
        waiting: dict[str, list[int]] = {}
        with writing(self._engine) as connection:
            for number, account in connection.execute(query.order_by(lines.c.id)):
                waiting.setdefault(account, []).append(number)
            for account, numbers in waiting.items():
                values = {"audience": f"{AUDIENCE}:{account}", "subject": subject, "about": ""}
                when = {"created_at": now, "due_at": now, "attempts": 0, "last_error": ""}
                made = insert(outbox).values(**values, **when).returning(outbox.c.id)
                digest = connection.execute(made).scalar_one()
                chosen = update(lines).where(lines.c.id.in_(numbers))
                connection.execute(chosen.values(digest_id=digest))
        return len(waiting)

    def lines(self, digest: int) -> list[Waiting]:
        """Give the mails that stand in a digest, oldest first."""
        lines, outbox = schema.digest_lines, schema.outbox
        query = (
            select(outbox)
            .join(lines, outbox.c.id == lines.c.mail_id)
            .where(lines.c.digest_id == digest)
            .order_by(outbox.c.id)
        )
        with reading(self._engine) as connection:
            return [waiting_of(row, row.attempts) for row in connection.execute(query)]
